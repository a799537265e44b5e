"""The JSON document of ``untag --json``."""

from __future__ import annotations

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel


class PlainWheel(JsonModel):
    """An ordinary wheel that was written."""

    wheel: str = Field(description="path of the variant wheel")
    target: str = Field(description="path of the wheel that was written")
    notes: tuple[str, ...] = Field(description="what could not be kept, such as signatures")


class Untagging(JsonDocument):
    """What ``untag --json`` prints."""

    wheels: tuple[PlainWheel, ...]
