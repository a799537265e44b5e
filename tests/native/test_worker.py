"""The worker that asks a library, line by line, and the guard that outlives it.

``test_abi.py`` and ``test_faults.py`` see both from the installer's side. Here the worker runs as a
module under the interpreter's ordinary settings (``worker_here.py``).
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, cast

import pytest

from nvidia_variant_provider.detect import worker
from nvidia_variant_provider.detect.spawn import run_worker
from tests.native.asking import REPOSITORY
from tests.native.build import R580
from tests.native.machines import UUIDS, gpu_lines

if TYPE_CHECKING:
    import ctypes
    from pathlib import Path

    from nvidia_variant_provider.detect.child import ChildReply
    from tests.native.machines import ForgedMachine

TOKEN: Final = "token"  # noqa: S105 - it parts our lines from a library's
HERE: Final = (sys.executable, "-m", "tests.native.worker_here")
SOUND: Final = R580 + gpu_lines() + "memory 0 81559\n"


def ask(*arguments: str, seconds: float = 20, start: tuple[str, ...] = HERE) -> ChildReply:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return run_worker([*start, *arguments], environment, seconds)


def said(reply: ChildReply) -> list[list[str]]:
    """Return the words of each line that carries the token."""
    lines = [line.split("\t") for line in reply.text.splitlines()]
    return [words for token, *words in lines if token == TOKEN]


def words_of(machine: ForgedMachine, api: str, conf: str, missing: tuple[str, ...] = ()) -> str:
    """Return what the worker says of a library, a line each, without where it lies."""
    path = machine.install("cuda" if api == "cuda" else "nvml", conf, missing)
    reply = ask(api, TOKEN, str(path))
    assert str(reply.end) == "exit 0"
    first, *others = said(reply)
    assert first == ["loaded", str(path)]
    return "\n".join(" ".join(words) for words in others if words[0] != "file")


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ("init 9\n", "init 9\nend"),
        (
            f"{R580}count_code 999\n",
            "init 0\ndriver 0 580.65.06\ncuda 0 13000\ncount 999 0\nend",
        ),
        (
            f"{SOUND}lost 0 15\n",
            "init 0\ndriver 0 580.65.06\ncuda 0 13000\ncount 0 1\ngpu 0 15\nend",
        ),
        (
            SOUND,
            (
                "init 0\ndriver 0 580.65.06\ncuda 0 13000\ncount 0 1\ngpu 0 0\ncapability 0 0 9 0\n"
                f"name 0 0 NVIDIA H100\nuuid 0 0 {UUIDS[0]}\n"
                "pci 0 0 00000000:01:00.0\nmig 0 0 0\nmemory 0 0 81559\nend"
            ),
        ),
    ],
    ids=["refuses", "does not count", "lost", "sound"],
)
def test_what_nvml_says_is_passed_on(machine: ForgedMachine, conf: str, words: str) -> None:
    assert words_of(machine, "nvml", conf) == words


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ("cuda 13000\ninit 100\n", "cuda 0 13000\ninit 100\nend"),
        ("cuda 13000\ncount_code 999\n", "cuda 0 13000\ninit 0\ncount 999 0\nend"),
        (f"{SOUND}lost 0 46\n", "cuda 0 13000\ninit 0\ncount 0 1\ngpu 0 46\nend"),
        (
            SOUND,
            (
                "cuda 0 13000\ninit 0\ncount 0 1\ngpu 0 0\ncapability 0 0 9 0\nintegrated 0 0 0\n"
                "name 0 0 NVIDIA H100\nuuid 0 0 11111111222233334444555555555555\n"
                "pci 0 0 0000:01:00.0\nmemory 0 0 81559\nend"
            ),
        ),
    ],
    ids=["refuses", "does not count", "lost", "sound"],
)
def test_what_libcuda_says_is_passed_on(machine: ForgedMachine, conf: str, words: str) -> None:
    assert words_of(machine, "cuda", conf).replace("00000000:01", "0000:01") == words


def test_what_nvml_says_of_gpus_that_do_not_compute_is_passed_on(machine: ForgedMachine) -> None:
    lines = "cc 1\nready 0\nfabric 0 2 0\nfabric 1 3 999\nmode 1 2\nrows 0 1 0\n"

    words = words_of(machine, "health", f"{R580}{gpu_lines(3)}lost 2 15\n{lines}")

    assert words == (
        "init 0\ncc 0 1\nready 0 0\n"
        "fabric 0 0 2 0\nmode 0 0 0\nrows 0 0 1 0\n"
        "fabric 1 0 3 999\nmode 1 0 2\nrows 1 0 0 0\nend"
    )


def test_an_nvml_that_knows_nothing_of_health_says_so(machine: ForgedMachine) -> None:
    missing = (
        "nvmlSystemGetConfComputeState",
        "nvmlSystemGetConfComputeGpusReadyState",
        "nvmlDeviceGetGpuFabricInfo",
        "nvmlDeviceGetRemappedRows",
    )

    words = words_of(machine, "health", R580 + gpu_lines(), missing)

    assert words == "init 0\ncc 13 0\nready 13 0\nfabric 0 13 0 0\nmode 0 0 0\nrows 0 13 0 0\nend"


def test_an_nvml_that_does_not_start_or_count_has_no_health_to_tell(machine: ForgedMachine) -> None:
    assert words_of(machine, "health", "init 9\n") == "init 9\nend"
    counting = words_of(machine, "health", f"{SOUND}count_code 999\n")
    assert counting == "init 0\ncc 0 0\nready 3 0\nend"


def test_an_old_nvml_is_asked_by_the_old_name(machine: ForgedMachine) -> None:
    missing = (
        "nvmlSystemGetCudaDriverVersion_v2",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetMemoryInfo",
    )

    words = words_of(machine, "nvml", SOUND, missing)

    assert "\ncuda 0 13000\n" in words
    code = worker.NVML_FUNCTION_NOT_FOUND
    assert words.endswith(f"\nmig 0 {code} 0\nmemory 0 {code} 0\nend")


def test_a_name_cannot_forge_a_line(machine: ForgedMachine) -> None:
    lines = gpu_lines(name=r"H100\x0a\x09\x5c\xff")

    words = words_of(machine, "nvml", R580 + lines)

    assert r"name 0 0 H100\n\t\\\ufffd" in words.splitlines()


def test_of_a_library_that_refuses_the_file_behind_its_soname_is_told(
    machine: ForgedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine.install("cuda", "cuda 13000\ninit 803\n")
    path.rename(path.with_name("libcuda.so.580.65.06"))
    path.symlink_to("libcuda.so.580.65.06")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(path.parent))
    monkeypatch.setenv("STAND_IN", "cuda 13000\ninit 803\n")

    words = said(ask("cuda", TOKEN, "libcuda.so.1"))

    assert words[-2:] == [["file", str(path.resolve())], ["end"]]
    assert words[2] == ["init", "803"]


def test_what_does_not_load_is_said(tmp_path: Path) -> None:
    path = tmp_path / "libnothing.so"
    path.write_bytes(b"")

    reply = ask("nvml", TOKEN, str(path))

    assert str(reply.end) == "exit 0"
    assert [words[0] for words in said(reply)] == ["unloadable"]


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("segfault", "signal 11"),
        ("exit 5", "exit 5"),
        ("close-fds", "exit 1"),
        ("fork-setsid", "exit 0"),
    ],
)
def test_the_guard_passes_on_how_the_library_ended(
    machine: ForgedMachine, fault: str, end: str
) -> None:
    path = machine.install("nvml", f"{SOUND}at cuda {fault}\n")

    reply = ask("nvml", TOKEN, str(path))

    assert str(reply.end) == end
    assert ["driver", "0", "580.65.06"] in said(reply)


def test_a_guard_that_is_told_to_end_ends_the_library(machine: ForgedMachine) -> None:
    path = machine.install("nvml", f"{SOUND}at init sleep 60\n")

    reply = ask("nvml", TOKEN, str(path), seconds=3)

    assert str(reply.end) == "timeout"
    assert reply.seconds < 10


def test_a_program_has_the_channel_for_its_output() -> None:
    reply = ask("program", "", "/bin/sh", "-c", "echo out; echo err >&2; exit 6")

    assert (reply.text, str(reply.end)) == ("out\n", "exit 6")


def test_a_program_that_cannot_start_says_why() -> None:
    reply = ask("program", "", "/nowhere/no-such-program")

    assert "No such file" in reply.text
    assert str(reply.end) == f"exit {worker.CANNOT_START}"


@pytest.mark.parametrize("limits", ["ulimit -n 256", "ulimit -Hc 0", "ulimit -c unlimited"])
def test_limits_are_never_raised(limits: str) -> None:
    shown = "ulimit -n; ulimit -Hc"
    start = ("/bin/sh", "-c", f'{limits} 2>/dev/null; exec {" ".join(HERE)} "$@"', "sh")

    reply = ask("program", "", "/bin/sh", "-c", shown, start=start)

    files, core = reply.text.split()
    assert int(files) <= (256 if "-n" in limits else worker.MAX_DESCRIPTORS)
    # In blocks of 512 bytes: one byte, which is no core, counts as none.
    assert core == "0"


def test_without_a_guard_the_library_is_asked_all_the_same(machine: ForgedMachine) -> None:
    path = machine.install("nvml", SOUND)
    lines = "import sys\nfrom nvidia_variant_provider.detect.worker import ask_alone\n"

    reply = ask("nvml", TOKEN, str(path), start=as_python(f"{lines}ask_alone(*sys.argv[1:])"))

    assert said(reply)[-1] == ["end"]
    assert str(reply.end) == "exit 0"


def as_python(lines: str) -> tuple[str, ...]:
    return sys.executable, "-c", lines


GUARD: Final = """
import os, time
from nvidia_variant_provider.detect.worker import Guard
guard = Guard()
if guard.is_guarded:
    time.sleep(60)
