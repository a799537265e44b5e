"""What the plugin may do inside an installer: load little, say nothing, start what is written."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.detect import worker
from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.gate import has_sign
from nvidia_variant_provider.detect.host import RealHost
from tests.contract.watched import Watched, run_watched
from tests.native.build import R580, SONAMES
from tests.native.machines import ForgedMachine, gpu_lines

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.child import ChildReply
    from tests.native.build import StandIns

ASK: Final = """
from nvidia_variant_provider.plugin import NvidiaVariantPlugin
value = [config.name for config in NvidiaVariantPlugin.get_supported_configs()]
"""
LIST: Final = """
from nvidia_variant_provider.plugin import NvidiaVariantPlugin
value = [config.name for config in NvidiaVariantPlugin.get_all_configs()]
"""
FEATURES: Final = ["cuda_version_lower_bound", "cuda_version_upper_bound", "sm_arch"]
# Isolated, and the worker's folder comes last on the path of its modules.
START: Final = [sys.executable, "-I", "-S", "-B", "-c"]
IMPORT: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); import worker; worker.main(*sys.argv[1:])"
)
FOLDER: Final = str(Path(worker.__file__).parent)

without_nvidia = pytest.mark.skipif(
    has_sign(Files(), sys.platform), reason="this machine has a sign of NVIDIA hardware"
)


@pytest.fixture
def machine(tmp_path: Path, stand_ins: StandIns) -> ForgedMachine:
    """Return a machine with an H100 and its driver, without libraries."""
    forged = ForgedMachine(tmp_path / "root", stand_ins)
    forged.add_driver()
    forged.add_pci_gpu()
    return forged


def programs(watched: Watched) -> list[list[str]]:
    """Return what the worker was told each time it was started: the API, a token, a path ..."""
    started = [arguments for event, arguments in watched.deeds if event == "os.posix_spawn"]
    commands = []
    for executable, command, _ in started:
        *start, lines, folder = ast.literal_eval(command)[: len(START) + 2]
        assert (executable, start, lines, folder) == (sys.executable, START, IMPORT, FOLDER)
        commands.append(ast.literal_eval(command)[len(START) + 2 :])
    return commands


@without_nvidia
def test_without_nvidia_next_to_nothing_is_loaded() -> None:
    watched = run_watched(ASK)

    assert watched.value == []
    assert watched.modules == {
        "__future__",
        "errno",
        "nvidia_variant_provider",
        "nvidia_variant_provider.detect",
        "nvidia_variant_provider.detect.files",
        "nvidia_variant_provider.detect.gate",
        "nvidia_variant_provider.plugin",
    }


@without_nvidia
def test_without_nvidia_nothing_is_started_written_or_said() -> None:
    watched = run_watched(ASK)

    assert watched.deeds == []
    assert watched.output == b""


def test_the_catalogue_asks_no_machine() -> None:
    watched = run_watched(LIST)

    assert watched.value == FEATURES
    assert watched.deeds == []
    assert watched.output == b""
    detection = "nvidia_variant_provider.detect"
    assert {it for it in watched.modules if it.startswith(detection)} == set()
    assert not watched.modules & {"ctypes", "subprocess", "socket", "threading"}


def test_forced_facts_start_nothing() -> None:
    watched = run_watched(
        ASK,
        NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION="13.0",
        NV_VARIANT_PROVIDER_FORCE_SM_ARCH="9.0",
    )

    assert watched.value == FEATURES
    assert watched.deeds == []
    assert watched.output == b""


def test_one_library_that_answers_is_one_child(machine: ForgedMachine) -> None:
    path = machine.install("nvml", R580 + gpu_lines())

    watched = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == FEATURES
    assert [(api, where) for api, _, where in programs(watched)] == [("nvml", str(path))]
    assert {event for event, _ in watched.deeds} == {"os.posix_spawn", "os.killpg"}
    assert watched.output == b""


def test_with_a_gpu_nothing_is_loaded_that_only_a_person_asks_for(machine: ForgedMachine) -> None:
    machine.install("nvml", R580 + gpu_lines())

    watched = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    package = "nvidia_variant_provider."
    ours = {name.removeprefix(package) for name in watched.modules if name.startswith(package)}
    assert ours == {
        *("errors", "model", "overrides", "plugin", "provider", "value_types"),
        *("rules", "rules.bounds", "rules.catalogue", "rules.device_code", "rules.gpus"),
        *("rules.verdict", "rules.version1", "tables", "tables.driver_branches"),
        *("tables.memory", "tables.pci", "tables.pci_ids", "tables.sm_archs"),
        *("tables.status_codes", "detect", "detect.answer", "detect.cascade", "detect.causes"),
        *("detect.child", "detect.diagnose", "detect.diagnosis", "detect.files", "detect.gate"),
        *("detect.host", "detect.kernel", "detect.libraries", "detect.observations"),
        *("detect.outcome", "detect.reconcile", "detect.spawn"),
    }


def test_libraries_are_loaded_in_children_only(machine: ForgedMachine) -> None:
    for api in ("nvml", "cuda"):
        machine.install(api, f"{R580}{gpu_lines()}at init segfault\nat load print stdout 9\n")

    watched = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == FEATURES
    assert [api for api, *_ in programs(watched)] == ["nvml", "cuda"]
    assert not watched.modules & {"ctypes", "subprocess", "threading", "socket"}
    assert watched.output == b""


def test_a_process_probes_once(machine: ForgedMachine) -> None:
    machine.install("nvml", R580 + gpu_lines())
    again = ASK + "".join(ASK.partition("\n")[2].splitlines(keepends=True)[1:]) * 3

    watched = run_watched(again, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == FEATURES
    assert len(programs(watched)) == 1


def test_threads_that_ask_at_once_share_one_probe(machine: ForgedMachine) -> None:
    machine.install("nvml", f"{R580}{gpu_lines()}at init pause 100\n")
    lines = """
