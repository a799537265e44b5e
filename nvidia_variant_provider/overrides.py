"""The environment variables that replace what detection would find: one table of them.

A malformed value is the user's error and is raised, and so is a name that is a near miss of one
here: a silent fallback would be the silent CPU wheel. Any other unknown name is a note, so that an
image built for a newer provider does not break.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.errors import InvalidValueError, OverrideError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Note
from nvidia_variant_provider.rules import DEFAULT_RULES
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
# The choice of GPU that brings back those which would not count.
ALL_GPUS: Final = "all"

# Installers with a parser of PEP 440 versions also take what people paste: " v012.8.1 ".
_FORCED_CUDA: Final = r"[vV]?0*(\d{1,2})(?:\.0*(\d{1,2})(\.\d{1,6})?)?"
_RULES: Final = r"[01]"
_GPU: Final = r"(?i:all|highest|lowest|\d{1,3}|(?:GPU|MIG)-[0-9a-f-]{0,64})"
_SECONDS: Final = r"\d{1,4}(\.\d{1,3})?"
# As alike as NV_VARIANT_PROVIDER_FORCE_CUDA_VERSION is to the name with DRIVER in it.
_NEAR: Final = 0.8


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the environment sets; ``None`` or empty where it sets nothing."""

    cuda: CudaVersion | None = None
    capability: ComputeCapability | None = None
    machine_file: str = ""
    target: str = ""
    rules: int = DEFAULT_RULES
    gpu: str = ""
    timeout: float = DEFAULT_TIMEOUT
    root: str = "/"
    notes: tuple[Note, ...] = ()

    @property
    def pins(self) -> bool:
        """Whether everything detection could find is replaced."""
        named = bool(self.machine_file or self.target)
        return named or (self.cuda is not None and self.capability is not None)


def _matching(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise InvalidValueError(text[:60])
    return text


def _cuda(text: str) -> CudaVersion:
    match = re.fullmatch(_FORCED_CUDA, text.strip(), re.ASCII)
    if match is None:
        raise InvalidValueError(text[:60])
    return CudaVersion(int(match[1]), int(match[2] or 0))


def _capability(text: str) -> ComputeCapability:
    return ComputeCapability.parse(text.strip())


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


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its name, the field of ``Overrides`` that it sets, and how it is read.

    ``expected`` is its form in words, ``option`` the argument of commands that means the same.
    ``of_machine`` says that it describes a machine: a machine named on a command line replaces it,
    and a child that is told of another machine does not get it. ``recorded`` says that a record
    keeps it; what only points to a file of this machine is not kept.
    """

    name: str
    field: str
    parse: Callable[[str], Any]
    expected: str
    option: str = ""
    of_machine: bool = False
    recorded: bool = False


VARIABLES: Final = (
    Variable(
        FORCE_CUDA,
        "cuda",
        _cuda,
        "a CUDA version such as '12.8', not a driver release",
        of_machine=True,
        recorded=True,
    ),
    Variable(
        FORCE_SM_ARCH,
        "capability",
        _capability,
        "a compute capability such as '9.0'",
        of_machine=True,
        recorded=True,
    ),
    Variable(
        MACHINE,
        "machine_file",
        _absolute,
        "the absolute path of a machine file",
        "--machine",
        of_machine=True,
    ),
    Variable(TARGET, "target", str, "a target such as 'h100@580'", "--target", of_machine=True),
    Variable(
        GPU,
        "gpu",
        _gpu,
        "'all', 'highest', 'lowest', an index from 0, or the start of a UUID",
        "--gpu",
        of_machine=True,
        recorded=True,
    ),
    Variable(RULES, "rules", _rules, "a rule set: '0' or '1'", "--rules", recorded=True),
    Variable(
        TIMEOUT, "timeout", _seconds, f"seconds between 0.1 and {MAX_TIMEOUT:g}", recorded=True
    ),
    Variable(ROOT, "root", _absolute, "the absolute path of a root folder"),
)


def read_overrides(environ: Mapping[str, str]) -> Overrides:
    """Read the variables; an empty one counts as unset. Raises ``OverrideError``.

    A machine file and a target both name the whole machine, so only one of them may be set. The
    FORCE variables go on top of either: installers that know no other variable read them too.
    """
    if environ.get(MACHINE) and environ.get(TARGET):
        raise OverrideError(TARGET, environ[TARGET], f"nothing here while {MACHINE} is set too")
    values = {
        row.field: _read(row, environ[row.name]) for row in VARIABLES if environ.get(row.name)
    }
    return Overrides(**values, notes=(*_unknown(environ), *_patch(environ)))


def _read(row: Variable, text: str) -> Any:  # noqa: ANN401 - the row says which type
    try:
        return row.parse(text)
    except InvalidValueError as error:
        raise OverrideError(row.name, text, row.expected) from error


def _unknown(environ: Mapping[str, str]) -> Iterator[Note]:
    """Note the names that only another release may know; raise for a near miss."""
    known = [row.name for row in VARIABLES]
    names = [name for name in environ if name.startswith(PREFIX) and environ[name]]
    for name in sorted(set(names) - set(known)):
        meant = _meant(name.removeprefix(PREFIX), [row.removeprefix(PREFIX) for row in known])
        if meant:
            expected = f"the name {PREFIX}{meant}: this one is not known"
            raise OverrideError(name[:100], environ[name], expected)
        text = f"{name[:100]} is no variable of this release: it is ignored"
        yield Note("unknown-variable", text)


def _meant(name: str, known: list[str]) -> str:
    """Return the known name that was meant: with the same words, some left out, or nearly alike."""
    from difflib import get_close_matches

    words = set(name.split("_"))
    shorter = [candidate for candidate in known if words <= set(candidate.split("_"))]
    return next(iter([*shorter, *get_close_matches(name[:100], known, 1, _NEAR)]), "")


def _patch(environ: Mapping[str, str]) -> Iterator[Note]:
    text = environ.get(FORCE_CUDA, "").strip()
    if not text:
        return  # Nearly always: that spares compiling the pattern.
    match = re.fullmatch(_FORCED_CUDA, text, re.ASCII)
    if match is not None and match[3]:
        text = f"{FORCE_CUDA}: {match[3]} is ignored: drivers support a major and a minor"
        yield Note("patch-ignored", text)
