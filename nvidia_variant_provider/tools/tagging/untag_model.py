"""The JSON document of ``untag --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.documents import JsonModel


class PlainWheel(JsonModel):
    """An ordinary wheel that was written."""

    wheel: str = Field(description="path of the variant wheel")
    target: str = Field(description="path of the wheel that was written")
    notes: tuple[str, ...] = Field(description="what could not be kept, such as signatures")


class Untagging(JsonModel):
    """What ``untag --json`` prints."""

    schema_version: Literal[1] = 1
    tool_version: str = __version__
    wheels: tuple[PlainWheel, ...]
