"""What the plugin and all its children ask of the kernel: no socket, no write, named programs."""

from __future__ import annotations

import json
import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.detect import smi, worker
from nvidia_variant_provider.detect.libraries import SONAMES, TEGRA_FILE
from tests.native.build import R580
from tests.native.machines import ForgedMachine, gpu_lines
from tests.security import page
from tests.security.traced import Traced, run_traced

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.native.build import StandIns

ASK: Final = """
import json
from nvidia_variant_provider.plugin import NvidiaVariantPlugin
print(json.dumps([config.values[0] for config in NvidiaVariantPlugin.get_supported_configs()]))
"""
DETECT: Final = ("-m", "nvidia_variant_provider", "detect", "--json")
CODE: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); import worker; worker.main(*sys.argv[1:])"
)
FOLDER: Final = str(Path(worker.__file__).parent)
WORKER: Final = [sys.executable, "-I", "-S", "-B", "-c", CODE, FOLDER]
SOUND: Final = R580 + gpu_lines()
ROW: Final = "580.65.06, 9.0, 0x233010DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100"


def plain(machine: ForgedMachine) -> None:
    """Leave the machine as it is: without NVIDIA."""
    machine.write("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n")


def sound(machine: ForgedMachine) -> None:
    machine.add_driver()
    machine.add_pci_gpu()
    machine.install("nvml", SOUND)
    machine.install("cuda", SOUND)


def crashing(machine: ForgedMachine) -> None:
    sound(machine)
    for api in SONAMES:
        machine.install(api, f"{SOUND}at init fork-setsid\nat init segfault\n")


def only_smi(machine: ForgedMachine) -> None:
    machine.add_driver()
    machine.add_pci_gpu()
    # Without a child of its own: the programs that are started are all ours.
    text = f"#!/bin/sh\nif [ $# -gt 0 ]; then echo '{ROW}'; else echo 'CUDA Version: 13.0'; fi\n"
    machine.write(smi.FOLDERS[0] + "/nvidia-smi", text).chmod(0o755)


def jetson(machine: ForgedMachine) -> None:
    for node in ("nvmap", "nvhost-gpu"):
        machine.write(f"/dev/{node}", "")
    machine.write("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.3\n")
    machine.write("/proc/device-tree/model", "NVIDIA Jetson AGX Orin\0")
    machine.write("/proc/device-tree/compatible", "nvidia,p3737\0nvidia,tegra234\0")
    machine.install("cuda", "cuda 12060\n" + gpu_lines(capability="8.7"))


MACHINES: Final = {
    "plain": (plain, []),
    "sound": (sound, ["13.0", "15.20", "90a_real"]),
    "crashing": (crashing, ["13.0", "15.20", "90a_real"]),
    "only-smi": (only_smi, ["13.0", "15.20", "90a_real"]),
    "jetson": (jetson, ["12.6", "15.20", "87_real"]),
}


@pytest.fixture(scope="module", params=list(MACHINES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def machine(
    kind: str, tmp_path_factory: pytest.TempPathFactory, stand_ins: StandIns
) -> ForgedMachine:
    forged = ForgedMachine(tmp_path_factory.mktemp(kind) / "root", stand_ins)
    make: Callable[[ForgedMachine], None] = MACHINES[kind][0]
    forged.root.mkdir()
    make(forged)
    return forged


@pytest.fixture(scope="module")
def traced(kind: str, machine: ForgedMachine, tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Return what an installer's process did, with everything below it."""
    scratch = tmp_path_factory.mktemp(f"traced-{kind}")
    found = run_traced(
        scratch,
        ["-c", ASK],
        NV_VARIANT_PROVIDER_ROOT=str(machine.root),
        NV_VARIANT_PROVIDER_TIMEOUT="60",
    )
    # Otherwise the rest would show what a detection does that fails.
    assert json.loads(found.output) == MACHINES[kind][1]
    return found


def test_no_process_opens_a_socket(traced: Traced) -> None:
    assert traced.connections == []


def test_no_process_writes_a_file(traced: Traced) -> None:
    assert traced.changes == []


def test_no_program_but_the_documented_ones_is_started(
    traced: Traced, kind: str, machine: ForgedMachine
) -> None:
    # What follows the API is the token, another one each time.
    at = len(WORKER) + 1
    started = [
        [*words[:at], *words[at + 1 :]] if words[: at - 1] == WORKER else words
        for words in traced.started
    ]

    libraries = {
        api: str(machine.root / "usr/lib" / _triple() / name) for api, name in SONAMES.items()
    }
    program = str(machine.root / "usr/bin/nvidia-smi")
    query = [f"--query-gpu={smi.QUERY}", "--format=csv,noheader"]
    nvml, cuda = ([*WORKER, api, path] for api, path in libraries.items())
    expected = {
        "plain": [],
        "sound": [nvml],
        "crashing": [nvml, cuda],
        "jetson": [cuda],
        "only-smi": [
            [*WORKER, "program", program, *query],
            [program, *query],
            [*WORKER, "program", program],
            [program],
        ],
    }
    assert started == expected[kind]


def test_no_file_is_opened_that_the_page_does_not_list(
    traced: Traced, machine: ForgedMachine
) -> None:
    listed = page.paths_that_are_read()
    opened = {path for path in traced.opened(machine.root) if not _is_program_of_driver(path)}

    assert {it for it in opened if not any(fnmatchcase(it, path) for path in listed)} == set()


def test_the_command_for_people_opens_no_socket_and_writes_nothing(
    tmp_path: Path, stand_ins: StandIns
) -> None:
    machine = ForgedMachine(tmp_path / "root", stand_ins)
    sound(machine)
    settings = {"NV_VARIANT_PROVIDER_ROOT": str(machine.root), "HOME": str(tmp_path)}

    traced = run_traced(tmp_path, DETECT, NV_VARIANT_PROVIDER_TIMEOUT="60", **settings)

    assert json.loads(traced.output)["status"] == "ok"
    assert traced.connections == []
    assert traced.changes == []


def _triple() -> str:
    return f"{os.uname().machine}-linux-gnu"


def _is_program_of_driver(path: str) -> bool:
    """Tell whether a path is a file of the driver; where those may lie has a list of its own."""
    name = path.rpartition("/")[2].removesuffix(".conf")
    return name in {*SONAMES.values(), TEGRA_FILE, "nvidia-smi"}
