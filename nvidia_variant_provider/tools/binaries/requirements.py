"""Requirements on CUDA libraries in a wheel's metadata, in all their spellings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.libraries import (
    CODE_AT_RUN_TIME,
    MAJOR_VERSIONED_PACKAGES,
    TOOLKIT_VERSIONED_PACKAGES,
)
from nvidia_variant_provider.tables.toolkits import FIRST_UNSUFFIXED_MAJOR
from nvidia_variant_provider.tools.binaries.report import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST: Final = 1000
_NAME: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)")
_SUFFIXED: Final = re.compile(r"[a-z0-9-]+-cu(?:da)?(\d{2})x?")
_PLAIN: Final = re.compile(
    r"nvidia-(?:cuda-[a-z0-9-]+|cu[a-z]+|npp|nv[a-z]+|nccl|cudss)|cuda-toolkit"
)
_PIN: Final = re.compile(r"(?:===?|~=|>=)\s*(\d{1,3})(?:\.(\d{1,3}))?")


def on_cuda(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """Find the requirements on CUDA libraries among those of ``Requires-Dist``.

    A text of more than a thousand characters is none.
    """
    return tuple(_requirements(text for text in texts if len(text) <= _LONGEST))


def _requirements(texts: Iterable[str]) -> Iterator[Requirement]:
    for text in texts:
        requirement, _, marker = text.partition(";")
        name = _NAME.match(requirement)
        package = re.sub(r"[-_.]+", "-", name[1]).lower() if name else ""
        cuda = _cuda_of(package, requirement)
        if cuda is not None:
            optional = "extra" in marker or "variant_" in marker
            yield Requirement(package, text, cuda, optional)


def _cuda_of(package: str, requirement: str) -> str | None:
    """Return the CUDA that a requirement tells, "" for none; ``None`` when it is not on CUDA."""
    suffixed = _SUFFIXED.fullmatch(package)
    pin = _PIN.search(requirement)
    version = f"{pin[1]}.{pin[2]}" if pin and pin[2] else (pin[1] if pin else "")
    plain = re.sub(r"-cu\d{2}$", "", package)
    if suffixed:
        # nvidia-cuda-runtime-cu12==12.9.79 tells the minor version too.
        same = plain in TOOLKIT_VERSIONED_PACKAGES and version.partition(".")[0] == suffixed[1]
        return version if same else suffixed[1]
    if package in TOOLKIT_VERSIONED_PACKAGES:
        return version
    if package in MAJOR_VERSIONED_PACKAGES:
        return version.partition(".")[0]
    if package in CODE_AT_RUN_TIME:
        return ""
    if _PLAIN.fullmatch(package):
        return str(FIRST_UNSUFFIXED_MAJOR) if package.startswith("nvidia-cu") else ""
    return None
