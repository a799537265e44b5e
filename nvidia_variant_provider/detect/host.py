"""The one seam between detection and the machine.

Probes get a ``Host`` and nothing else: files, environment, platform, libraries, child processes
and the clock come from it. Tests and replays hand in another one and patch nothing.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect import gate
from nvidia_variant_provider.detect.child import ChildReply
from nvidia_variant_provider.detect.files import Files, raise_foreign
from nvidia_variant_provider.model import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from nvidia_variant_provider.detect.files import FileView

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
# Imported, and not run as a script, its cached bytecode counts: compiling it costs a third of an
# interpreter start. Its folder comes last, so that it hides nothing of the standard library.
_IMPORT: Final = "import sys; sys.path.append(sys.argv.pop(1)); import worker"
_MAIN: Final = "main(*sys.argv[1:])"


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
            return ChildReply.not_started("this program is not a Python interpreter")
        token = os.urandom(8).hex()
        located = self.files.locate(path) if os.path.isabs(path) else path
        reply = self._run_worker([*worker, api, token, located], seconds, token + WORKER_END)
        lines = [line for line in reply.text.splitlines() if line.startswith(token + "\t")]
        text = "\n".join(line[len(token) + 1 :] for line in lines)
        return ChildReply(text, reply.end, reply.seconds)

    def run_program(self, arguments: Sequence[str], seconds: float) -> ChildReply:
        """Run a program found under the root, guarded by ``worker.py`` where there can be one."""
        command = [self.files.locate(arguments[0]), *arguments[1:]]
        if worker := worker_command():
            return self._run_worker([*worker, "program", "", *command], seconds)
        from nvidia_variant_provider.detect.popen import run_program

        return run_program(command, child_environment(self.environ), seconds)

    def _run_worker(self, command: Sequence[str], seconds: float, stop_at: str = "") -> ChildReply:
        environment = child_environment(self.environ)
        if self.platform.system == "win32":
            from nvidia_variant_provider.detect.popen import run_program

            return run_program(command, environment, seconds, stop_at)
        from nvidia_variant_provider.detect.spawn import run_worker

        return run_worker(command, environment, seconds, stop_at)


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


def worker_command(program: str = _WORKER) -> list[str]:
    """Return how ``worker.py`` is started: isolated, without site packages, writing no bytecode.

    It is imported or, where this package lies in an archive, handed over as source.
    """
    interpreter = find_interpreter()
    if not interpreter:
        return []
    start = [interpreter, "-I", "-S", "-B", "-c"]
    folder, name = os.path.split(program)
    if os.path.isfile(program):
        return [*start, f"{_IMPORT}; worker.{_MAIN}", folder]
    import pkgutil

    source = pkgutil.get_data(__name__, name)
    return [*start, f"{source.decode()}\n{_MAIN}"] if source else []


def find_interpreter(python: object = sys) -> str:
    """Return a Python interpreter to start children with, empty in a program that embeds Python.

    A frozen or embedding program is not started again: ``sys.executable`` is then that program.
    """
    if getattr(python, "frozen", False):
        return ""
    executable = getattr(python, "executable", "")
    if getattr(python, "platform", "") == "win32":
        # In a virtual environment there, it is a launcher whose child outlives it.
        executable = getattr(python, "_base_executable", "") or executable
    name = os.path.basename(executable or "").lower()
    is_python = name.startswith(("python", "pypy"))
    return executable if is_python and os.path.isabs(executable) else ""


def read_platform(system: str = sys.platform, pointer: int = sys.maxsize) -> Platform:
    """Return the platform of this interpreter, whose largest ``Py_ssize_t`` is ``pointer``."""
    if system == "win32":
        architecture = os.environ.get("PROCESSOR_ARCHITECTURE", "").lower()
        return Platform(system, {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture, ""))
    architecture = os.uname().machine
    if pointer < 2**32:
        architecture = {"x86_64": "i686", "aarch64": "armv7l"}.get(architecture, architecture)
    return Platform(system, architecture, read_libc() if system == "linux" else "")


def read_libc(name: str = "CS_GNU_LIBC_VERSION") -> str:
    """Return which C library this interpreter runs on: only glibc knows this name."""
    try:
        known = os.confstr(name)
    except (ValueError, OSError) as error:
        raise_foreign(error)
        known = None
    return "glibc" if known else "musl"


if TYPE_CHECKING:

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
