"""What is read again of the lines of a survey, which other releases or hands may have written.

Keys that are not read are ignored, so that lines of older and newer releases can be summed up.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MOST: Final = (1 << 63) - 1
_Arch = Annotated[str, Field(pattern=r"^[0-9]{1,4}[af]?_(real|virtual)$")]
_Version = Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){1,2}$")]
_Count = Annotated[int, Field(ge=0, le=_MOST)]


class _Part(BaseModel):
    # JSON types count: true is no size.
    model_config = ConfigDict(strict=True, extra="ignore")


class _Finding(_Part):
    code: str
    severity: str = ""
    title: str = ""


class _Coverage(_Part):
    containers: _Count
    full: list[_Arch]
    dominant: list[_Arch]
    union: list[_Arch]


class _Library(_Part):
    bare_images: list[object]


class _Bounds(_Part):
    compatible: _Version | None


class _Inspection(_Part):
    findings: list[_Finding]
    coverage: _Coverage
    libraries: list[_Library]
    bounds: _Bounds
    device_code: str = ""


class _Stated(_Part):
    value: _Arch


class _Verification(_Part):
    findings: list[_Finding]
    stated: list[_Stated]
    lower_bound: _Version | None


class _Failure(_Part):
    code: str
    error: str


class _Result(_Part):
    command: Literal["inspect", "verify"]
    threshold: float | None
    path: str
    size: _Count | None
    mtime_ns: int | None
    outcome: Literal["done", "failed", "skipped"]
    failure: _Failure | None = None
    inspection: _Inspection | None = None
    verification: _Verification | None = None


def is_result(parsed: object) -> bool:
    """Tell whether all that is read of a line has its form; whether it is true is not at issue."""
    try:
        _Result.model_validate(parsed)
    except ValidationError:
        return False
    return True