"""


def run_guard(lines: str, *arguments: str) -> str:
    """Run a guard of a sleeping process, then lines, and return how the guard ended."""
    return str(ask(*arguments, start=as_python(GUARD + lines)).end)


def test_a_guard_ends_what_holds_too_much_memory() -> None:
    assert run_guard("code = guard.watch(limit=1)\nguard.end_all()\nos._exit(code)") == "signal 9"


def test_a_guard_of_an_old_kernel_looks_more_often() -> None:
    lines = "del os.pidfd_open\ncode = guard.watch(limit=1)\nguard.end_all()\nos._exit(code)"

    assert run_guard(lines) == "signal 9"


def test_where_the_kernel_lists_no_children_the_guarded_process_is_ended() -> None:
    assert run_guard("guard.end_all('/nowhere')\nos._exit(7)") == "exit 7"


def test_a_guard_gives_up_on_what_cannot_be_ended(tmp_path: Path) -> None:
    # A kernel that lists no child at all, though one is there.
    lines = f"""
os.makedirs(f"{tmp_path}/{{os.getpid()}}")
open(f"{tmp_path}/{{os.getpid()}}/children", "w").close()
started = time.monotonic()
guard.end_all({str(tmp_path)!r})
alive = os.waitpid(guard.pid, os.WNOHANG) == (0, 0)
os.kill(guard.pid, 9)
os._exit(8 if alive and time.monotonic() - started < 5 else 1)
"""

    assert run_guard(lines) == "exit 8"


def test_killing_what_is_gone_is_no_error() -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()

    worker.kill(gone.pid)


def test_a_process_is_killed() -> None:
    process = subprocess.Popen(["/bin/sleep", "60"])

    worker.kill(process.pid)

    assert process.wait() == -signal.SIGKILL


def test_too_many_processes_are_hoarding_whatever_they_hold() -> None:
    lines = """
