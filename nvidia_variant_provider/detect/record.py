"""Record a machine while it is probed: a ``Host`` that passes everything on and writes it down."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.clues import COMMAND_LINE
from nvidia_variant_provider.detect.gate import NVIDIA_VENDOR, PCI_FOLDER
from nvidia_variant_provider.detect.surroundings import PRESENCE, TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.detect.child import ChildReply
    from nvidia_variant_provider.detect.files import FileView
    from nvidia_variant_provider.detect.host import Host
    from nvidia_variant_provider.model import Platform

RECORD_VERSION: Final = 1

# What detection reads of the environment, and what explains a machine to a person.
VARIABLES: Final = (
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "NVIDIA_DRIVER_CAPABILITIES",
    *TEXTS,
    "ProgramW6432",
    "SystemRoot",
)
PROGRAM: Final = "nvidia-smi"
_HEAD: Final = 20


class RecordingHost:
    """Another host, with a log of everything that was asked of it.

    ``overrides`` are the names of our own variables that a record keeps.
    """

    def __init__(self, host: Host, overrides: tuple[str, ...] = ()) -> None:
        self._host = host
        self._kept = (*VARIABLES, *overrides)
        self.recorded = RecordingFiles(host.files)
        self.files: FileView = self.recorded
        self._libraries: list[dict[str, object]] = []
        self._programs: list[dict[str, object]] = []

    @property
    def platform(self) -> Platform:
        """The platform of the other host."""
        return self._host.platform

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of the other host."""
        return self._host.environ

    def windows_pci_ids(self) -> tuple[int, ...]:
        """Return what the other host says."""
        return self._host.windows_pci_ids()

    def monotonic(self) -> float:
        """Return the other host's clock."""
        return self._host.monotonic()

    def ask_library(self, api: str, path: str, seconds: float) -> ChildReply:
        """Pass on, and keep the reply."""
        reply = self._host.ask_library(api, path, seconds)
        self._libraries.append({"api": api, "path": path, **_dump_reply(reply)})
        return reply

    def run_program(self, arguments: Sequence[str], seconds: float) -> ChildReply:
        """Pass on, and keep what the program printed."""
        reply = self._host.run_program(arguments, seconds)
        self._programs.append({"arguments": list(arguments), **_dump_reply(reply)})
        return reply

    def observed(self) -> dict[str, object]:
        """Return what was asked and answered so far, as the ``observed`` part of a record."""
        platform, files = self.platform, self.recorded.entries()
        return {
            "platform": {
                "system": platform.system,
                "architecture": platform.architecture,
                "libc": platform.libc,
            },
            "forged": not self.files.is_real,
            "environment": self._environment(files),
            "files": files,
            "registry": [f"{device_id:04x}" for device_id in self.windows_pci_ids()],
            "libraries": self._libraries,
            "programs": self._programs,
        }

    def _environment(self, files: Mapping[str, object]) -> dict[str, str]:
        """Return the telling variables; of PATH only the folders where a program was found."""
        kept = {name: self.environ[name] for name in self._kept if name in self.environ}
        kept |= {name: "set" for name in PRESENCE if self.environ.get(name)}
        folders = [path.rpartition("/")[0] for path in files if path.endswith(f"/{PROGRAM}")]
        return kept | ({"PATH": ":".join(folders)} if folders else {})


class RecordingFiles:
    """Other files, with a log of what was found; what was absent is not kept."""

    def __init__(self, files: FileView) -> None:
        self._files = files
        self._entries: dict[str, object] = {}

    @property
    def is_real(self) -> bool:
        """Whether the other files are those of this machine."""
        return self._files.is_real

    def entries(self) -> dict[str, object]:
        """Return what was found, without the PCI devices of other vendors."""
        others = tuple(
            path.removesuffix("vendor")
            for path, entry in self._entries.items()
            if path.startswith(PCI_FOLDER) and path.endswith("/vendor")
            if not (isinstance(entry, str) and entry.strip() == NVIDIA_VENDOR)
        )
        return {
            path: entry
            for path, entry in sorted(self._entries.items())
            if not f"{path}/".startswith(others)
        }

    def read_bytes(self, path: str, limit: int = 65536) -> bytes:
        """Pass on; of a file that is not text only the first bytes and the size are kept."""
        try:
            content = self._files.read_bytes(path, limit)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "EIO")
            if name not in {"ENOENT", "ENOTDIR"}:
                self._entries[path] = {"error": name}
            raise
        if b"\0" in content and content.startswith((b"\x7fELF", b"MZ")):
            self._keep_binary(path, content)
        else:
            self._entries[path] = _of_ours(path, content.decode("utf-8", "replace"))
        return content

    def read_text(self, path: str, limit: int = 65536) -> str:
        """Pass on, and keep the text."""
        return self.read_bytes(path, limit).decode("utf-8", "replace")

    def list_names(self, path: str) -> tuple[str, ...]:
        """Pass on, and keep the names that have to do with NVIDIA."""
        names = self._files.list_names(path)
        for name in names:
            if path == PCI_FOLDER or _is_telling(name):
                self._note(_join(path, name), {"present": True})
        return names

    def read_link(self, path: str) -> str:
        """Pass on, and keep where the link leads."""
        target = self._files.read_link(path)
        if target:
            self._note(path, {"link": target})
        return target

    def exists(self, path: str) -> bool:
        """Pass on, and keep that something is there."""
        is_there = self._files.exists(path)
        if is_there:
            self._note(path, {"present": True})
        return is_there

    def size(self, path: str) -> int:
        """Pass on, and keep the size."""
        size = self._files.size(path)
        if size >= 0:
            self._note(path, {"size": size})
        return size

    def locate(self, path: str) -> str:
        """Pass on."""
        return self._files.locate(path)

    def _keep_binary(self, path: str, content: bytes) -> None:
        size = self._files.size(path)
        self._note(path, {"size": size, "head": content[:_HEAD].hex()})

    def _note(self, path: str, entry: dict[str, object]) -> None:
        """Add to what is known of a path; a text says it all already."""
        known = self._entries.setdefault(path, {})
        if isinstance(known, dict):
            known.update(entry)
            if len(known) > 1:
                known.pop("present", None)


def _of_ours(path: str, text: str) -> str:
    """Return what of a text has to do with NVIDIA, where it may hold anything of the machine.

    The kernel's command line names disks and hosts; of it and of modprobe's files only the words
    and lines count that name the driver.
    """
    if path == COMMAND_LINE:
        return " ".join(word for word in text.split() if "nvidia" in word)
    if "/modprobe.d/" in path:
        return "".join(line for line in text.splitlines(keepends=True) if "nvidia" in line)
    return text


def _is_telling(name: str) -> bool:
    return name.startswith(("nv", "cuda", "libcuda.so.")) and not name.startswith("nvme")


def _join(folder: str, name: str) -> str:
    return f"{folder}\\{name}" if folder[1:3] == ":\\" else f"{folder}/{name}"


def _dump_reply(reply: ChildReply) -> dict[str, object]:
    return {
        "end": str(reply.end),
        "seconds": round(reply.seconds, 4),
        "lines": reply.text.splitlines(),
    }
