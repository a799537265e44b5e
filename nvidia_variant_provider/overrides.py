"""The environment variables that replace what detection would find.

A malformed one is the user's error and is raised: a silent fallback would be the silent CPU wheel.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, OverrideError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion
from nvidia_variant_provider.rules import DEFAULT_RULES
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    _T = TypeVar("_T")

PREFIX: Final = "NV_VARIANT_PROVIDER_"
FORCE_CUDA: Final = PREFIX + "FORCE_CUDA_DRIVER_VERSION"
FORCE_SM_ARCH: Final = PREFIX + "FORCE_SM_ARCH"
MACHINE: Final = PREFIX + "MACHINE"
TARGET: Final = PREFIX + "TARGET"
RULES: Final = PREFIX + "RULES"
GPU: Final = PREFIX + "GPU"
TIMEOUT: Final = PREFIX + "TIMEOUT"
ROOT: Final = PREFIX + "ROOT"

DEFAULT_TIMEOUT: Final = 10.0
MAX_TIMEOUT: Final = 600.0

_RULES: Final = r"[01]"
_GPU: Final = r"(?i:highest|lowest|\d{1,3}|(?:GPU|MIG)-[0-9a-f-]{0,64})"
_SECONDS: Final = r"\d{1,4}(\.\d{1,3})?"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user said; ``None`` or empty where nothing was said."""

    cuda: CudaVersion | None = None
    capability: ComputeCapability | None = None
    machine_file: str = ""
    target: str = ""
    rules: int = DEFAULT_RULES
    gpu: str = ""
    timeout: float = DEFAULT_TIMEOUT
    root: str = "/"

    @property
    def pins(self) -> bool:
        """Whether everything detection could find is replaced."""
        named = bool(self.machine_file or self.target)
        return named or (self.cuda is not None and self.capability is not None)


def read_overrides(environ: Mapping[str, str]) -> Overrides:
    """Read the variables; an empty one counts as unset. Raises ``OverrideError``.

    A machine file and a target both name the whole machine, so only one of them may be set. The
    FORCE variables go on top of either: installers that know no other variable read them too.
    """

    def read(variable: str, parse: Callable[[str], _T], expected: str, default: _T) -> _T:
        text = environ.get(variable, "")
        if not text:
            return default
        try:
            return parse(text)
        except InvalidValueError as error:
            raise OverrideError(variable, text, expected) from error

    if environ.get(MACHINE) and environ.get(TARGET):
        raise OverrideError(TARGET, environ[TARGET], f"nothing here while {MACHINE} is set too")
    return Overrides(
        cuda=read(
            FORCE_CUDA,
            CudaVersion.parse,
            "a CUDA version such as '12.8', not a driver release",
            None,
        ),
        capability=read(
            FORCE_SM_ARCH, ComputeCapability.parse, "a compute capability such as '9.0'", None
        ),
        machine_file=read(MACHINE, _absolute, "the absolute path of a machine file", ""),
        target=environ.get(TARGET, ""),
        rules=read(RULES, _rules, "a rule set: '0' or '1'", DEFAULT_RULES),
        gpu=read(GPU, _gpu, "'highest', 'lowest', an index from 0, or the start of a UUID", ""),
        timeout=read(
            TIMEOUT, _seconds, f"seconds between 0.1 and {MAX_TIMEOUT:g}", DEFAULT_TIMEOUT
        ),
        root=read(ROOT, _absolute, "the absolute path of a root folder", "/"),
    )


def _matching(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise InvalidValueError(text[:60])
    return text


def _absolute(text: str) -> str:
    from os.path import isabs

    if not isabs(text) or "\0" in text:
        raise InvalidValueError(text[:60])
    return text


def _rules(text: str) -> int:
    return {"0": 0, "1": 1}[_matching(_RULES, text)]


def _gpu(text: str) -> str:
    return _matching(_GPU, text).lower()


def _seconds(text: str) -> float:
    seconds = float(_matching(_SECONDS, text))
    if not 0.1 <= seconds <= MAX_TIMEOUT:  # noqa: PLR2004 - said in the error's text
        raise InvalidValueError(text)
    return seconds
