"""Everything native code can do wrong, survived: in NVML, in libcuda, and in both.

Each test also asserts what the fixture ``ask_plugin`` does: answered within the deadline and 10 %,
no process left, no file made, and only JSON on standard output, which variantlib parses.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Status
from tests.native.build import R580
from tests.native.machines import gpu_lines

if TYPE_CHECKING:
    from tests.native.asking import Asked
    from tests.native.conftest import Ask
    from tests.native.machines import ForgedMachine

SOUND: Final = R580 + gpu_lines()

# The fault, and what the trail says of the library that has it.
CRASHES: Final = {
    "segfault": "signal 11",
    "abort": "signal 6",
    "exit 3": "exit 3",
    "exit 0": "exit 0",
    "signal 15": "signal 15",
    "signal 9": "signal 9",
    "orphan": "exit 0",
    "close-fds": "exit 1",
    "flood-channel": "too much output",
}
HANGS: Final = ("sleep 60", "spin", "stop", "flood")
HARMLESS: Final = (
    "print stdout 20000",
    "print stderr 20000",
    "signal 13",
    "scribble",
    "fork",
    "fork-setsid",
    "chdir",
)
ENTRIES: Final = ("load", "init", "cuda", "count", "gpu", "capability")


def assert_best_facts(asked: Asked) -> None:
    """Whoever fails, the kernel knows the driver and the GPU's device id."""
    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.capabilities == (ComputeCapability(9, 0),)
    assert asked.values["cuda_version_lower_bound"][0] == "13.0"
    assert asked.values["sm_arch"][0] == "90a_real"


@pytest.mark.parametrize("fault", CRASHES)
def test_where_nvml_ends_libcuda_answers(h100: ForgedMachine, ask_plugin: Ask, fault: str) -> None:
    h100.install("nvml", f"{SOUND}at init {fault}\n")
    h100.install("cuda", SOUND)

    asked = ask_plugin()

    assert_best_facts(asked)
    assert asked.machine.status is Status.OK
    assert asked.machine.gpus[0].source == "libcuda"
    assert asked.details("nvml") == [CRASHES[fault]]


@pytest.mark.parametrize("fault", HANGS)
def test_where_nvml_hangs_libcuda_answers(h100: ForgedMachine, ask_plugin: Ask, fault: str) -> None:
    h100.install("nvml", f"{SOUND}at init {fault}\n")
    h100.install("cuda", SOUND)

    asked = ask_plugin()

    assert_best_facts(asked)
    assert asked.machine.status is Status.OK
    assert asked.machine.gpus[0].source == "libcuda"
    assert asked.details("nvml") == ["timeout"]


@pytest.mark.parametrize("fault", HARMLESS)
@pytest.mark.parametrize("api", ["nvml", "cuda"])
def test_noise_and_forks_change_no_answer(
    h100: ForgedMachine, ask_plugin: Ask, api: str, fault: str
) -> None:
    h100.install(api, f"{SOUND}at init {fault}\n")

    asked = ask_plugin()

    assert_best_facts(asked)
    assert asked.machine.status is Status.OK
    assert asked.machine.gpus[0].uuid.startswith("GPU-1111")


@pytest.mark.parametrize("fault", CRASHES)
@pytest.mark.parametrize("apis", [("cuda",), ("nvml", "cuda")], ids="+".join)
def test_without_a_library_that_lives_the_kernel_speaks(
    h100: ForgedMachine, ask_plugin: Ask, apis: tuple[str, ...], fault: str
) -> None:
    for api in apis:
        h100.install(api, f"{SOUND}at init {fault}\n")

    asked = ask_plugin()

    assert_best_facts(asked)
    assert asked.machine.status is Status.BROKEN
    assert CRASHES[fault] in asked.machine.reason
    assert asked.machine.gpus[0].source == "PCI device id 2330"


@pytest.mark.parametrize("fault", HANGS)
@pytest.mark.parametrize("apis", [("cuda",), ("nvml", "cuda")], ids="+".join)
def test_where_everything_hangs_the_kernel_speaks(
    h100: ForgedMachine, ask_plugin: Ask, apis: tuple[str, ...], fault: str
) -> None:
    for api in apis:
        h100.install(api, f"{SOUND}at init {fault}\n")

    asked = ask_plugin()

    assert_best_facts(asked)
    assert asked.machine.status is Status.TIMEOUT
    assert asked.machine.reason == "the driver did not answer in time"


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("api", ["nvml", "cuda"])
def test_a_crash_at_any_call_costs_no_fact(
    h100: ForgedMachine, ask_plugin: Ask, api: str, entry: str
) -> None:
    h100.install(api, f"{SOUND}at {entry} segfault\n")

    asked = ask_plugin()

    assert_best_facts(asked)
    assert "signal 11" in asked.details(api)[0]


@pytest.mark.parametrize("entry", ["name", "uuid", "pci"])
@pytest.mark.parametrize("api", ["nvml", "cuda"])
def test_what_was_said_before_a_hang_counts(
    h100: ForgedMachine, ask_plugin: Ask, api: str, entry: str
) -> None:
    capability = gpu_lines(capability="10.3")
    h100.install(api, f"{R580}{capability}at {entry} sleep 60\n")

    asked = ask_plugin()

    assert asked.machine.capabilities == (ComputeCapability(10, 3),)
    assert asked.values["sm_arch"][0] == "103a_real"


def test_the_gpus_before_the_one_that_crashes_count(h100: ForgedMachine, ask_plugin: Ask) -> None:
    h100.install("nvml", f"{R580}{gpu_lines(3)}at capability@2 segfault\n")

    asked = ask_plugin()

    assert asked.machine.status is Status.OK
    assert [gpu.capability for gpu in asked.machine.gpus][:2] == [ComputeCapability(9, 0)] * 2


def test_a_library_that_eats_memory_is_ended(h100: ForgedMachine, ask_plugin: Ask) -> None:
    h100.install("cuda", f"{SOUND}at init hog 20000\n")

    asked = ask_plugin(TIMEOUT="20")

    assert_best_facts(asked)
    assert asked.machine.status is Status.BROKEN
    assert "signal 9" in asked.machine.reason
    assert asked.seconds < 19


def test_two_daemons_and_a_crash_leave_nothing(h100: ForgedMachine, ask_plugin: Ask) -> None:
    faults = "at load fork-setsid\nat cuda fork-setsid\nat cuda fork\nat init segfault\n"
    for api in ("nvml", "cuda"):
        h100.install(api, SOUND + faults)

    asked = ask_plugin()

    assert_best_facts(asked)
    assert asked.machine.status is Status.BROKEN


def test_a_host_that_ignores_its_children_leaves_none(h100: ForgedMachine, ask_plugin: Ask) -> None:
    h100.install("nvml", f"{SOUND}at init fork-setsid\nat cuda fork\n")
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        asked = ask_plugin()
    finally:
        signal.signal(signal.SIGCHLD, before)

    assert_best_facts(asked)
    assert asked.machine.status is Status.OK
