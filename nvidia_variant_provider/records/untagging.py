"""The JSON document of ``untag --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nvidia_variant_provider import __version__


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlainWheel(_Record):
    """An ordinary wheel that was written."""

    wheel: str = Field(description="path of the variant wheel")
    target: str = Field(description="path of the wheel that was written")
    notes: tuple[str, ...] = Field(description="what could not be kept, such as signatures")


class Untagging(_Record):
    """What ``untag --json`` prints."""

    schema_version: Literal[1] = 1
    tool_version: str = __version__
    wheels: tuple[PlainWheel, ...]
