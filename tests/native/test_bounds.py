"""What probes may cost: memory, and other installers at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.detect import worker
from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.gate import has_sign
from tests.native.asking import REPOSITORY
from tests.native.build import R580
from tests.native.machines import gpu_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.native.conftest import Ask
    from tests.native.machines import ForgedMachine

SOUND: Final = R580 + gpu_lines()
# Prints the values, and the most memory that any child of this process held, in kilobytes.
INSTALLER: Final = """
import resource
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin
print([config.name for config in plugin.get_supported_configs()])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
# With so many descriptors free; a thread may give back some after a while.
IN_WANT: Final = """
import os, resource, sys, threading, time
from nvidia_variant_provider.plugin import NvidiaVariantPlugin as plugin
if "gate" in sys.argv: from nvidia_variant_provider.detect import files, gate
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
held = []
try:
    while True: held.append(os.open("/", os.O_RDONLY))
except OSError:
    pass
for _ in range(int(sys.argv[1])): os.close(held.pop())
def give_back():
    time.sleep(0.1)
    for _ in range(8): os.close(held.pop())
if "giving" in sys.argv: threading.Thread(target=give_back).start()
try:
    said = [config.name for config in plugin.get_supported_configs()]
except OSError as error:
    said = f"{type(error).__name__} {error.errno}: {error.strerror}"
for descriptor in held: os.close(descriptor)
print(said)
"""
WANT: Final = (
    "{} 24: the NVIDIA driver could not be asked: {}; raise the limits of this process (ulimit -n "
    "1024, ulimit -u), or name the target: NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION and "
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH"
)
FEATURES: Final = "['cuda_version_lower_bound', 'cuda_version_upper_bound', 'sm_arch']"


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_installer() -> Iterator[Start]:
    """Give a function that starts an installer on a machine; what is left of it is ended here.

    Also where a test fails half way: a pipe that stays open is blamed on whichever test runs when
    the collector finds it.
    """
    with ExitStack() as started:

        def start(machine: ForgedMachine, seconds: str = "20") -> subprocess.Popen[str]:
            settings = {
                "NV_VARIANT_PROVIDER_ROOT": str(machine.root),
                "NV_VARIANT_PROVIDER_TIMEOUT": seconds,
                "PYTHONPATH": str(REPOSITORY),
            }
            installer = subprocess.Popen(
                [sys.executable, "-c", INSTALLER],
                env={**os.environ, **settings},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            # Closes its pipe and waits for it; before that, it is killed.
            started.enter_context(installer)
            started.callback(installer.kill)
            return installer

        yield start


def finish(installer: subprocess.Popen[str]) -> tuple[str, int]:
    said, _ = installer.communicate(timeout=120)
    values, kilobytes = said.splitlines()
    return values, int(kilobytes)


def test_a_probe_holds_little_memory(h100: ForgedMachine, start_installer: Start) -> None:
    h100.install("nvml", SOUND)

    values, kilobytes = finish(start_installer(h100))

    assert values == FEATURES
    assert kilobytes < 32 * 1024


def test_a_probe_that_hoards_is_stopped_soon_after_the_limit(
    h100: ForgedMachine, start_installer: Start
) -> None:
    h100.install("cuda", f"{SOUND}at init hog 20000\n")

    values, kilobytes = finish(start_installer(h100))

    assert values == FEATURES
    assert kilobytes * 1024 < worker.MAX_RESIDENT * 1.5


def test_what_a_probe_forks_counts_as_its_own(
    h100: ForgedMachine, ask_plugin: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    h100.install("cuda", f"log {log}\n{SOUND}at init hog-forked 20000\n")

    asked = ask_plugin(TIMEOUT="20")

    assert asked.details("cuda") == ["CUDA 13.0, signal 9"]
    assert asked.values["sm_arch"][0] == "90a_real"
    assert log.read_text("utf-8").count("megabyte") << 20 < worker.MAX_RESIDENT * 1.6


def test_a_probe_that_breeds_is_stopped(h100: ForgedMachine, ask_plugin: Ask) -> None:
    h100.install("cuda", f"{SOUND}at init breed {2 * worker.MAX_PROCESSES}\n")

    asked = ask_plugin(TIMEOUT="20")

    assert asked.details("cuda") == ["CUDA 13.0, signal 9"]
    assert asked.values["sm_arch"][0] == "90a_real"


def test_memory_that_forked_processes_share_counts_once(
    h100: ForgedMachine, ask_plugin: Ask
) -> None:
    h100.install("cuda", f"{SOUND}at init hold 600\nat init fork\nat count pause 200\n")

    assert ask_plugin(TIMEOUT="20").details("cuda") == ["CUDA 13.0, 1 GPUs"]


def in_want(root: Path | None, *arguments: str) -> str:
    """Return what an installer gets; the first argument says how many descriptors are free."""
    place = {"NV_VARIANT_PROVIDER_ROOT": str(root)} if root else {}
    done = subprocess.run(
        [sys.executable, "-c", IN_WANT, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **place},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("free", range(6))
def test_with_few_descriptors_the_answer_is_right_or_says_what_is_missing(
    machine: ForgedMachine, free: int
) -> None:
    machine.add_driver()
    machine.add_pci_gpu()
    machine.install("nvml", SOUND)

    said = in_want(machine.root, str(free))

    # Files tell all of this machine.
    assert said == (FEATURES if free else WANT.format("OSError", "Too many open files"))


@pytest.mark.parametrize("free", range(6))
def test_where_files_tell_too_little_no_cpu_build_comes_of_few_descriptors(
    machine: ForgedMachine, free: int
) -> None:
    machine.add_driver()
    machine.add_pci_gpu(device=0xFFFF)
    machine.install("nvml", SOUND)

    said = in_want(machine.root, str(free))

    why = "no child process: [Errno 24] Too many open files" if free else "Too many open files"
    # Two pipes are four of them.
    assert said == (FEATURES if free > 3 else WANT.format("WantError" if free else "OSError", why))


def test_descriptors_that_come_back_within_a_moment_are_waited_for(machine: ForgedMachine) -> None:
    machine.add_driver()
    machine.add_pci_gpu(device=0xFFFF)
    machine.install("nvml", SOUND)

    assert in_want(machine.root, "0", "giving") == FEATURES


@pytest.mark.skipif(has_sign(Files(), sys.platform), reason="this machine has NVIDIA hardware")
def test_without_a_driver_nothing_is_missed_for_want_of_descriptors() -> None:
    assert in_want(None, "0", "gate") == "[]"
    # Without a look at the machine there may be one.
    assert in_want(None, "0") == WANT.format("OSError", "Too many open files")


def test_installers_at_the_same_time_get_the_same_answer(
    h100: ForgedMachine, start_installer: Start
) -> None:
    h100.install("nvml", f"{SOUND}at init pause 200\n")

    installers = [start_installer(h100) for _ in range(4)]

    assert [finish(installer)[0] for installer in installers] == [FEATURES] * 4


def test_a_hanging_probe_of_one_installer_does_not_hold_up_another(
    h100: ForgedMachine, ask_plugin: Ask, start_installer: Start
) -> None:
    log = h100.root / "log"
    h100.install("nvml", f"log {log}\n{SOUND}at init sleep 60\n")
    hanging = start_installer(h100, seconds="30")
    wait_for_start(hanging, log)
    h100.install("nvml", SOUND)

    asked = ask_plugin()

    assert asked.machine.gpus[0].source == "NVML"
    assert hanging.poll() is None
    hanging.kill()
    hanging.communicate()


def test_a_killed_installer_takes_its_probes_with_it(
    h100: ForgedMachine, ask_plugin: Ask, start_installer: Start
) -> None:
    log = h100.root / "log"
    h100.install("cuda", f"log {log}\n{SOUND}at init fork-setsid\nat init sleep 60\n")
    installer = start_installer(h100)
    wait_for_start(installer, log)
    installer.kill()
    installer.communicate()
    log.unlink()
    h100.install("cuda", SOUND)

    # The fixture compares the processes before and after; before, there must be none left.
    ask_plugin()

    assert not any_process_has(str(h100.root))


def wait_for_start(installer: subprocess.Popen[str], log: Path) -> None:
    """Wait until the library of an installer's probe has been asked to start."""
    while not (log.exists() and " init" in log.read_text("utf-8")):
        assert installer.poll() is None
        time.sleep(0.01)


def any_process_has(text: str) -> bool:
    """Tell whether a process is left whose command line holds a text, after a moment."""
    for _ in range(200):
        found = [pid for pid in os.listdir("/proc") if pid.isdigit() and text in command_of(pid)]
        if not found:
            return False
        time.sleep(0.01)
    return True


def command_of(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
