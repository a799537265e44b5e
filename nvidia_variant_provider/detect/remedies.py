"""What to do about a cause, on which platform: one table, loaded only when a person asks.

Each line is one thing to paste or do. Words in braces are facts of the machine. ``grade`` says how
sure it is: "h" followed or read in the source named, "m" reported to work, "u" not tried by us; a
"u" line never comes first. Sources: owner/repository#number of public threads, DIG (NVIDIA's Driver
Installation Guide), CTK (troubleshooting of the container toolkit), GPO (of the GPU operator), XID
(NVIDIA's Xid catalogue), MS (Microsoft's documentation), H (nvml.h, cuda.h).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.detect.surroundings import Surroundings
    from nvidia_variant_provider.model import Machine, Note


class Remedy(NamedTuple):
    """One line of advice about a cause on a platform; see ``places`` for the platforms."""

    cause: str
    place: str
    advice: str
    grade: str
    source: str


ANY, HOST, CONTAINER = "any", "host", "container"

TABLE: Final = (
    # No driver, or not the right one.
    Remedy("no-driver", ANY,
           "install NVIDIA's driver as its Driver Installation Guide says for this system, then "
           "reboot",
           "h", "DIG"),
    Remedy("no-driver", "fedora",
           "sudo dnf install nvidia-open   (from NVIDIA's repository), then reboot",
           "h", "DIG"),
    Remedy("no-driver", "suse",
           "sudo zypper install nvidia-open   (from NVIDIA's repository), then reboot",
           "h", "DIG"),
    Remedy("no-driver", "ubuntu",
           "sudo ubuntu-drivers install --gpgpu, then reboot",
           "u", ""),
    Remedy("no-driver", "debian",
           "sudo apt install nvidia-driver linux-headers-amd64   (non-free), then reboot",
           "u", ""),
    Remedy("no-driver", "arch",
           "sudo pacman -S nvidia-open-dkms, then reboot",
           "u", ""),
    Remedy("driver-installed-not-loaded", ANY,
           "sudo modprobe nvidia; if that fails, sudo dmesg | grep -i nvidia says why: a module "
           "for another kernel, Secure Boot, a blacklist",
           "h", "negativo17/nvidia-driver#56"),
    Remedy("driver-installed-not-loaded", "debian",
           "sudo apt install linux-headers-$(uname -r) && sudo dkms autoinstall && sudo "
           "modprobe nvidia; if the key is rejected (Secure Boot): sudo mokutil --import "
           "/var/lib/dkms/mok.pub",
           "h", "negativo17/nvidia-driver#56, canonical/nvidia-graphics-drivers#61"),
    Remedy("driver-installed-not-loaded", "fedora",
           "sudo akmods --force, or sudo dkms autoinstall, then sudo modprobe nvidia",
           "h", "negativo17/nvidia-driver#72"),
    Remedy("held-by-nouveau", ANY,
           "echo 'blacklist nouveau' | sudo tee /etc/modprobe.d/no-nouveau.conf, rebuild the "
           "initramfs (update-initramfs -u or dracut -f), then reboot",
           "h", "GPO"),
    Remedy("held-by-nova", ANY,
           "echo 'blacklist nova_core' | sudo tee /etc/modprobe.d/no-nova.conf, rebuild the "
           "initramfs (update-initramfs -u or dracut -f), then reboot",
           "h", "beclab/Olares#3963"),
    Remedy("gpu-passed-through", ANY,
           "install in the virtual machine that owns the GPU; to take it back: sudo driverctl "
           "unset-override {address}",
           "m", "GPO"),
    Remedy("gpu-left-behind", ANY,
           "install driver branch {branch}: the last that serves this GPU",
           "h", "DIG"),
    Remedy("gpu-left-behind", "debian",
           "sudo apt install nvidia-driver-{branch}   (the last branch for this GPU), then "
           "reboot",
           "h", "DIG"),
    Remedy("gpu-newer-than-driver", ANY,
           "install driver branch {branch} or newer: the first that serves this GPU, {release} "
           "is installed",
           "h", "NVIDIA/nvtrust#67"),
    Remedy("module-open-on-old-gpu", ANY,
           "install the closed kernel module of branch 580 (Ubuntu: nvidia-driver-580, not "
           "-open): the open one does not drive this GPU",
           "h", "NVIDIA/open-gpu-kernel-modules"),
    Remedy("module-closed-on-new-gpu", ANY,
           "install the open kernel module (NVIDIA's packages: nvidia-open): the closed one "
           "does not drive this GPU",
           "h", "NVIDIA/open-gpu-kernel-modules#872"),
    Remedy("module-closed-on-new-gpu", "ubuntu",
           "sudo apt install nvidia-driver-580-open, then reboot",
           "h", "NVIDIA/open-gpu-kernel-modules#872"),
    Remedy("adapter-does-not-start", ANY,
           "sudo dmesg | grep -E 'NVRM|Xid'; then power the machine off and on: a reboot may "
           "not be enough",
           "h", "NVIDIA/open-gpu-kernel-modules#789"),
    # Libraries.
    Remedy("library-mismatch", HOST,
           "reboot: the libraries were upgraded, and the kernel still runs module {loaded}",
           "h", "anderskm/gputil#55"),
    Remedy("library-mismatch", CONTAINER,
           "start the container anew: the host's driver was upgraded under it",
           "m", "NVIDIA/nvidia-container-toolkit#1099"),
    Remedy("library-links-missing", ANY,
           "sudo ldconfig   ({file} lacks its link .so.1)",
           "h", "NVIDIA/nvidia-container-toolkit#128"),
    Remedy("libcuda-missing", HOST,
           "install the package with libcuda.so.1 of the driver's own branch (Ubuntu: "
           "libnvidia-compute-BRANCH, Debian: libcuda1, Fedora: nvidia-driver-cuda-libs)",
           "m", "DIG"),
    Remedy("libcuda-missing", CONTAINER,
           "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility",
           "h", "CTK"),
    Remedy("no-driver-library", HOST,
           "install the user-mode driver of the release that the kernel module has: cat "
           "/proc/driver/nvidia/version",
           "h", "DIG"),
    Remedy("no-driver-library", CONTAINER,
           "start the container with --gpus all (Podman and CDI: --device nvidia.com/gpu=all), "
           "which brings the libraries along",
           "h", "CTK"),
    Remedy("no-driver-library", "apptainer",
           "apptainer exec --nv IMAGE",
           "h", "EESSI/software-layer#231"),
    Remedy("no-driver-library", "lxc",
           "lxc config set NAME nvidia.runtime true && lxc restart NAME",
           "h", "canonical/lxd#4534"),
    Remedy("no-driver-library", "jetson-container",
           "start the container with --runtime nvidia and --group-add video   (not --gpus)",
           "h", "osrf/rocker#211"),
    Remedy("driver-incomplete", ANY,
           "install every package of the driver in one release: some are missing or of another",
           "h", "H"),
    Remedy("foreign-library", ANY,
           "use a Python of this machine's own architecture: uv python install, without "
           "emulation",
           "h", "unslothai/unsloth#10282"),
    # Devices.
    Remedy("no-device-nodes", HOST,
           "sudo nvidia-modprobe -c 0 -u   (makes the device nodes)",
           "h", "pytorch/pytorch#49081"),
    Remedy("no-device-nodes", CONTAINER,
           "start the container with --gpus all (Podman and CDI: --device nvidia.com/gpu=all)",
           "h", "CTK"),
    Remedy("no-device-nodes", "kubernetes",
           "add to the pod: resources.limits nvidia.com/gpu: 1, and runtimeClassName: nvidia "
           "where the cluster has one",
           "h", "canonical/microk8s#4408"),
    Remedy("no-device-nodes", "unit",
           "sudo systemctl edit {unit}: PrivateDevices=no and DeviceAllow=/dev/nvidia0 rw (also "
           "nvidiactl, nvidia-uvm)",
           "h", "NixOS/nixpkgs#331069"),
    Remedy("no-device-nodes", "slurm",
           "run it in a job with a GPU: srun --gres=gpu:1 COMMAND",
           "h", "ray-project/ray#7014"),
    Remedy("host-driver-only", CONTAINER,
           "in an image build: nvidia-variant-provider run --target {target} -- uv pip install "
           "...; to use the GPU: start the container with --gpus all",
           "h", "docs/status.md"),
    Remedy("host-driver-only", HOST,
           "nvidia-variant-provider run --target {target} -- uv pip install ...; in a container "
           "that shall use the GPU: start it with --gpus all",
           "h", "docs/status.md"),
    Remedy("host-driver-only", "kubernetes",
           "add to the pod: resources.limits nvidia.com/gpu: 1; in an image build: "
           "nvidia-variant-provider run --target {target} -- uv pip install ...",
           "h", "canonical/microk8s#4408"),
    Remedy("nodes-denied", ANY,
           "sudo usermod -aG {group} $USER, then log in again: that group owns the device nodes",
           "h", "NVIDIA/nvidia-container-toolkit#268"),
    Remedy("nodes-on-nodev", ANY,
           "start the sandbox with its devices (bwrap --dev-bind /dev /dev): its nodes are on a "
           "mount without devices, or Landlock refuses them",
           "h", "anthropics/claude-code#64530"),
    Remedy("selinux-denied", ANY,
           "start the container with --security-opt=label=disable, or run sudo setsebool -P "
           "container_use_devices on",
           "h", "CTK"),
    Remedy("access-blocked", HOST,
           "run outside of the sandbox, or check who may open the nodes: ls -l /dev/nvidia*; to "
           "install all the same: nvidia-variant-provider run --target {target} -- uv pip "
           "install ...",
           "h", "CTK"),
    Remedy("access-blocked", CONTAINER,
           "start the container with --gpus all; with SELinux also --security-opt=label=disable",
           "h", "CTK"),
    Remedy("access-blocked", "slurm",
           "ask the job for a GPU: srun --gres=gpu:1 COMMAND",
           "h", "ray-project/ray#7014"),
    Remedy("devices-lost", HOST,
           "sudo dmesg | grep -E 'NVRM|Xid' says what happened to the GPU",
           "h", "XID"),
    Remedy("devices-lost", CONTAINER,
           "restart the container; started with --device nvidia.com/gpu=all (CDI) it keeps its "
           "devices",
           "h", "NVIDIA/nvidia-container-toolkit#48"),
    Remedy("unit-devices", ANY,
           "sudo systemctl edit {unit}: PrivateDevices=no and DeviceAllow=/dev/nvidia0 rw (also "
           "nvidiactl, nvidia-uvm)",
           "h", "NixOS/nixpkgs#331069"),
    # CUDA does not start.
    Remedy("uvm-missing", HOST,
           "sudo modprobe nvidia_uvm && sudo nvidia-modprobe -u -c 0",
           "h", "NVIDIA/open-gpu-kernel-modules#689"),
    Remedy("uvm-missing", CONTAINER,
           "start the container with --device /dev/nvidia-uvm as well",
           "h", "pytorch/pytorch#49081"),
    Remedy("uvm-stuck", HOST,
           "end all CUDA programs, then sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm; if "
           "that fails, reboot",
           "h", "ollama/ollama, troubleshooting"),
    Remedy("uvm-stuck", CONTAINER,
           "start the container anew; if the host fails too: sudo rmmod nvidia_uvm && sudo "
           "modprobe nvidia_uvm there",
           "h", "ollama/ollama, troubleshooting"),
    Remedy("uvm-memory-management", ANY,
           "echo 'options nvidia_uvm uvm_disable_hmm=1' | sudo tee /etc/modprobe.d/uvm.conf, "
           "then reload nvidia_uvm or reboot",
           "h", "NVIDIA/open-gpu-kernel-modules#901"),
    Remedy("sandbox-or-limits", ANY,
           "run outside of the sandbox, which blocks threads, memfd_create or /proc/self/task, "
           "and check ulimit -n (at least 64)",
           "h", "NVIDIA/NemoClaw#4016"),
    Remedy("gpu-memory-full", ANY,
           "free memory: nvidia-smi shows who holds the GPU's, free -h the host's",
           "m", "H"),
    Remedy("gpu-memory-full", "wsl",
           "raise memory= in %UserProfile%\\.wslconfig, then run wsl --shutdown in Windows",
           "m", "microsoft/WSL#8447"),
    Remedy("gpu-exclusive", ANY,
           "wait for the process that holds the GPU (nvidia-smi shows it), or sudo nvidia-smi "
           "-c 0",
           "h", "NVIDIA/DIGITS#2005"),
    Remedy("vgpu-licence", ANY,
           "nvidia-smi -q shows License Status; then sudo systemctl restart nvidia-gridd",
           "h", "Azure/AKS#4870"),
    Remedy("vgpu-without-uvm", ANY,
           "ask the host's operator for enable_uvm=1 of this vGPU, or for a full-size profile",
           "m", "ollama/ollama#8980"),
    Remedy("fabric-not-ready", HOST,
           "sudo systemctl enable --now nvidia-fabricmanager   (of the driver's own release, "
           "{release}), and wait for it",
           "h", "GPO"),
    Remedy("fabric-not-ready", CONTAINER,
           "on the host: sudo systemctl enable --now nvidia-fabricmanager   (of the driver's "
           "own release, {release})",
           "h", "GPO"),
    Remedy("cuda-not-ready", ANY,
           "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm, else reboot; on HGX systems "
           "first sudo systemctl enable --now nvidia-fabricmanager, in a confidential VM sudo "
           "nvidia-smi conf-compute -srs 1",
           "h", "elFarto/nvidia-vaapi-driver#260, GPO, NVIDIA/nvtrust#56"),
    Remedy("mps-daemon", ANY,
           "nvidia-cuda-mps-control -d starts the MPS daemon; without one: unset "
           "CUDA_MPS_PIPE_DIRECTORY",
           "h", "nanoporetech/dorado#458"),
    Remedy("mig-without-instance", ANY,
           "sudo nvidia-smi mig -cgi PROFILE -C   (nvidia-smi mig -lgip lists them), or sudo "
           "nvidia-smi -mig 0",
           "h", "canonical/lxd#11804"),
    # One GPU.
    Remedy("gpu-lost", ANY,
           "power the machine off, wait, and on again; if dmesg shows Xid 79 again, check "
           "cables, slot and heat",
           "h", "XID"),
    Remedy("gpu-needs-reset", ANY,
           "end what uses it, then sudo nvidia-smi --gpu-reset -i INDEX; if that is refused, "
           "reboot",
           "h", "XID"),
    Remedy("power-cable", ANY,
           "power off and check the power cables of the GPU",
           "m", "H"),
    Remedy("interrupts-missing", ANY,
           "sudo dmesg | grep request_irq; then power off and on",
           "m", "H"),
    # Time.
    Remedy("driver-silent", HOST,
           "sudo dmesg | grep -E 'NVRM|Xid': Xid 119 and 120 need a reset of the GPU or a power "
           "cycle. If the driver is only slow: NV_VARIANT_PROVIDER_TIMEOUT=60",
           "h", "XID"),
    Remedy("driver-silent", CONTAINER,
           "look at dmesg of the host; if the driver is only slow: "
           "NV_VARIANT_PROVIDER_TIMEOUT=60",
           "h", "XID"),
    Remedy("driver-silent", "windows",
           "NV_VARIANT_PROVIDER_TIMEOUT=60 if the driver is only slow; else restart Windows: "
           "the Event Viewer lists nvlddmkm under System",
           "m", "MS"),
    Remedy("driver-silent", "wsl",
           "run wsl --shutdown in Windows; if nvidia-smi.exe hangs there too, restart Windows",
           "m", "microsoft/WSL#9938"),
    Remedy("cuda-too-slow", HOST,
           "sudo systemctl enable --now nvidia-persistenced, or set "
           "NV_VARIANT_PROVIDER_TIMEOUT=60",
           "h", "Azure/aks-gpu#105"),
    Remedy("cuda-too-slow", CONTAINER,
           "set NV_VARIANT_PROVIDER_TIMEOUT=60; on the host: sudo systemctl enable --now "
           "nvidia-persistenced",
           "h", "Azure/aks-gpu#105"),
    Remedy("cuda-too-slow", "windows",
           "set NV_VARIANT_PROVIDER_TIMEOUT=60",
           "h", "docs/status.md"),
    Remedy("cuda-too-slow", "wsl",
           "set NV_VARIANT_PROVIDER_TIMEOUT=60",
           "h", "docs/status.md"),
    # WSL, Windows, Jetson.
    Remedy("wsl-driver", ANY,
           "update the NVIDIA driver in Windows, then run wsl --shutdown there",
           "h", "microsoft/WSL#6014"),
    Remedy("wsl-blocked", ANY,
           "run wsl --update and wsl --shutdown in Windows; a container needs --gpus all, a "
           "sandbox /dev/dxg",
           "m", "microsoft/WSL#9938"),
    Remedy("win-disabled", ANY,
           'pnputil /enable-device "ID" as administrator (ID: pnputil /enum-devices /class '
           "Display), or enable the GPU in the device manager",
           "m", "MS"),
    Remedy("win-no-driver", ANY,
           "install the NVIDIA driver for this GPU from nvidia.com",
           "m", "MS"),
    Remedy("win-failed", ANY,
           "install the NVIDIA driver anew (custom, clean installation), then restart Windows",
           "m", "MS"),
    Remedy("win-restart", ANY,
           "restart Windows",
           "m", "MS"),
    Remedy("tegra-group", HOST,
           "sudo usermod -aG video,render $USER, then log in again",
           "h", "CPRT/rover#5"),
    Remedy("tegra-group", CONTAINER,
           "start the container with --runtime nvidia and --group-add video",
           "h", "osrf/rocker#211"),
)  # fmt: skip

CAUSES: Final = frozenset(row.cause for row in TABLE)
# Where a fact is not known, what a person has to fill in.
_BLANKS: Final = {
    "address": "ADDRESS", "branch": "BRANCH", "file": "the library", "group": "GROUP",
    "loaded": "of the old release", "release": "see nvidia-smi", "target": "NAME@DRIVER",
    "unit": "UNIT",
}  # fmt: skip
_LIKE_DEBIAN: Final = {"debian", "ubuntu"}
_FAMILIES: Final = {
    "rhel": "fedora", "fedora": "fedora", "centos": "fedora", "suse": "suse", "opensuse": "suse",
    "sles": "suse", "arch": "arch", "ubuntu": "ubuntu", "debian": "debian",
}  # fmt: skip


def places(machine: Machine, around: Surroundings) -> tuple[str, ...]:
    """Return the platforms that a machine belongs to, the most specific first."""
    if machine.platform.system == "win32":
        return ("windows", HOST, ANY)
    found = ["slurm"] if around.slurm_job else []
    if around.container:
        found += ["jetson-container"] if machine.tegra else []
        return (*found, around.container, CONTAINER, ANY)
    found += ["unit"] if around.unit else []
    found += ["wsl"] if around.wsl else []
    families = [_FAMILIES[name] for name in around.distribution if name in _FAMILIES]
    return (*found, *dict.fromkeys(families), HOST, ANY)


def advise(note: Note, machine: Machine, around: Surroundings) -> str:
    """Return what to do first about a cause; empty for a note that is no cause.

    Of the rows for the machine's platforms the most specific wins, and one that nobody tried
    stands behind every other.
    """
    here = places(machine, around)
    rows = [row for row in TABLE if row.cause == note.code and row.place in here]
    if not rows:
        return ""
    order = {place: index for index, place in enumerate(here)}
    best = min(rows, key=lambda row: (row.grade == "u", order.get(row.place, len(order))))
    return _filled(best.advice, dict(note.facts))


def _filled(advice: str, facts: Mapping[str, str]) -> str:
    return advice.format_map({**_BLANKS, **facts})
