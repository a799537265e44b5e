"""The reply of one driver library, read from the lines its child process wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.errors import InvalidValueError, MalformedReplyError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, DriverRelease, Gpu
from nvidia_variant_provider.tables.status_codes import describe_code
from nvidia_variant_provider.value_types import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvidia_variant_provider.detect.child import ChildReply, End

_BUS_ID: Final = r"([0-9A-Fa-f]{4,8}):([0-9A-Fa-f]{2}):([0-9A-Fa-f]{2})\.([0-7])"
_ESCAPED: Final = (
    r"(?:[ -\[\]-~]|\\(?:[\\tnr]|x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4}))*"
)
_MAX_MAJOR: Final = 30
# MiB; no GPU comes near a petabyte.
_MAX_MEMORY: Final = 1 << 30
_ZERO_UUID: Final = "0" * 32


@dataclass(frozen=True, slots=True)
class LibraryAnswer:
    """What one library said; whatever it did not come to say is ``None`` or empty.

    ``file`` is what the loader found by a soname, told of a library that refuses to start. ``init``
    is the status code of its initialisation, ``count`` the number of devices it claims,
    ``failed`` the devices that did not answer as (index, code), ``end`` how the child ended.
    """

    api: str
    path: str
    end: End
    file: str = ""
    loaded: bool = False
    load_error: str = ""
    init: int | None = None
    release: DriverRelease | None = None
    cuda: CudaVersion | None = None
    cuda_code: int | None = None
    count: int | None = None
    gpus: tuple[Gpu, ...] = ()
    failed: tuple[tuple[int, int], ...] = ()
    mig: bool = False
    complete: bool = False
    seconds: float = 0.0

    @property
    def is_shim(self) -> bool:
        """Whether the devices have no identity: a CUDA look-alike for other makers' GPUs."""
        bare = (gpu.uuid.removeprefix("GPU-").replace("-", "") for gpu in self.gpus)
        return bool(self.gpus) and all(uuid == _ZERO_UUID for uuid in bare)

    @property
    def is_foreign(self) -> bool:
        """Whether the loader refused a library of another architecture."""
        return "wrong ELF class" in self.load_error or "WinError 193" in self.load_error

    @property
    def timed_out(self) -> bool:
        """Whether the library was still silent at the deadline."""
        return self.end.timed_out

    @property
    def never_asked(self) -> bool:
        """Whether no child process could be started to ask the library."""
        return self.end.never_started

    def describe(self) -> str:
        """Say in a few words what came of it."""
        if self.load_error:
            return self.load_error
        parts = [
            *([f"driver {self.release}"] if self.release else []),
            *([f"CUDA {self.cuda}"] if self.cuda else []),
            *([describe_code(self.api, self.init)] if self.init else []),
            *([f"{self.count} GPUs"] if self.count is not None else []),
            *([str(self.end)] if not self.complete else []),
        ]
        return ", ".join(parts) or str(self.end)


def parse_answer(api: str, path: str, reply: ChildReply) -> LibraryAnswer:
    """Read a child's lines; lines that make no sense are passed over, never believed."""
    draft = _Draft()
    for line in reply.text.splitlines():
        word, *fields = line.split("\t")
        try:
            draft.take(word, [_unescape(text) for text in fields])
        except (ValueError, IndexError, MalformedReplyError) as error:
            raise_foreign(error)
            continue
    gpus = {index: gpu for index, gpu in draft.gpus.items() if index not in draft.failed}
    return LibraryAnswer(
        api=api,
        path=path,
        end=reply.end,
        file=draft.file,
        loaded=draft.loaded,
        load_error=draft.load_error,
        init=draft.init,
        release=draft.release,
        cuda=draft.cuda,
        cuda_code=draft.cuda_code,
        count=draft.count,
        gpus=_without_repeats(gpus),
        failed=tuple(sorted(draft.failed.items())),
        mig=draft.mig,
        complete=draft.complete,
        seconds=reply.seconds,
    )


