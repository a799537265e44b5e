"""Statuses that no report in the corpus shows: what follows from one more thing going wrong."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.detect.cascade import detect
from nvidia_variant_provider.detect.gate import has_sign
from nvidia_variant_provider.detect.replay import ReplayHost
from tests.recorded import State, load_states

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine

BY_NAME = {state.name: state for state in load_states()}
LOADED = "loaded\tx"
NVML = "libnvidia-ml.so.1"
CUDA = "libcuda.so.1"
WSL = "/usr/lib/wsl/lib/"
SYSTEM32 = "C:\\Windows\\System32\\"
DEVICES = SYSTEM32 + "cfgmgr32.dll"
ABSENT = "unloadable\tcannot open shared object file: No such file or directory"


def reply(api: str, path: str, *lines: str, end: str = "exit 0") -> dict[str, Any]:
    """Return what a library says; ``end`` of an ordinary exit is said by itself."""
    closing = ["end"] if end == "exit 0" and lines != (ABSENT,) else []
    return {"api": api, "path": path, "end": end, "seconds": 0.1, "lines": [*lines, *closing]}


@dataclass(frozen=True)
class Case:
    """A state of the corpus with other replies, and what it then is."""

    name: str
    base: str
    replies: list[dict[str, Any]]
    status: str
    reason: str
    notes: set[str] = field(default_factory=set)
    capabilities: list[str] | None = None
    gpus: int | None = None
    cuda: str = ""
    drop: str = ""
    libc: str = ""


_MIXED = BY_NAME["mixed-v100-b200"].observed["libraries"]
_H100 = BY_NAME["headless-no-utils"].observed["libraries"]
_TWO = _H100[0]["lines"][5:-1]

CASES = [
    Case(
        "nvml crashes, libcuda works",
        "headless-no-utils",
        [
            reply("nvml", NVML, LOADED, end="signal 11"),
            reply("cuda", CUDA, LOADED, "cuda\t0\t13020", "init\t0", "count\t0\t1", "gpu\t0\t0"),
        ],
        "ok",
        "driver and GPUs answer",
        {"nvml-failed"},
    ),
    Case(
        "both libraries crash",
        "headless-no-utils",
        [
            reply("nvml", NVML, LOADED, end="signal 11"),
            reply("cuda", CUDA, LOADED, end="signal 6"),
        ],
        "broken",
        "the driver's library: signal 11",
    ),
    Case(
        "libcuda crashes in cuInit",
        "headless-no-utils",
        [
            BY_NAME["headless-no-utils"].observed["libraries"][0],
            reply("cuda", CUDA, LOADED, "cuda\t0\t13020", end="signal 11"),
        ],
        "broken",
        "libcuda: signal 11",
    ),
    Case(
        "cuInit hangs",
        "headless-no-utils",
        [
            BY_NAME["headless-no-utils"].observed["libraries"][0],
            reply("cuda", CUDA, LOADED, "cuda\t0\t13020", end="timeout"),
        ],
        "timeout",
        "CUDA did not start in time",
        {"cuda-too-slow"},
    ),
    Case(
        "no libcuda fits the driver",
        "headless-no-utils",
        [
            BY_NAME["headless-no-utils"].observed["libraries"][0],
            reply("cuda", CUDA, LOADED, "cuda\t0\t13030", "init\t804"),
        ],
        "broken",
        "this driver rejects every libcuda: cuInit 804",
        {"libcuda-rejected"},
    ),
    Case(
        "no libcuda fits, and NVML repeats what the rejected one says",
        "compat-on-new-or-consumer-driver.geforce",
        BY_NAME["compat-on-new-or-consumer-driver.geforce"].observed["libraries"][:2],
        "broken",
        "this driver rejects every libcuda: cuInit 804",
        {"libcuda-rejected"},
        cuda="12.4",
    ),
    Case(
        "no permission for any GPU",
        "headless-no-utils",
        [reply("nvml", NVML, LOADED, "init\t0", "count\t0\t2", "gpu\t0\t4", "gpu\t1\t4")],
        "blocked",
        "NVML 4 (insufficient permissions) for every GPU",
        {"access-blocked"},
    ),
    Case(
        "every GPU is lost",
        "headless-no-utils",
        [reply("nvml", NVML, LOADED, "init\t0", "count\t0\t1", "gpu\t0\t15")],
        "broken",
        "the driver is bound to a GPU that does not answer",
        {"gpu-not-answering"},
    ),
    Case(
        "device nodes without libraries",
        "headless-no-utils",
        [],
        "broken",
        "no driver library loads",
        {"no-driver-library"},
    ),
    Case(
        "a driver without device nodes, NVML refuses",
        "headless-no-utils",
        [reply("nvml", NVML, LOADED, "init\t9")],
        "driver-no-gpu",
        "no GPU device is given to this process (NVML 9",
        {"no-device-nodes"},
        drop="/dev/",
    ),
    Case(
        "a driver without device nodes, only libcuda there",
        "headless-no-utils",
        [reply("cuda", CUDA, LOADED, "cuda\t0\t13020", "init\t100")],
        "driver-no-gpu",
        "no GPU device is given to this process (cuInit 100",
        {"no-device-nodes"},
        drop="/dev/",
    ),
    Case(
        "only libcuda there, and it fails",
        "headless-no-utils",
        [reply("cuda", CUDA, LOADED, "cuda\t0\t13020", "init\t304")],
        "broken",
        "cuInit 304 (operating system error)",
    ),
    Case(
        "WSL hangs",
        "wsl2-stock",
        [reply("nvml", WSL + NVML, end="timeout"), reply("cuda", WSL + CUDA, end="timeout")],
        "timeout",
        "the driver did not answer in time",
        {"driver-silent"},
    ),
    Case(
        "WSL under musl",
        "wsl2-stock",
        [],
        "blocked",
        "the driver of Windows could not be asked",
        {"musl"},
        libc="musl",
    ),
    Case(
        "WSL where processes cannot be started",
        "wsl2-stock",
        [
            reply("nvml", WSL + NVML, end="not started: no"),
            reply("cuda", WSL + CUDA, end="not started: no"),
        ],
        "blocked",
        "the driver of Windows could not be asked",
        {"no-child-process"},
    ),
    Case(
        "WSL whose library crashes while it is loaded",
        "wsl2-stock",
        [reply("nvml", WSL + NVML, end="signal 11"), reply("cuda", WSL + CUDA, end="signal 11")],
        "broken",
        "the driver of Windows does not answer: signal 11",
        {"wsl-driver"},
    ),
    Case(
        "Jetson without a driver library, version files hidden",
        "jetson-group-video.hidden",
        [],
        "broken",
        "the GPU's device nodes are there, and no driver library loads",
        {"no-driver-library"},
    ),
    Case(
        "Jetson under musl, version files hidden",
        "jetson-group-video.hidden",
        [],
        "ok",
        "known from the kernel's files: the driver's libraries could not be asked",
        {"musl"},
        libc="musl",
    ),
    Case(
        "gVisor whose NVML is refused",
        "gvisor-nvproxy",
        [reply("nvml", NVML, LOADED, "init\t4")],
        "blocked",
        "this process may not use the GPUs",
        {"access-blocked"},
    ),
    Case(
        "gVisor without libraries",
        "gvisor-nvproxy",
        [],
        "broken",
        "GPU device nodes are there: no driver library loads",
        {"no-driver-library"},
    ),
    Case(
        "gVisor with a driver number that is none",
        "gvisor-nvproxy",
        [reply("nvml", NVML, LOADED, "init\t0", "driver\t0\tabc", "cuda\t0\t7", "count\t0\t0")],
        "driver-no-gpu",
        "the driver finds no GPU it can use",
    ),
    Case(
        "gVisor without a GPU",
        "gvisor-nvproxy",
        [reply("nvml", NVML, LOADED, "init\t9")],
        "driver-no-gpu",
        "a driver is loaded that hides its release",
        {"no-device-nodes"},
        drop="/dev/",
    ),
    Case(
        "only the control node that root's NVML made",
        "secure-boot-module-rejected.control-node",
        [reply("nvml", NVML, LOADED, "init\t9")],
        "none",
        "no NVIDIA hardware, only traces of its software",
        drop="/sys/",
    ),
    Case(
        "NVML breaks off in the middle of its list, libcuda has them all",
        "mixed-v100-b200",
        [
            reply("nvml", NVML, *_MIXED[0]["lines"][:8], end="signal 11"),
            _MIXED[1],
        ],
        "ok",
        "driver and GPUs answer",
        {"nvml-failed"},
        capabilities=["7.0", "10.0"],
    ),
    Case(
        "NVML lists an accelerator that is no CUDA device",
        "headless-no-utils",
        [
            reply("nvml", NVML, *_H100[0]["lines"][:4], "count\t0\t2", *_TWO, "gpu\t1\t0"),
            _H100[1],
        ],
        "ok",
        "driver and GPUs answer",
        capabilities=["9.0"],
        gpus=1,
    ),
    Case(
        "a hang on Windows after libcuda has told its version",
        "win-dch-system32",
        [
            reply("nvml", SYSTEM32 + "nvml.dll", end="timeout"),
            reply("cuda", SYSTEM32 + "nvcuda.dll", LOADED, "cuda\t0\t11020", end="timeout"),
            reply("devices", DEVICES, LOADED, "init\t0", "device\t0\t2484\t0"),
        ],
        "timeout",
        "the driver did not answer in time",
        capabilities=["8.6"],
    ),
    Case(
        "Windows hangs",
        "win-dch-system32",
        [
            reply("nvml", SYSTEM32 + "nvml.dll", end="timeout"),
            reply("cuda", SYSTEM32 + "nvcuda.dll", end="timeout"),
        ],
        "timeout",
        "the driver did not answer in time",
        {"driver-silent"},
    ),
    Case(
        "Windows crashes",
        "win-dch-system32",
        [
            reply("nvml", SYSTEM32 + "nvml.dll", LOADED, end="exit 3221225477"),
            reply("cuda", SYSTEM32 + "nvcuda.dll", LOADED, end="exit 3221225477"),
            reply("devices", DEVICES, LOADED, "init\t0", "device\t0\t2484\t0"),
        ],
        "broken",
        "its library crashed",
    ),
    Case(
        "Windows hangs after NVML has started, with a library that was not recorded",
        "win-dch-system32",
        [
            reply("nvml", SYSTEM32 + "nvml.dll", LOADED, "init\t0", end="timeout"),
            reply("devices", DEVICES, LOADED, "init\t0", "device\t0\t2484\t0"),
        ],
        "timeout",
        "the driver did not answer in time",
        {"driver-silent"},
        capabilities=["8.6"],
    ),
    Case(
        "a musl interpreter beside a GPU without a driver",
        "vfio-one-of-two.all",
        [],
        "gpu-no-driver",
        "the NVIDIA GPUs here are given to virtual machines",
        {"gpu-passed-through"},
        libc="musl",
    ),
    Case(
        "nouveau has the GPU",
        "secure-boot-module-rejected",
        [],
        "gpu-no-driver",
        "an NVIDIA GPU is there (bound to nouveau)",
        drop="bind nouveau",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_one_more_fault_makes_of_a_machine(case: Case) -> None:
    machine = _detect(case)

    assert machine.status.value == case.status, machine.reason
    assert case.reason in machine.reason
    assert case.notes <= {note.code for note in machine.notes}
    if case.capabilities is not None:
        assert [str(found) for found in machine.capabilities] == case.capabilities
    assert case.gpus in {None, len(machine.gpus)}
    assert case.cuda in {"", str(machine.cuda)}


@pytest.mark.parametrize(
    "name",
    [
        "secure-boot-module-rejected",
        "stale-utils-on-amd",
        "zluda",
        "wsl1",
        "wsl2-access-blocked.sandbox",
        "vfio-one-of-two.all",
        "container-zero-byte-libs",
    ],
)
def test_without_a_kernel_mode_driver_nothing_native_is_asked(name: str) -> None:
    found = detect(ReplayHost(BY_NAME[name].observed), confirm=True)

    assert {step.probe for step in found.trail} <= {"kernel", "pci", "devices"}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Failed to initialize NVML: Insufficient Permissions", "blocked"),
        ("Failed to initialize NVML: GPU access blocked by the operating system", "blocked"),
        ("Failed to initialize NVML: Unknown Error", "blocked"),
        ("Failed to initialize NVML: Driver/library version mismatch", "broken"),
        ("Failed to initialize NVML: No supported GPUs were found", "driver-no-gpu"),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "broken"),
        ("something new", "broken"),
    ],
)
def test_the_words_of_nvidia_smi_count_where_no_library_loads(text: str, status: str) -> None:
    observed = copy.deepcopy(BY_NAME["inforom-corrupted"].observed)
    for program in observed["programs"]:
        program["lines"] = [text]

    assert detect(ReplayHost(observed)).machine.status.value == status


@pytest.mark.parametrize("state", BY_NAME.values(), ids=lambda state: state.name)
def test_the_gate_lets_every_machine_through_that_is_not_without_nvidia(state: State) -> None:
    host = ReplayHost(state.observed)

    # Windows is asked through its registry, which a record keeps apart.
    assert (
        has_sign(host.files, host.platform.system)
        or state.expected["status"] in {"none", "pinned"}
        or host.platform.system == "win32"
    )


def _detect(case: Case) -> Machine:
    observed = copy.deepcopy(BY_NAME[case.base].observed)
    files = observed["files"]
    if case.drop == "bind nouveau":
        files["/sys/bus/pci/devices/0000:01:00.0/driver"] = {"link": "../drivers/nouveau"}
    elif case.drop:
        observed["files"] = {it: files[it] for it in files if not it.startswith(case.drop)}
    if case.libc:
        observed["platform"]["libc"] = case.libc
    observed["libraries"] = case.replies
    return detect(ReplayHost(observed), confirm=True).machine
