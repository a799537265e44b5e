"""Each cause forged, and the line that a person reads first; where it can be, followed."""

from __future__ import annotations

import copy
import os
import re
import shlex
import subprocess
import sys
from typing import Any, Final

import pytest

from nvidia_variant_provider.detect.cascade import Detection, detect
from nvidia_variant_provider.detect.remedies import CAUSES, advise
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.detect.surroundings import ANYWHERE
from nvidia_variant_provider.model import Machine, Note, Platform, Status
from nvidia_variant_provider.tables.remedies import TABLE
from nvidia_variant_provider.tools.cli.advice import advice_for
from tests.recorded import load_states

BY_NAME: Final = {state.name: state.observed for state in load_states()}
NVML, CUDA = "libnvidia-ml.so.1", "libcuda.so.1"
UBUNTU = {"/etc/os-release": 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'}
DOCKER = {"/.dockerenv": {"present": True}}
KUBERNETES = {"KUBERNETES_SERVICE_HOST": "set"}
APPTAINER = {"APPTAINER_CONTAINER": "set"}
UNIT = {"/proc/self/cgroup": "0::/system.slice/jupyter.service\n"}
PCI = "/sys/bus/pci/devices/0000:01:00.0"


def reply(api: str, path: str, *lines: str) -> dict[str, Any]:
    return {"api": api, "path": path, "seconds": 0.1, "lines": [f"loaded\t{path}", *lines, "end"]}


def refused(nvml: int, cuda: int) -> list[dict[str, Any]]:
    return [
        reply("nvml", NVML, f"init\t{nvml}"),
        reply("cuda", CUDA, "cuda\t0\t13000", f"init\t{cuda}"),
    ]


def opening(code: int, mode: str = "0o666", group: str = "0") -> dict[str, Any]:
    lines = [f"errno\t{code}", f"node\t{mode}\t{group}", "end"]
    return {"api": "open", "path": "/dev/nvidiactl", "seconds": 0.1, "lines": lines}


def on(
    base: str,
    libraries: list[dict[str, Any]] | None = None,
    files: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    without: str = "no such file",
) -> Detection:
    """Detect on a recorded machine with other replies, other files and another environment."""
    observed = copy.deepcopy(BY_NAME[base])
    kept = {path: entry for path, entry in observed["files"].items() if without not in path}
    observed["files"] = {**kept, **(files or {})}
    observed["environment"] = {**observed.get("environment", {}), **(environment or {})}
    if libraries is not None:
        observed["libraries"] = libraries
    return detect(ReplayHost(observed), confirm=True)


H100 = "headless-no-utils"
GPUS = BY_NAME[H100]["libraries"][0]
CUDA_SAYS: Final = {
    2: "free memory",
    3: "uvm_disable_hmm=1",
    46: "nvidia-smi -c 0",
    102: "nvidia-gridd",
    221: "every package of the driver",
    304: "outside of the sandbox",
    800: "grep imex",
    801: "enable_uvm=1",
    802: "rmmod nvidia_uvm",
    805: "nvidia-cuda-mps-control -d",
    919: "nvidia-fabricmanager",
    999: "rmmod nvidia_uvm",
}
HELD = {
    f"{PCI}/vendor": "0x10de\n",
    f"{PCI}/class": "0x030000\n",
    f"{PCI}/device": "0x2684\n",
}
P100 = {**HELD, f"{PCI}/device": "0x15f8\n"}
B200 = {**HELD, f"{PCI}/device": "0x2901\n"}


def bound(files: dict[str, str], driver: str) -> dict[str, Any]:
    return {**files, f"{PCI}/driver": {"link": f"../../bus/pci/drivers/{driver}"}}


def installed(release: str) -> dict[str, Any]:
    folder = "/usr/lib/x86_64-linux-gnu"
    file = f"libcuda.so.{release}"
    return {f"{folder}/{CUDA}": {"link": file}, f"{folder}/{file}": {"size": 5000}}


LOST = "/sys/bus/pci/devices/0000:44:00.0"
KERNEL = "6.8.0-50-generic"
OTHER = "6.8.0-51-generic"
RUNNING = {"/proc/sys/kernel/osrelease": f"{KERNEL}\n"}
BUILT = {f"/lib/modules/{KERNEL}/updates/dkms/nvidia.ko.zst": {"size": 5000}}
ELSEWHERE = {f"/lib/modules/{OTHER}/kernel/nvidia-580-open/nvidia.ko": {"size": 5000}}
SECURE = {"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\6\0\0\0\1"}
FEDORA = {"/etc/os-release": "ID=fedora\n"}
WSL2 = {"/proc/sys/kernel/osrelease": "6.6.87.2-microsoft-standard-WSL2\n"}


def health(*lines: str) -> dict[str, Any]:
    return {"api": "health", "path": NVML, "seconds": 0.1, "lines": ["init\t0", *lines, "end"]}


def cuda_says(code: int) -> dict[str, Any]:
    return reply("cuda", CUDA, "cuda\t0\t13000", f"init\t{code}")


def libraries_in(folder: str) -> list[dict[str, Any]]:
    """Return the replies of sound libraries that only their full path finds."""
    return [{**row, "path": f"{folder}/{row['path']}"} for row in BY_NAME[H100]["libraries"]]


def grid() -> dict[str, Any]:
    """Return an NVML that calls its GPU by the profile of a virtual one."""
    lines = [re.sub(r"^name\t.*", "name\t0\t0\tGRID A100-40C", line) for line in GPUS["lines"]]
    return {**GPUS, "lines": lines}


def counting_none() -> list[dict[str, Any]]:
    return [reply("nvml", NVML, "init\t0", "count\t0\t0"), cuda_says(100)]


MODULE = "/sys/module/nvidia/version"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Mon\n"
PROC_VERSION = "/proc/driver/nvidia/version"
ELF = {"size": 5000, "head": "7f454c4602010100" + "00" * 8 + "03003e00"}
WAITING = health("fabric\t0\t0\t2\t0")
BY_NAME["gb200-waiting"] = {
    **BY_NAME["hgx-b200-802"],
    "platform": {"system": "linux", "architecture": "aarch64", "libc": "glibc"},
}


def losing(code: int, *more: dict[str, Any]) -> Detection:
    """Detect on a machine one GPU of which answers with a code of NVML."""
    libraries = copy.deepcopy(BY_NAME["one-gpu-lost"]["libraries"])
    lines = libraries[0]["lines"]
    lines[lines.index("gpu\t3\t15")] = f"gpu\t3\t{code}"
    return on("one-gpu-lost", [*libraries, *more])


def windows(problem: int) -> Detection:
    """Detect on a Windows that gives a problem code for its GPU."""
    libraries = copy.deepcopy(BY_NAME["win-gpu-removed.disabled"]["libraries"])
    lines = libraries[-1]["lines"]
    lines[lines.index("device\t0\t2484\t22")] = f"device\t0\t2484\t{problem}"
    return on("win-gpu-removed.disabled", libraries)


COMPAT = copy.deepcopy(BY_NAME["compat-on-new-or-consumer-driver"]["libraries"])
COMPAT[1]["lines"].insert(-1, "file\t/usr/local/cuda/compat/libcuda.so.580.65.06")
NOTHING = "macos-like"
BY_NAME[NOTHING] = {
    "platform": {"system": "linux", "architecture": "x86_64", "libc": "glibc"},
    "files": {},
}


@pytest.mark.parametrize("code", CUDA_SAYS)
def test_a_status_code_of_cuda_has_its_own_advice(code: int) -> None:
    detection = on(H100, [GPUS, reply("cuda", CUDA, "cuda\t0\t13000", f"init\t{code}")])

    advice = advice_for(detection)
    assert detection.machine.status is Status.BROKEN
    assert str(code) in detection.machine.reason
    assert CUDA_SAYS[code] in advice[0]


FORGED: Final = (
    (on(NOTHING, files=HELD), "install NVIDIA's driver as its Driver Installation Guide"),
    (on(NOTHING, files={**HELD, **UBUNTU}), "install NVIDIA's driver as its Driver"),
    (on(NOTHING, files={**HELD, "/etc/os-release": "ID=fedora\n"}), "sudo dnf install"),
    (on(NOTHING, files=bound(HELD, "nouveau")), "blacklist nouveau"),
    (on(NOTHING, files=bound(HELD, "NovaCore")), "blacklist nova_core"),
    (on(NOTHING, files=bound(HELD, "vfio-pci")), "unset-override 0000:01:00.0"),
    (on(NOTHING, files={**HELD, **installed("580.65.06")}), "sudo modprobe nvidia"),
    (
        on(NOTHING, files={**HELD, **installed("580.65.06"), **UBUNTU}),
        "sudo dkms autoinstall && sudo modprobe nvidia",
    ),
    (on(NOTHING, files={**P100, **installed("590.48.01")}), "install driver branch 580"),
    (
        on(NOTHING, files={**P100, **installed("590.48.01"), **UBUNTU}),
        "sudo apt install nvidia-driver-580",
    ),
    (on(NOTHING, files={**B200, **installed("550.163.01")}), "driver branch 570 or newer"),
    (on(H100, refused(4, 100)), "run outside of the sandbox"),
    (on(H100, [*refused(4, 100), opening(13, "0o660", "44")]), "usermod -aG 44 $USER"),
    (
        on(
            H100,
            [*refused(4, 100), opening(13, "0o660", "44")],
            {"/etc/group": "video:x:44:alice\n"},
        ),
        "usermod -aG video $USER",
    ),
    (on(H100, [*refused(4, 100), opening(13)]), "bwrap --dev-bind /dev /dev"),
    (on(H100, [*refused(4, 100), opening(13)], DOCKER), "--security-opt=label=disable"),
    (on(H100, refused(999, 100), DOCKER), "restart the container"),
    (on(H100, refused(999, 100), UNIT), "systemctl edit jupyter.service"),
    (on(H100, refused(999, 100)), "dmesg"),
    (on(H100, refused(18, 803)), "reboot: the libraries were upgraded"),
    (on(H100, refused(18, 803), DOCKER), "start the container anew"),
    (on(H100, refused(9, 100), without="/dev/"), "sudo nvidia-modprobe -c 0 -u"),
    (on(H100, refused(9, 100), DOCKER, without="/dev/"), "--gpus all"),
    (
        on(H100, refused(9, 100), environment=KUBERNETES, without="/dev/"),
        "resources.limits nvidia.com/gpu: 1",
    ),
    (on(H100, [], without="/dev/"), "run --target 9.0@595 -- uv pip install"),
    (on(H100, []), "cat /proc/driver/nvidia/version"),
    (on(H100, [], DOCKER), "--gpus all"),
    (on(H100, [], environment={"APPTAINER_CONTAINER": "set"}), "apptainer exec --nv"),
    (
        on(H100, [], {"/usr/lib64/libcuda.so.595.58.03": {"size": 5000}, **DOCKER}),
        "sudo ldconfig   (/usr/lib64/libcuda.so.595.58.03 lacks",
    ),
    (on("fabric-not-ready"), "enable --now nvidia-fabricmanager"),
    (on("mig-on-no-instance"), "nvidia-smi mig -cgi"),
    (on("one-gpu-lost"), "power the machine off"),
    (on("lxc-unprivileged.no-uvm"), "nvidia_uvm"),
    (on("driver-wedged"), "dmesg"),
    (on("no-devices-found"), "power the machine off and on"),
    (on("wsl2-access-blocked"), "wsl --shutdown"),
    (on("jetson-group-video"), "sudo usermod -aG video,render $USER"),
    (on("jetson-group-video", files=DOCKER), "--group-add video"),
    (on("win-gpu-removed.disabled"), "pnputil /enable-device"),
    # Told apart by files.
    (
        on(NOTHING, files={**HELD, **installed("580.65.06"), **RUNNING, **ELSEWHERE}),
        "reboot: the modules of the running kernel 6.8.0-50-generic went",
    ),
    (
        on(
            NOTHING,
            files={
                **HELD,
                **installed("580.65.06"),
                **RUNNING,
                **ELSEWHERE,
                f"/lib/modules/{KERNEL}/kernel/fs": {"present": True},
            },
        ),
        "install the headers of kernel 6.8.0-50-generic",
    ),
    (
        on(
            NOTHING,
            files={
                **HELD,
                **installed("580.65.06"),
                **RUNNING,
                **ELSEWHERE,
                **FEDORA,
                f"/lib/modules/{KERNEL}/kernel/fs": {"present": True},
            },
        ),
        "sudo akmods --force",
    ),
    (
        on(NOTHING, files={**HELD, **installed("580.65.06"), **RUNNING, **BUILT, **SECURE}),
        "Key was rejected by service",
    ),
    (
        on(
            NOTHING,
            files={**HELD, **installed("580.65.06"), **RUNNING, **BUILT, **SECURE, **UBUNTU},
        ),
        "mok.pub (Ubuntu: /var/lib/shim-signed/mok/MOK.der)",
    ),
    (
        on(NOTHING, files={**HELD, **installed("580.65.06"), **RUNNING, **BUILT}),
        "sudo modprobe nvidia; if that fails",
    ),
    *(
        (
            on(NOTHING, files={**HELD, **installed("580.65.06"), path: line}),
            f"from {path}" if words == "remove" else words,
        )
        for path, line, words in (
            ("/etc/modprobe.d/mine.conf", "# no\nblacklist  nvidia\n", "remove"),
            ("/usr/lib/modprobe.d/off.conf", "install nvidia /usr/bin/false\n", "remove"),
            ("/etc/modprobe.d/a.conf", "alias nvidia off\n", "remove"),
            ("/proc/cmdline", "ro modprobe.blacklist=nouveau,nvidia quiet\n", "remove"),
            ("/lib/modprobe.d/blacklist-nvidia.conf", "alias nvidia off\n", "prime-select"),
            ("/etc/modprobe.d/supergfxd.conf", "blacklist nvidia\n", "supergfxctl -m Hybrid"),
            ("/etc/modprobe.d/b.conf", "blacklist nvidia_drm\n", "sudo modprobe nvidia"),
            ("/proc/cmdline", "module_blacklist=nvidiafb ro\n", "sudo modprobe nvidia"),
        )
    ),
    (
        on("no-devices-found", files={"/lib/firmware/readme": "x\n"}),
        "GSP firmware of release",
    ),
    (
        on("one-gpu-lost", files={f"{LOST}/removable": "removable\n"}),
        "sudo boltctl authorize",
    ),
    (
        on("one-gpu-lost", files={f"{LOST}/power_state": "D3cold\n"}),
        "NVreg_DynamicPowerManagement=0",
    ),
    (
        on(H100, [GPUS, cuda_says(999)], {"/etc/ld.so.preload": "/k8s-vgpu/lib/libvgpu.so\n"}),
        "libvgpu.so out of /etc/ld.so.preload",
    ),
    (
        on(H100, [], {"/usr/lib64/libcuda.so.1": {"link": "libcuda.so.580.1"}, **DOCKER}),
        "nvidia-ctk cdi generate",
    ),
    (on(NOTHING, files={"/proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n"}), "version"),
    (on(NOTHING, files=WSL2), "wsl --update"),
    (on(NOTHING, files={**WSL2, "/dev/dxg": {"present": True}}), "in Windows, not here"),
    (on(NOTHING, files={**RUNNING, "/dev/dxg": {"present": True}}), "host's driver folder"),
    (
        on(NOTHING, files=HELD, environment=KUBERNETES),
        "kubectl get pods -n gpu-operator",
    ),
    (on(NOTHING, files={**HELD, **DOCKER}), "on the host: install NVIDIA's driver"),
    (
        on(
            NOTHING,
            files={
                **HELD,
                "/sys/module/nvidia/version": "580.65.06\n",
                "/dev/nvidiactl": {"present": True},
            },
            libraries=[reply("nvml", NVML, "init\t0", "count\t0\t0")],
        ),
        "why the driver left 0000:01:00.0",
    ),
    (on("compat-on-new-or-consumer-driver", COMPAT), "take /usr/local/cuda/compat out of"),
    (
        on(
            NOTHING,
            files={
                **HELD,
                **installed("580.65.06"),
                **RUNNING,
                f"/lib/modules/{OTHER}/updates/dkms/nvidia-peermem.ko": {"size": 5000},
            },
        ),
        "sudo modprobe nvidia; if that fails",
    ),
    (
        on(
            NOTHING,
            files={
                **HELD,
                **installed("next.release"),
                "/etc/modprobe.d/gpu.conf": "options nvidia NVreg_EnableMSI=1\n",
                "/usr/lib/modprobe.d/gpu.conf": "blacklist nvidia\n",
                "/usr/lib/modprobe.d/nvidia.txt": "blacklist nvidia\n",
            },
        ),
        "sudo modprobe nvidia; if that fails",
    ),
    (on(H100, [GPUS, cuda_says(802), health()]), "on HGX systems first"),
    (on(H100, counting_none(), without=PROC_VERSION), "power the machine off and on"),
    *(
        (
            on(H100, counting_none(), {**bound(P100, "nvidia"), MODULE: "590.48.01\n", **system}),
            words,
        )
        for system, words in (
            (
                {"/etc/os-release": "ID=rocky\nID_LIKE='rhel centos fedora'\n"},
                "dnf versionlock add",
            ),
            ({"/etc/os-release": "ID=arch\n"}, "nvidia-580xx-dkms"),
            ({"/etc/os-release": "ID=nixos\n"}, "legacy_580"),
        )
    ),
    *(
        (
            on(
                H100,
                counting_none(),
                {
                    **bound(B200, "nvidia"),
                    MODULE: "580.65.06\n",
                    PROC_VERSION: CLOSED,
                    **system,
                },
            ),
            words,
        )
        for system, words in (
            ({"/etc/os-release": "ID=fedora\n"}, "in place of cuda-drivers"),
            ({"/etc/os-release": "ID=arch\n"}, "sudo pacman -S nvidia-open-dkms"),
            ({"/etc/os-release": "ID=nixos\n"}, "hardware.nvidia.open = true"),
        )
    ),
    (on(H100, [GPUS, cuda_says(999)], {"/proc/self/cgroup": "0::/lxc/web\n"}), "lxc.cgroup2"),
    *(
        (on(H100, replies, environment=where, without=without), words)
        for replies, where, without, words in (
            ([], KUBERNETES, "none", "resources.limits"),
            (refused(4, 100), KUBERNETES, "none", "resources.limits"),
            ([GPUS, cuda_says(999)], KUBERNETES, "/dev/nvidia-uvm", "resources.limits"),
            ([GPUS], KUBERNETES, "none", "in the env of the pod"),
            (refused(999, 100), KUBERNETES, "none", "kubectl delete pod"),
            (refused(18, 803), KUBERNETES, "none", "driver was upgraded under it"),
            ([], APPTAINER, "/dev/", "apptainer exec --nv IMAGE; in an image build"),
            ([GPUS], APPTAINER, "none", "apptainer exec --nv"),
            (refused(9, 100), APPTAINER, "/dev/", "in a job that was given one"),
            (refused(9, 100), {"container": "lxc"}, "/dev/", "lxc config device add NAME gpu gpu"),
        )
    ),
    # Siblings of states that people reported.
    (
        on(
            H100,
            [*libraries_in("/usr/lib64")],
            {f"/usr/lib64/{NVML}": ELF, f"/usr/lib64/{CUDA}": ELF},
        ),
        "sudo ldconfig   (the loader's cache does not know /usr/lib64 yet)",
    ),
    (on(H100, [GPUS]), "libnvidia-compute-595"),
    (on(H100, [GPUS], DOCKER), "NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
    (
        on(H100, [grid(), cuda_says(46), health("mode\t0\t0\t0")]),
        "License Status",
    ),
    (
        on(H100, counting_none(), {**bound(B200, "nvidia"), MODULE: "550.163.01\n"}),
        "driver branch 570 or newer",
    ),
    (
        on(H100, counting_none(), {**bound(P100, "nvidia"), MODULE: "590.48.01\n"}),
        "install driver branch 580",
    ),
    (on(H100, counting_none(), without="/dev/nvidia0"), "sudo nvidia-modprobe -c 0 -u"),
    (on(H100, counting_none(), environment={"SLURM_JOB_ID": "set"}), "srun --gres=gpu:1"),
    (
        on("gb200-waiting", [*BY_NAME["hgx-b200-802"]["libraries"][:1], cuda_says(802), WAITING]),
        "NVLink switches: ask who runs them",
    ),
    # One GPU of several, and Windows.
    *(
        (losing(code), words)
        for code, words in (
            (8, "power cables"),
            (11, "request_irq"),
            (15, "power the machine off"),
            (16, "--gpu-reset"),
        )
    ),
    *(
        (windows(problem), words)
        for problem, words in (
            (22, "pnputil /enable-device"),
            (28, "from nvidia.com"),
            (43, "driver anew"),
            (14, "restart Windows"),
        )
    ),
    # Told apart by NVML.
    (losing(999, health("cc\t0\t1", "ready\t0\t1")), "--set-cc-mode=off"),
    (
        on(H100, [GPUS, cuda_says(802), health("cc\t0\t1", "ready\t0\t0")]),
        "conf-compute -srs 1",
    ),
    (
        on(H100, [GPUS, cuda_says(802), health("fabric\t0\t0\t2\t0")]),
        "enable --now nvidia-fabricmanager",
    ),
    (
        on(
            "hgx-b200-802",
            [
                *BY_NAME["hgx-b200-802"]["libraries"][:1],
                cuda_says(802),
                health("fabric\t0\t0\t1\t0"),
            ],
        ),
        "install nvlsm",
    ),
    (
        on(H100, [GPUS, cuda_says(802), health("fabric\t0\t0\t3\t999")]),
        "nv-fabricmanager --version",
    ),
    (
        on(H100, [GPUS, cuda_says(802), health("fabric\t0\t0\t0\t0", "ready\t3\t0")]),
        "rmmod nvidia_uvm && sudo modprobe nvidia_uvm",
    ),
    (on(H100, [GPUS, cuda_says(46), health("mode\t0\t0\t2")]), "is Prohibited"),
    (on(H100, [GPUS, cuda_says(46), health("mode\t0\t0\t3")]), "wait for the process"),
    (on(H100, [GPUS, cuda_says(999), health("rows\t0\t0\t1\t0")]), "--gpu-reset -i 0"),
    (on(H100, [GPUS, cuda_says(999), health("rows\t0\t0\t0\t1")]), "GPU exchanged"),
    (on("win-gpu-swapped"), "NV_VARIANT_PROVIDER_TIMEOUT=60"),
)


@pytest.mark.parametrize(("detection", "words"), FORGED)
def test_a_forged_cause_has_one_line_to_paste_for_its_platform(
    detection: Detection, words: str
) -> None:
    advice = advice_for(detection)

    assert any(words in line for line in advice), (detection.machine.reason, advice)


@pytest.mark.parametrize("state", load_states(), ids=lambda state: state.name)
def test_on_windows_and_inside_wsl_nothing_of_a_linux_host_is_advised(state: Any) -> None:  # noqa: ANN401
    detection = detect(ReplayHost(state.observed), confirm=True)
    system = state.observed["platform"]["system"]
    here = system == "win32" or "wsl" in state.name
    words = r"dmesg|modprobe|systemctl|apt install|dnf " if here else "$."

    assert [line for line in advice_for(detection) if re.search(words, line)] == []


@pytest.mark.parametrize("state", load_states(), ids=lambda state: state.name)
def test_no_advice_is_to_install_a_driver_inside_a_container(state: Any) -> None:  # noqa: ANN401
    detection = detect(ReplayHost(state.observed), confirm=True)
    if detection.surroundings is None or not detection.surroundings.container:
        return

    assert [line for line in advice_for(detection) if "install the" in line] == []


def test_a_status_other_than_ok_has_something_to_do() -> None:
    idle = [
        state.name
        for state in load_states()
        if (found := detect(ReplayHost(state.observed), confirm=True)).machine.status
        not in {Status.OK, Status.PINNED}
        and not advice_for(found)
    ]

    assert idle == []


def test_the_advice_for_an_image_build_leads_to_both_variables() -> None:
    (line,) = advice_for(on(H100, [], DOCKER, without="/dev/"))
    command = re.search(r"nvidia-variant-provider (run --target \S+ --) ", line)
    assert command is not None
    shown = "import os; print(*(os.environ[name] for name in os.environ if 'FORCE' in name))"

    done = subprocess.run(
        [sys.executable, "-m", "nvidia_variant_provider", *shlex.split(command[1]),
         sys.executable, "-c", shown],
        env={name: text for name, text in os.environ.items() if not name.startswith("NV_")},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip

    assert sorted(done.stdout.split()) == ["13.2", "9.0"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            on(H100, [*refused(4, 100), opening(13, "0o660", "44")]), on(H100), id="the group"
        ),
        pytest.param(
            on(H100, [], {"/usr/lib64/libcuda.so.595.58.03": {"size": 5000}}),
            on(H100, files={"/usr/lib64/libcuda.so.1": {"link": "libcuda.so.595.58.03"}}),
            id="ldconfig",
        ),
        pytest.param(on("lxc-unprivileged.no-uvm"), on("lxc-unprivileged"), id="the uvm node"),
    ],
)
def test_a_machine_on_which_the_advice_was_followed_works(
    before: Detection, after: Detection
) -> None:
    assert before.machine.status in {Status.BLOCKED, Status.BROKEN}
    assert after.machine.status is Status.OK
    assert advice_for(after) == []


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_a_cause_has_advice_everywhere_and_every_blank_is_filled(cause: str) -> None:
    machine = Machine(Platform("linux", "x86_64", "glibc"), Status.BROKEN)

    line = advise(Note(cause, ""), machine, ANYWHERE)

    assert line
    assert "{" not in line
    assert len([row for row in TABLE if row.cause == cause]) >= 1


def test_a_libcuda_that_the_loader_and_its_folder_lead_to_is_noted_once() -> None:
    file = "/usr/local/cuda/compat/libcuda.so.580.65.06"
    twice = [COMPAT[0], COMPAT[1], {**COMPAT[1], "path": f"/usr/local/cuda/compat/{CUDA}"}]
    files = {f"/usr/local/cuda/compat/{CUDA}": ELF, f"/usr/lib/x86_64-linux-gnu/{CUDA}": ELF}

    notes = on("compat-on-new-or-consumer-driver", twice, files).machine.notes

    assert [(note.code, note.text) for note in notes if "reject" in note.text] == [
        (
            "libcuda-rejected",
            f"{file} is a libcuda this driver rejects (803): the programs that find it first fail",
        )
    ]


def test_a_note_that_is_no_cause_has_no_advice() -> None:
    machine = Machine(Platform("linux", "x86_64", "glibc"), Status.OK)

    assert advise(Note("display-gpu", "x"), machine, ANYWHERE) == ""