@dataclass(slots=True)
class _Draft:
    """The answer while its lines are read."""

    loaded: bool = False
    file: str = ""
    load_error: str = ""
    init: int | None = None
    release: DriverRelease | None = None
    cuda: CudaVersion | None = None
    cuda_code: int | None = None
    count: int | None = None
    mig: bool = False
    complete: bool = False
    gpus: dict[int, Gpu] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)

    def take(self, word: str, fields: list[str]) -> None:
        """Work in one line; raises ``ValueError`` or ``IndexError`` if it makes no sense."""
        if word == "loaded":
            self.loaded = True
        elif word == "file":
            self.file = fields[0][:4096]
        elif word == "unloadable":
            self.load_error = fields[0][:200]
        elif word == "end":
            self.complete = True
        elif word == "init":
            self.init = int(fields[0])
        elif word == "count":
            self.count = int(fields[1]) if int(fields[0]) == 0 else None
        elif word == "driver" and int(fields[0]) == 0:
            self.release = DriverRelease.parse(fields[1])
        elif word == "cuda":
            self.cuda_code = int(fields[0])
            self.cuda = CudaVersion.from_encoded(int(fields[1])) if self.cuda_code == 0 else None
        else:
            self._take_device(word, int(fields[0]), int(fields[1]), fields[2:])

    def _take_device(self, word: str, index: int, code: int, fields: list[str]) -> None:
        if word == "gpu":
            if code:
                self.failed[index] = code
            else:
                self.gpus[index] = Gpu()
            return
        if code or index not in self.gpus:
            return
        if word == "mig":
            self.mig = self.mig or fields[0] == "1"
            return
        self.gpus[index] = _with_fact(self.gpus[index], word, fields)


def _with_fact(gpu: Gpu, word: str, fields: list[str]) -> Gpu:
    """Return the GPU with one more fact."""
    if word not in _FACTS:
        return gpu
    name, read = _FACTS[word]
    return replace(gpu, **{name: read(fields)})


def _capability(major: int, minor: int) -> ComputeCapability | None:
    """Return a capability that can be true: a failing driver may leave any number."""
    if 1 <= major <= _MAX_MAJOR and 0 <= minor <= 9:  # noqa: PLR2004 - targets have one digit
        return ComputeCapability(major, minor)
    return None


def _memory(mebibytes: int) -> int | None:
    """Return a size that can be true; boards that share the CPU's memory may say 0."""
    return mebibytes if 0 < mebibytes <= _MAX_MEMORY else None


def _uuid(text: str) -> str:
    """Return a UUID as NVML spells it; libcuda gives 16 bytes."""
    if len(text) != len(_ZERO_UUID) or text == _ZERO_UUID:
        return text[:96]
    parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
    return "GPU-" + "-".join(parts)


def parse_bus_id(text: str) -> str:
    """Return a PCI address as Linux spells it: ``0000000F:01:00.0`` is ``000f:01:00.0``."""
    match = re.fullmatch(_BUS_ID, text.strip(), re.ASCII)
    if match is None:
        return ""
    domain, bus, device, function = match.groups()
    return f"{int(domain, 16):04x}:{bus}:{device}.{function}".lower()


# What a worker's word tells of a GPU: the name of the value, and how its fields are read.
_FACTS: Final[dict[str, tuple[str, Callable[[list[str]], object]]]] = {
    "capability": ("capability", lambda fields: _capability(int(fields[0]), int(fields[1]))),
    "integrated": ("integrated", lambda fields: fields[0] == "1"),
    "name": ("name", lambda fields: fields[0][:96]),
    "uuid": ("uuid", lambda fields: _uuid(fields[0])),
    "pci": ("pci_address", lambda fields: parse_bus_id(fields[0])),
    "memory": ("memory", lambda fields: _memory(int(fields[0]))),
}


def _without_repeats(gpus: dict[int, Gpu]) -> tuple[Gpu, ...]:
    """Drop repeated devices: with MPS enumeration one GPU comes as several entries."""
    kept: dict[object, Gpu] = {}
    for index, gpu in sorted(gpus.items()):
        identity = gpu.uuid if gpu.uuid and gpu.uuid != _ZERO_UUID else index
        kept.setdefault(identity, gpu)
    return tuple(kept.values())


def _unescape(text: str) -> str:
    """Undo what the worker's escaping does, and nothing else that Python would understand."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text  # Most fields; the rest costs a pattern and a codec.
    if not re.fullmatch(_ESCAPED, text, re.ASCII):
        raise InvalidValueError(f"not a field: {text[:60]!r}")
    plain = text.encode("ascii").decode("unicode_escape")
    # A path may hold a byte that is no text: it must be printable all the same.
    return plain.encode("utf-8", "replace").decode("utf-8")
