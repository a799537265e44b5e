"""How much may be read, kept and tried, whatever lies there."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.detect.libraries import KNOWN_FOLDERS
from tests.contract.watched import run_watched
from tests.native.asking import REPOSITORY
from tests.native.build import R580
from tests.native.machines import ForgedMachine
from tests.security.test_system_calls import ASK, sound

if TYPE_CHECKING:
    from pathlib import Path

    from tests.native.build import StandIns

HUGE: Final = 8 << 30
# What an interpreter with the plugin maps is a tenth of this.
MEMORY: Final = 1 << 29
NARROW: Final = f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))\n"


def ask_in_little_memory(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", NARROW + ASK],
        env={"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def machine(tmp_path: Path, stand_ins: StandIns) -> ForgedMachine:
    return ForgedMachine(tmp_path / "root", stand_ins)


def make_huge(path: Path) -> None:
    """Make a file that is long and takes no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(HUGE)


@pytest.mark.parametrize(
    "path",
    [
        "sys/module/nvidia/version",
        "proc/driver/nvidia/version",
        "sys/bus/pci/devices/0000:01:00.0/vendor",
        "usr/lib64/libcuda.so.1",
    ],
)
def test_huge_files_do_not_fill_the_memory(machine: ForgedMachine, path: str) -> None:
    sound(machine)
    make_huge(machine.root / path)

    done = ask_in_little_memory(NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == ["13.0", "15.20", "90a_real"]


def test_a_huge_machine_file_is_an_error_and_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    make_huge(path)

    done = ask_in_little_memory(NV_VARIANT_PROVIDER_MACHINE=str(path))

    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "OverrideError: NV_VARIANT_PROVIDER_MACHINE" in last
    assert len(last) < 1000


def test_at_most_five_libraries_of_a_kind_are_asked(machine: ForgedMachine) -> None:
    machine.add_driver()
    machine.add_pci_gpu()
    folders = [it.lstrip("/") for it in KNOWN_FOLDERS if "{" not in it and "*" not in it][:8]
    for folder in folders:
        # 12: the library was not found, so another copy may do better. 803: it is rejected.
        machine.stand_ins.install(machine.root, "nvml", "init 12\n", folder=folder)
        machine.stand_ins.install(machine.root, "cuda", f"{R580}init 803\n", folder=folder)

    watched = run_watched(ASK + "value = None\n", NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    spawned = [deed for deed in watched.deeds if deed[0] == "os.posix_spawn"]
    started = [words for event, (_, words, *_) in spawned]
    asked = ["nvml" if "'nvml'" in words else "cuda" for words in started]
    assert len(folders) == 8
    assert (asked.count("nvml"), asked.count("cuda")) == (5, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the limits")
def test_no_core_is_written_or_collected() -> None:
    """A limit of 1 keeps a core from a file and from a program; 0 would only do the first."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    lines = """
import resource
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from nvidia_variant_provider.detect.host import RealHost
reply = RealHost().run_program(["/bin/cat", "/proc/self/limits"], 20.0)
value = [line.split()[4:6] for line in reply.text.splitlines() if line.startswith("Max core")]
"""
    watched = run_watched(lines)

    wanted = "0" if hard == 0 else "1"
    assert watched.value == [[wanted, wanted]]
