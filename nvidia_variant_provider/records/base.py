"""What the models of all documents have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A part of a document: it does not change, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
