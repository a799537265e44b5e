"""The one seam between detection and the machine.

Probes get a ``Host`` and nothing else: files, environment, platform, libraries, child processes
and the clock come from it. Tests and replays hand in another one and patch nothing.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final, Protocol

from nvidia_variant_provider.detect import gate
from nvidia_variant_provider.detect.child import ChildReply, run_child
from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.model import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# They describe a job, not the machine, or make the driver's libraries behave otherwise.
HIDDEN_VARIABLES: Final = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_INJECTION64_PATH",
    "NVML_MPS_DEVICE_ENUMERATION",
)
PATH_VARIABLES: Final = ("LD_LIBRARY_PATH", "PATH")
WORKER_END: Final = "\tend"
_WORKER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")


class Host(Protocol):
    """What detection may ask of a machine."""

    @property
    def platform(self) -> Platform: ...  # noqa: D102 - the type says it
    @property
    def environ(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def files(self) -> FileView: ...  # noqa: D102

    def windows_pci_ids(self) -> tuple[int, ...]:
        """Return the device ids of vendor 10de that Windows has enumerated."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    def ask_library(self, api: str, path: str, seconds: float) -> ChildReply:
        """Load a library in a child process and report what its API ("nvml", "cuda") says."""
        ...

    def run_program(self, arguments: Sequence[str], seconds: float) -> ChildReply:
        """Run a program of the machine and return its standard output."""
        ...


class FileView(Protocol):
    """The files of a machine; see ``Files`` for what each member does."""

    @property
    def is_real(self) -> bool: ...  # noqa: D102
    def read_bytes(self, path: str, limit: int = ...) -> bytes: ...  # noqa: D102
    def read_text(self, path: str, limit: int = ...) -> str: ...  # noqa: D102
    def list_names(self, path: str) -> tuple[str, ...]: ...  # noqa: D102
    def read_link(self, path: str) -> str: ...  # noqa: D102
    def exists(self, path: str) -> bool: ...  # noqa: D102
    def size(self, path: str) -> int: ...  # noqa: D102
    def locate(self, path: str) -> str: ...  # noqa: D102


class RealHost:
    """This machine, or the folder ``root`` of it as if that were a machine of its own."""

    def __init__(self, environ: Mapping[str, str] | None = None, root: str = "/") -> None:
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.files: FileView = Files(root)
        self.platform = read_platform()

    def windows_pci_ids(self) -> tuple[int, ...]:
        """Return the device ids of vendor 10de in the registry; empty off Windows."""
        return gate.windows_pci_ids()

    def monotonic(self) -> float:
        """Return ``time.monotonic()``."""
        return time.monotonic()

    def ask_library(self, api: str, path: str, seconds: float) -> ChildReply:
        """Run ``worker.py`` in an isolated interpreter; answers carry a token it cannot guess."""
        worker = worker_command()
        if not worker:
            return ChildReply("", "not started: this program is not a Python interpreter")
        token = os.urandom(8).hex()
        located = self.files.locate(path) if os.path.isabs(path) else path
        command = [*worker, api, token, located]
        reply = run_child(command, child_environment(self.environ), seconds, token + WORKER_END)
        lines = [line for line in reply.text.splitlines() if line.startswith(token + "\t")]
        text = "\n".join(line[len(token) + 1 :] for line in lines)
        return ChildReply(text, reply.end, reply.seconds)

    def run_program(self, arguments: Sequence[str], seconds: float) -> ChildReply:
        """Run a program found under the root, guarded by ``worker.py`` where there can be one."""
        worker = worker_command()
        guard = [*worker, "program", ""] if worker else []
        command = [*guard, self.files.locate(arguments[0]), *arguments[1:]]
        return run_child(command, child_environment(self.environ), seconds)


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a probe: no job settings, no relative folders, no cache writes."""
    kept = {name: text for name, text in environ.items() if name not in HIDDEN_VARIABLES}
    for name in PATH_VARIABLES:
        text = kept.pop(name, "")
        # The loader of glibc takes a semicolon for a colon.
        text = text.replace(";", os.pathsep) if name == "LD_LIBRARY_PATH" else text
        # An empty list would mean the current folder to some, so that it is left out.
        if folders := absolute_folders(text):
            kept[name] = os.pathsep.join(folders)
    kept["CUDA_CACHE_DISABLE"] = "1"
    kept["LC_ALL"] = "C"
    return kept


def absolute_folders(search_path: str) -> list[str]:
    """Return the absolute entries of a search path; an empty entry means the current folder."""
    return [entry for entry in search_path.split(os.pathsep) if os.path.isabs(entry)]


def worker_command() -> list[str]:
    """Return how ``worker.py`` is started: isolated, without site packages, writing no bytecode."""
    interpreter = find_interpreter()
    return [interpreter, "-I", "-S", "-B", *_worker_program()] if interpreter else []


def _worker_program() -> list[str]:
    """Return the arguments that run ``worker.py``: its path or, out of an archive, its source."""
    if os.path.isfile(_WORKER):
        return [_WORKER]
    import pkgutil

    source = pkgutil.get_data(__name__, os.path.basename(_WORKER))
    return ["-c", source.decode()] if source else [_WORKER]


def find_interpreter() -> str:
    """Return a Python interpreter to start children with, empty in a program that embeds Python.

    A frozen or embedding program is not started again: ``sys.executable`` is then that program.
    """
    if getattr(sys, "frozen", False):
        return ""
    # In a virtual environment on Windows, sys.executable is a launcher whose child outlives it.
    candidate = getattr(sys, "_base_executable", "") if sys.platform == "win32" else ""
    path = candidate or sys.executable or ""
    name = os.path.basename(path).lower()
    return path if os.path.isabs(path) and name.startswith(("python", "pypy")) else ""


def read_platform() -> Platform:
    """Return the platform of this interpreter."""
    if sys.platform == "win32":
        architecture = os.environ.get("PROCESSOR_ARCHITECTURE", "").lower()
        return Platform(sys.platform, {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture, ""))
    architecture = os.uname().machine
    if sys.maxsize < 2**32:
        architecture = {"x86_64": "i686", "aarch64": "armv7l"}.get(architecture, architecture)
    return Platform(sys.platform, architecture, _read_libc() if sys.platform == "linux" else "")


def _read_libc() -> str:
    try:
        known = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        known = None
    return "glibc" if known else "musl"