import os, signal, sys
from nvidia_variant_provider.detect import worker
pids = []
for _ in range(int(sys.argv[1])):
    pids.append(os.fork())
    if not pids[-1]:
        signal.pause()
print(worker.hoards(os.getpid(), 1 << 50), len(worker.descendants(os.getpid())))
for pid in pids:
    os.kill(pid, signal.SIGKILL)
"""

    few = ask(str(worker.MAX_PROCESSES - 1), start=as_python(lines)).text
    many = ask(str(worker.MAX_PROCESSES + 1), start=as_python(lines)).text

    assert few.split() == ["False", str(worker.MAX_PROCESSES - 1)]
    assert many.split() == ["True", str(worker.MAX_PROCESSES + 1)]


def test_of_the_dead_no_child_and_no_memory_is_known() -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()

    assert worker.children_of(gone.pid) == []
    assert worker.own_bytes(gone.pid) == 0
    assert 1 << 20 < worker.own_bytes(os.getpid()) <= worker.resident_bytes(os.getpid())


def test_a_loader_that_does_not_tell_files_leaves_the_name_open() -> None:
    library = worker.Library("libc.so.6", 0)

    assert os.path.basename(library.file()).startswith("libc")
    assert library.file(cast("ctypes.CDLL", object())) == ""


def test_memory_is_measured_and_that_of_the_dead_is_none() -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()

    assert worker.resident_bytes(os.getpid()) > 1 << 20
    assert worker.resident_bytes(gone.pid) == 0


def test_descriptors_are_closed_without_their_list_too() -> None:
    reading, writing = os.pipe()
    lines = f"""
import os
from nvidia_variant_provider.detect.worker import detach_from_caller
detach_from_caller("/nowhere")
print(os.getcwd(), os.path.exists("/proc/self/fd/{writing}"))
"""
    started = time.monotonic()
    done = subprocess.run(
        as_python(lines),
        cwd=REPOSITORY,
        pass_fds=[writing],
        capture_output=True,
        text=True,
        check=True,
    )
    os.close(reading)
    os.close(writing)

    assert done.stdout == "/ False\n"
    assert time.monotonic() - started < 20


def test_a_node_is_opened_and_closed_to_see_why_that_fails(tmp_path: Path) -> None:
    opened = said(ask("open", TOKEN, "/dev/null"))
    refused = said(ask("open", TOKEN, str(tmp_path)))

    assert opened == [["errno", "0"], ["node", "0o666", "0"], ["end"]]
    assert [words[0] for words in refused] == ["errno", "node", "end"]
    assert refused[0] == ["errno", str(errno.EISDIR)]
