"""The value types everything else speaks in: versions, capabilities, targets, GPUs, a machine."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from nvidia_variant_provider.errors import InvalidValueError, MalformedReplyError
from nvidia_variant_provider.value_types import dataclass

# Patterns are compiled when they are first used: most are not, on most machines.
# Two digits each: a driver branch such as 580 in the place of a CUDA version is a mistake.
_CUDA_TEXT: Final = r"(\d{1,2})(?:\.(\d{1,2}))?"
_RELEASE_TEXT: Final = r"\d{2,4}(?:\.\d{1,6}){1,2}"
_CAPABILITY_TEXT: Final = r"(\d{1,2})\.(\d)"
_SM_ARCH_TEXT: Final = r"([1-9]\d?)(\d)([af]?)_(real|virtual)"


@dataclass(frozen=True, slots=True, order=True)
class CudaVersion:
    """A CUDA ``major.minor`` version, of a driver or of a toolkit.

    Not the driver release ("580.65.06"), which is a ``DriverRelease``.
    """

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> CudaVersion:
        """Read ``"12.8"`` or ``"12"``, which means 12.0.

        Raises ``InvalidValueError`` for anything else.
        """
        match = re.fullmatch(_CUDA_TEXT, text, re.ASCII)
        if match is None:
            raise InvalidValueError.not_a("a CUDA version such as '12.8'", text)
        return cls(int(match[1]), int(match[2] or 0))

    @classmethod
    def from_encoded(cls, encoded: int) -> CudaVersion:
        """Decode the integer of ``cuDriverGetVersion``: 12080 is CUDA 12.8.

        Raises ``MalformedReplyError`` below 1000 and above 99990: a driver may report success
        and leave the number at 0 (machines seen in the field).
        """
        if not _ENCODED_MIN <= encoded <= _ENCODED_MAX:
            raise MalformedReplyError(f"not an encoded CUDA version: {encoded}")
        return cls(encoded // 1000, encoded % 1000 // 10)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


_ENCODED_MIN: Final = 1000
_ENCODED_MAX: Final = 99990


@dataclass(frozen=True, slots=True)
class DriverRelease:
    """The release number of a kernel-mode driver, for example ``580.65.06``.

    The text is kept as it was read, since its leading zeros matter in print. Numbers of Tegra
    board support packages (``35.4.1``, ``540.4.0``) have the same form and another meaning.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> DriverRelease:
        """Read ``"580.65.06"`` or ``"375.74"``; raises ``InvalidValueError`` for other forms."""
        if not re.fullmatch(_RELEASE_TEXT, text, re.ASCII):
            raise InvalidValueError.not_a("a driver release such as '580.65.06'", text)
        return cls(text)

    @property
    def branch(self) -> int:
        """The driver branch: 580 of ``580.65.06``."""
        return int(self.text.partition(".")[0])

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class ComputeCapability:
    """The compute capability of a GPU, for example 9.0; ordered from older to newer."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ComputeCapability:
        """Read ``"9.0"`` or ``"12.1"``; raises ``InvalidValueError`` for other forms."""
        match = re.fullmatch(_CAPABILITY_TEXT, text, re.ASCII)
        if match is None:
            raise InvalidValueError.not_a("a compute capability such as '9.0'", text)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def from_number(cls, number: int) -> ComputeCapability:
        """Split the number of a compile target: 90 is 9.0, 121 is 12.1."""
        return cls(number // 10, number % 10)

    @property
    def number(self) -> int:
        """The number compile targets carry: 90 for 9.0, 121 for 12.1."""
        return self.major * 10 + self.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True, order=True)
class SmArch:
    """An SM architecture that device code was compiled for, for example ``90a_real``.

    ``virtual`` device code is PTX, which the driver compiles on the target; the rest is a cubin.
    ``suffix`` is ``""``, ``"a"`` (exactly this capability) or ``"f"`` (its family).
    """

    capability: ComputeCapability
    suffix: str = ""
    virtual: bool = False

    @classmethod
    def parse(cls, text: str) -> SmArch:
        """Read a property value such as ``"90a_real"``; raises ``InvalidValueError``."""
        match = re.fullmatch(_SM_ARCH_TEXT, text, re.ASCII)
        if match is None:
            raise InvalidValueError.not_a("an SM architecture such as '90_real'", text)
        return cls(ComputeCapability(int(match[1]), int(match[2])), match[3], match[4] == "virtual")

    @property
    def target(self) -> str:
        """The number and suffix that compilers print after ``sm_``: ``"90a"``."""
        return f"{self.capability.number}{self.suffix}"

    def __str__(self) -> str:
        return f"{self.target}_{'virtual' if self.virtual else 'real'}"


class Status(Enum):
    """What detection found, in one word; ``docs/status.md`` has a section for each."""

    OK = "ok"
    DRIVER_NO_GPU = "driver-no-gpu"
    GPU_NO_DRIVER = "gpu-no-driver"
    BLOCKED = "blocked"
    BROKEN = "broken"
    TIMEOUT = "timeout"
    NONE = "none"
    PINNED = "pinned"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, with whatever could be learnt of it.

    ``pci_address`` is the form of Linux, ``0000:02:00.0``. ``capability`` is ``None`` when nothing
    told it; ``integrated`` and ``memory``, in MiB, likewise. ``source`` names who answered for the
    capability.
    """

    name: str = ""
    uuid: str = ""
    pci_address: str = ""
    capability: ComputeCapability | None = None
    integrated: bool | None = None
    source: str = ""
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """The interpreter's surroundings: what the wheels must fit besides the GPU.

    ``system`` is ``sys.platform`` ("linux", "win32", "darwin"), ``architecture`` the interpreter's
    ("x86_64", "aarch64"), ``libc`` "glibc", "musl" or "".
    """

    system: str
    architecture: str
    libc: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about a machine: a stable code such as ``display-gpu`` and a sentence.

    ``facts`` are what an advice about a cause needs: ``(("release", "580.65.06"),)``.
    """

    code: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of a machine: the input of the rules.

    ``cuda`` is the CUDA driver version, the newest CUDA that the user-mode driver supports;
    ``cuda_derived`` says that it was concluded from the driver branch, ``cuda_forced`` that the
    user set it. ``tegra`` marks boards whose driver release follows NVIDIA's numbering for Jetson.
    ``every_gpu`` says that also a GPU too small to compute on counts. ``reason`` says why the
    status is what it is.
    """

    platform: Platform
    status: Status
    reason: str = ""
    driver_release: DriverRelease | None = None
    driver_source: str = ""
    cuda: CudaVersion | None = None
    cuda_source: str = ""
    cuda_derived: bool = False
    gpus: tuple[Gpu, ...] = ()
    tegra: bool = False
    notes: tuple[Note, ...] = ()
    cuda_forced: bool = False
    every_gpu: bool = False

    @property
    def capabilities(self) -> tuple[ComputeCapability, ...]:
        """The distinct compute capabilities, weakest first."""
        return tuple(sorted({gpu.capability for gpu in self.gpus if gpu.capability is not None}))
