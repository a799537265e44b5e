"""Ask the plugin as an installer does: through variantlib's own loader, in a child process."""

from __future__ import annotations

import ctypes
import os
import pickle
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.native.build import SOURCE
from tests.native.witness import TESTIMONY, WitnessPlugin

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.model import Machine

REPOSITORY: Final = SOURCE.parents[2]
# What a busy machine may need beside the provider's own deadline, to start interpreters and be
# scheduled at all; benchmarks/detection.py has the ratio on a quiet one.
# .ci/aarch64.py says how much slower than a processor its emulator is.
SLOWNESS: Final = float(os.environ.get("NATIVE_TESTS_SLOWNESS", "1"))
BUSY_SECONDS: Final = 1.5 * SLOWNESS
# An emulated interpreter takes seconds to start, so that there most tests ask without variantlib.
IN_PROCESS: Final = os.environ.get("NATIVE_TESTS_ASK", "") == "in-process"
_WITNESS: Final = "tests.native.witness:WitnessPlugin"
_PR_SET_CHILD_SUBREAPER: Final = 36


@dataclass(frozen=True, slots=True)
class Asked:
    """What the installer got, what detection found, and how long the plugin took."""

    values: dict[str, list[str]]
    detection: Detection
    seconds: float

    @property
    def machine(self) -> Machine:
        """The machine detection found."""
        return self.detection.machine

    def details(self, probe: str) -> list[str]:
        """Return what the trail says of one probe, for example ``nvml``."""
        return [step.detail for step in self.detection.trail if step.probe == probe]


def ask(patch: pytest.MonkeyPatch, scratch: Path, **variables: str) -> Asked:
    """Ask through variantlib; ``variables`` are ours without their prefix, such as ``ROOT``."""
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    testimony = scratch / "testimony"
    with patch.context() as inner:
        inner.setenv("HOME", str(home))
        inner.setenv("PYTHONPATH", str(REPOSITORY))
        inner.setenv(TESTIMONY, str(testimony))
        inner.delenv("LD_LIBRARY_PATH", raising=False)
        for name, text in variables.items():
            inner.setenv(f"NV_VARIANT_PROVIDER_{name}", text)
        values = _values_in_process() if IN_PROCESS else _values_through_variantlib()
    answers, seconds = pickle.loads(testimony.read_bytes())  # noqa: S301 - written by our own witness
    assert len(answers) == 1
    return Asked(values, answers[0].detection, seconds)


def _values_through_variantlib() -> dict[str, list[str]]:
    from variantlib.plugins.loader import VARIANT_PROVIDER_CACHE_TABLE, DictPluginLoader

    VARIANT_PROVIDER_CACHE_TABLE.clear()
    with DictPluginLoader({"nvidia": _WITNESS}) as loader:
        configs = loader.get_supported_configs()
    return {it.name: it.values for it in configs["nvidia"].configs} if configs else {}


def _values_in_process() -> dict[str, list[str]]:
    from nvidia_variant_provider import plugin

    # A process asks a machine once; here each test is another machine.
    plugin._memory = plugin._Memory(os.getpid())  # noqa: SLF001
    return {it.name: it.values for it in WitnessPlugin.get_supported_configs()}


@dataclass(slots=True)
class Surroundings:
    """What a probe might leave behind: processes, files, device nodes."""

    folders: tuple[Path, ...]
    processes: set[int] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)

    def remember(self) -> None:
        """Take note of everything there is; orphans of children become ours from now on."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.processes = _children()
        self.files = self._list_files()
        self.devices = set(os.listdir("/dev"))

    def new_processes(self) -> set[int]:
        """Return the processes that have come and stay; those about to end get a moment."""
        limit = time.monotonic() + 1
        while (left := _children() - self.processes) and time.monotonic() < limit:
            for pid in left:
                _reap(pid)
            time.sleep(0.005)
        return left

    def new_files(self) -> set[str]:
        """Return the files and device nodes that have come."""
        return (self._list_files() - self.files) | (set(os.listdir("/dev")) - self.devices)

    def _list_files(self) -> set[str]:
        return {
            os.path.join(parent, name)
            for folder in self.folders
            for parent, _, names in os.walk(folder)
            for name in names
        }


def _children() -> set[int]:
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
            found.update(map(int, file.read().split()))
    return found


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