import threading
from nvidia_variant_provider.plugin import NvidiaVariantPlugin
value = []
def ask():
    value.append([config.name for config in NvidiaVariantPlugin.get_supported_configs()])
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

    watched = run_watched(lines, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == [FEATURES] * 8
    assert len(programs(watched)) == 1


def test_nvidia_smi_is_the_last_resort_and_guarded(machine: ForgedMachine) -> None:
    row = "580.65.06, 9.0, 0x233010DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100"
    program = machine.write("/usr/bin/nvidia-smi", f"#!/bin/sh\necho '{row}'\n")
    program.chmod(0o755)

    watched = run_watched(ASK, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == FEATURES
    assert [(command[0], command[2]) for command in programs(watched)] == [
        ("program", str(program))
    ] * 2


def test_a_child_works_in_the_root_and_inherits_nothing() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003 - it takes no keyword

    folder = RealHost().run_program(["/bin/pwd"], 10)
    opened = RealHost().run_program(["/bin/ls", "/proc/self/fd"], 10)
    os.close(reading)
    os.close(writing)

    assert (folder.text, str(folder.end)) == ("/\n", "exit 0")
    # The fourth is the folder that is listed.
    assert opened.text.split() == ["0", "1", "2", "3"]


PLANTS: Final = ("ctypes", "select", "resource", "_ctypes", "struct", "time", "os", "sitecustomize")


@pytest.fixture
def trap(tmp_path: Path, stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder with everything that could be picked up by mistake; return what it marks."""
    folder, sprung = tmp_path / "trap", tmp_path / "sprung"
    mark = f"open({str(sprung)!r}, 'a').write(__file__)\n"
    folder.mkdir()
    for name in PLANTS:
        (folder / f"{name}.py").write_text(mark, encoding="utf-8")
    for api in SONAMES:
        conf = f"log {sprung}\ncuda 15000\ndriver 999.99\n{gpu_lines(capability='12.1')}"
        stand_ins.install(folder, api, conf, folder=".")
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho ran >> {sprung}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(folder)
    return sprung


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LD_LIBRARY_PATH": ".:trap::../trap"},
        {"LD_LIBRARY_PATH": "/nowhere;."},
        {"PATH": ".::trap"},
        {"PYTHONSTARTUP": "sitecustomize.py"},
    ],
    ids=["current folder", "relative search path", "semicolon", "relative PATH", "start-up file"],
)
def test_nothing_in_the_current_folder_is_loaded_or_run(
    machine: ForgedMachine, trap: Path, variables: dict[str, str]
) -> None:
    # "-c" puts the current folder first; installers start the plugin from a script of theirs.
    lines = f"sys.path.remove('')\n{ASK}"

    watched = run_watched(lines, NV_VARIANT_PROVIDER_ROOT=str(machine.root), **variables)

    assert watched.value == FEATURES
    assert not trap.exists()


@pytest.mark.parametrize("api", SONAMES)
@pytest.mark.parametrize("search_path", [".", "", "..:.:", "/nowhere;.", "trap"])
def test_the_loader_is_given_no_relative_folder(
    trap: Path, api: str, search_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not ask_by_soname(api, search_path, monkeypatch).text.startswith("loaded")
    assert not trap.exists()


@pytest.mark.parametrize("api", SONAMES)
def test_the_loader_is_given_the_absolute_folders(
    trap: Path, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(Path.cwd())

    assert ask_by_soname(api, f".:{here}", monkeypatch).text.startswith("loaded")
    assert trap.exists()


def test_planted_modules_on_the_python_path_do_not_reach_the_children(
    machine: ForgedMachine, trap: Path
) -> None:
    machine.install("nvml", R580 + gpu_lines())
    # The folder is there for children only: this interpreter has loaded those modules already.
    lines = f"os.environ['PYTHONPATH'] = {str(Path.cwd())!r}\nsys.path.remove('')\n{ASK}"

    watched = run_watched(lines, NV_VARIANT_PROVIDER_ROOT=str(machine.root))

    assert watched.value == FEATURES
    assert len(programs(watched)) == 1
    assert not trap.exists()


def ask_by_soname(api: str, search_path: str, patch: pytest.MonkeyPatch) -> ChildReply:
    patch.setenv("LD_LIBRARY_PATH", search_path)
    return RealHost().ask_library(api, SONAMES[api], 10)
