"""What to do about a cause, on which platform: the rows.

Each line is one thing to paste or do. Words in braces are facts of the machine. ``grade`` says how
sure it is: "h" followed or read in the source named, "m" reported to work, "u" not tried by us; a
"u" line never comes first. Sources: owner/repository#number of public threads, DIG (NVIDIA's Driver
Installation Guide), CTK (troubleshooting of the container toolkit), GPO (of the GPU operator), XID
(NVIDIA's Xid catalogue), MS (Microsoft's documentation), H (nvml.h, cuda.h), name(8) a manual page.
"""

from __future__ import annotations

from typing import Final, NamedTuple


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
    Remedy("driver-not-installed", ANY,
           "install NVIDIA's driver as its Driver Installation Guide says for this system, then "
           "reboot",
           "h", "DIG"),
    Remedy("driver-not-installed", "fedora",
           "sudo dnf install nvidia-open   (from NVIDIA's repository), then reboot",
           "h", "DIG"),
    Remedy("driver-not-installed", "suse",
           "sudo zypper install nvidia-open   (from NVIDIA's repository), then reboot",
           "h", "DIG"),
    Remedy("driver-not-installed", "ubuntu",
           "sudo ubuntu-drivers install --gpgpu, then reboot",
           "u", ""),
    Remedy("driver-not-installed", "debian",
           "sudo apt install nvidia-driver linux-headers-amd64   (non-free), then reboot",
           "u", ""),
    Remedy("driver-not-installed", "arch",
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
    Remedy("module-closed-on-new-gpu", "fedora",
           "sudo dnf install nvidia-open   (in place of cuda-drivers), then reboot",
           "h", "DIG"),
    Remedy("module-closed-on-new-gpu", "arch",
           "sudo pacman -S nvidia-open-dkms, then reboot",
           "h", "archlinux/archinstall#4343"),
    Remedy("module-closed-on-new-gpu", "nixos",
           "hardware.nvidia.open = true; in the configuration, rebuild, then reboot",
           "h", "NixOS wiki"),
    Remedy("gpu-left-behind", "fedora",
           "sudo dnf versionlock add '*nvidia*{branch}*' && sudo dnf install cuda-drivers, then "
           "reboot: {branch} is the last branch for this GPU",
           "m", "DIG"),
    Remedy("gpu-left-behind", "arch",
           "install nvidia-{branch}xx-dkms from the AUR   (the last branch for this GPU), then "
           "reboot",
           "h", "archlinux/archinstall#4343"),
    Remedy("gpu-left-behind", "nixos",
           "hardware.nvidia.package = config.boot.kernelPackages.nvidiaPackages.legacy_{branch}; "
           "in the configuration, rebuild, then reboot",
           "h", "NixOS wiki"),
    Remedy("uvm-stuck", "lxc",
           "allow the major of nvidia-uvm in lxc.cgroup2.devices.allow   (grep nvidia-uvm "
           "/proc/devices on the host): it changes from boot to boot",
           "m", "negativo17/nvidia-driver#29"),
    # Containers that are not started by hand.
    Remedy("no-driver-library", "kubernetes",
           "add to the pod: resources.limits nvidia.com/gpu: 1, and runtimeClassName: nvidia "
           "where the cluster has one",
           "h", "canonical/microk8s#4408"),
    Remedy("access-blocked", "kubernetes",
           "add to the pod: resources.limits nvidia.com/gpu: 1, and runtimeClassName: nvidia "
           "where the cluster has one",
           "h", "canonical/microk8s#4408"),
    Remedy("uvm-missing", "kubernetes",
           "add to the pod: resources.limits nvidia.com/gpu: 1, and runtimeClassName: nvidia "
           "where the cluster has one",
           "h", "canonical/microk8s#4408"),
    Remedy("libcuda-missing", "kubernetes",
           "set NVIDIA_DRIVER_CAPABILITIES=compute,utility in the env of the pod's container",
           "h", "CTK"),
    Remedy("devices-lost", "kubernetes",
           "kubectl delete pod NAME, so that it starts anew with its devices",
           "h", "NVIDIA/nvidia-container-toolkit#48"),
    Remedy("library-mismatch", "kubernetes",
           "kubectl delete pod NAME, so that it starts anew: the node's driver was upgraded under "
           "it",
           "m", "NVIDIA/nvidia-container-toolkit#1099"),
    Remedy("host-driver-only", "apptainer",
           "apptainer exec --nv IMAGE; in an image build: nvidia-variant-provider run --target "
           "{target} -- uv pip install ...",
           "h", "EESSI/software-layer#231"),
    Remedy("libcuda-missing", "apptainer",
           "apptainer exec --nv IMAGE",
           "h", "EESSI/software-layer#231"),
    Remedy("no-device-nodes", "apptainer",
           "apptainer exec --nv IMAGE, on a host with a GPU and in a job that was given one",
           "h", "EESSI/software-layer#231"),
    Remedy("no-device-nodes", "lxc",
           "lxc config device add NAME gpu gpu && lxc config set NAME nvidia.runtime true && lxc "
           "restart NAME",
           "m", "canonical/lxd#4534"),
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
           "libnvidia-compute-{branch}, Debian: libcuda1, Fedora: nvidia-driver-cuda-libs)",
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
           "devices; if it never had them: no-cgroups = false in "
           "/etc/nvidia-container-runtime/config.toml",
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
    # Told apart by clues (``refine.py``).
    Remedy("kernel-was-upgraded", ANY,
           "reboot: the modules of the running kernel {kernel} went with its package, those of a "
           "newer one are there",
           "h", "modprobe(8)"),
    Remedy("module-blacklisted", ANY,
           "remove what blacklists nvidia from {file}, rebuild the initramfs (update-initramfs "
           "-u or dracut -f), then reboot",
           "h", "modprobe.d(5)"),
    Remedy("gpu-switched-off", ANY,
           "sudo prime-select on-demand, or supergfxctl -m Hybrid, then reboot: a program that "
           "switches GPUs wrote {file}",
           "m", "canonical/nvidia-prime#20"),
    Remedy("module-for-another-kernel", ANY,
           "install the headers of kernel {kernel}, then sudo dkms autoinstall && sudo modprobe "
           "nvidia",
           "h", "negativo17/nvidia-driver#56"),
    Remedy("module-for-another-kernel", "debian",
           "sudo apt install linux-headers-$(uname -r) && sudo dkms autoinstall && sudo modprobe "
           "nvidia",
           "h", "negativo17/nvidia-driver#56"),
    Remedy("module-for-another-kernel", "fedora",
           "sudo akmods --force, or sudo dkms autoinstall, then sudo modprobe nvidia",
           "h", "negativo17/nvidia-driver#72"),
    Remedy("module-not-signed", ANY,
           "sudo modprobe nvidia; if it says 'Key was rejected by service' (Secure Boot is on), "
           "enrol the module's key: sudo mokutil --import KEY, reboot, choose Enroll MOK",
           "m", "canonical/nvidia-graphics-drivers#61"),
    Remedy("module-not-signed", "debian",
           "sudo modprobe nvidia; if the key is rejected (Secure Boot is on): sudo mokutil "
           "--import /var/lib/dkms/mok.pub (Ubuntu: /var/lib/shim-signed/mok/MOK.der), reboot, "
           "choose Enroll MOK",
           "m", "canonical/nvidia-graphics-drivers#61"),
    Remedy("firmware-missing", ANY,
           "install the GSP firmware of release {release} (Debian: sudo apt install "
           "firmware-nvidia-gsp), rebuild the initramfs, then reboot",
           "h", "NVIDIA/open-gpu-kernel-modules#639"),
    Remedy("gpu-not-taken", ANY,
           "sudo dmesg | grep NVRM says why the driver left {address}; if it speaks of a BAR: "
           "switch on Above 4G Decoding in the firmware (in a VM a larger MMIO window)",
           "m", "system76/firmware-open#66"),
    Remedy("gpu-did-not-wake", ANY,
           "power the machine off and on; if it comes back: echo 'options nvidia "
           "NVreg_DynamicPowerManagement=0' | sudo tee /etc/modprobe.d/nvidia-power.conf, then "
           "reboot",
           "m", "system76/firmware-open#259"),
    Remedy("external-gpu-lost", ANY,
           "boltctl list, then sudo boltctl authorize UUID of the enclosure, then reboot: after "
           "a replug the driver does not take it again",
           "m", "NVIDIA/open-gpu-kernel-modules#842"),
    Remedy("confidential-not-ready", ANY,
           "sudo nvidia-smi conf-compute -srs 1   (after attestation)",
           "h", "NVIDIA/nvtrust#56"),
    Remedy("confidential-without-host", ANY,
           "sudo python3 nvidia_gpu_tools.py --set-cc-mode=off --reset-after-cc-mode-switch   "
           "(of NVIDIA/gpu-admin-tools): this machine has no confidential computing",
           "h", "NVIDIA/nvtrust#30"),
    Remedy("fabric-failed", ANY,
           "sudo journalctl -u nvidia-fabricmanager says why; its release must be {release} "
           "(nv-fabricmanager --version), then sudo systemctl restart nvidia-fabricmanager",
           "h", "GPO"),
    Remedy("fabric-needs-subnet-manager", ANY,
           "install nvlsm, then sudo systemctl enable --now nvidia-fabricmanager   (of the "
           "driver's own release, {release})",
           "h", "siderolabs/extensions#717"),
    Remedy("fabric-of-the-rack", ANY,
           "nvidia-smi -q | grep -A2 Fabric shows the state; the fabric manager of a rack runs on "
           "its NVLink switches: ask who runs them, there is nothing to start here",
           "h", "NVIDIA's guide of multi-node NVLink, leptonai/gpud#1106"),
    Remedy("gpu-not-permitted", ANY,
           "unset CUDA_MPS_PIPE_DIRECTORY if another user runs the MPS daemon; in an NVLink rack: "
           "sudo mknod /dev/nvidia-caps-imex-channels/channel0 c MAJOR 0   (MAJOR: grep imex "
           "/proc/devices)",
           "h", "microsoft/mscclpp#467"),
    Remedy("gpu-computing-prohibited", ANY,
           "sudo nvidia-smi -c 0   (the compute mode is Prohibited)",
           "h", "H"),
    Remedy("memory-rows-pending", ANY,
           "sudo nvidia-smi --gpu-reset -i {index}   (when nothing uses it): rows of its memory "
           "wait to be replaced",
           "h", "NVIDIA's memory error management guide"),
    Remedy("memory-rows-failed", ANY,
           "nvidia-smi -q -d ROW_REMAPPER -i {index} shows it: rows of its memory could not be "
           "replaced, have the GPU exchanged",
           "h", "NVIDIA's memory error management guide"),
    Remedy("shim-preloaded", ANY,
           "take libvgpu.so out of {file} for this process: it stands between CUDA and the "
           "driver",
           "m", "Project-HAMi/HAMi#1834"),
    Remedy("libcuda-hides-another", ANY,
           "take {folder} out of LD_LIBRARY_PATH and /etc/ld.so.conf.d: the libcuda there is of "
           "no use with this driver or GPU",
           "h", "NVIDIA/nvidia-docker#1256"),
    Remedy("library-folder", ANY,
           "export LD_LIBRARY_PATH={folder}, or for good: echo {folder} | sudo tee "
           "/etc/ld.so.conf.d/nvidia.conf && sudo ldconfig",
           "h", "NVIDIA/nvidia-docker#1163"),
    Remedy("loader-cache-stale", ANY,
           "sudo ldconfig   (the loader's cache does not know {folder} yet)",
           "h", "NVIDIA/nvidia-docker#1163"),
    Remedy("libraries-of-another-driver", ANY,
           "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml on the host, then start "
           "the container anew: {file} leads nowhere",
           "h", "NVIDIA/nvidia-container-toolkit#128"),
    Remedy("wsl-shadowed", ANY,
           "sudo apt purge 'libnvidia-compute-*' 'nvidia-utils-*'   (inside WSL: Windows brings "
           "the driver)",
           "h", "ollama/ollama#1888"),
    Remedy("wsl-no-driver", ANY,
           "install NVIDIA's driver in Windows, not here, then run wsl --shutdown there",
           "h", "microsoft/WSL#6014"),
    Remedy("wsl-one", ANY,
           "wsl --set-version DISTRO 2 in Windows   (wsl -l -v lists the names): WSL 1 has no "
           "GPU",
           "h", "microsoft/WSL#3847"),
    Remedy("wsl-no-device", ANY,
           "run wsl --update and wsl --shutdown in Windows; GPUs need Windows 11, or Windows 10 "
           "from 21H2",
           "m", "MS"),
    Remedy("paravirtual-driver-missing", ANY,
           "copy the host's driver folder to /usr/lib/wsl/drivers anew: it must be that of the "
           "host's driver",
           "m", "staralt/dxgkrnl-dkms#7"),
    Remedy("driver-not-installed", "kubernetes",
           "kubectl get pods -n gpu-operator: wait until the driver pod of this node is Running",
           "h", "GPO"),
    Remedy("mig-without-instance", CONTAINER,
           "start the container with NVIDIA_VISIBLE_DEVICES=MIG-UUID   (nvidia-smi -L on the "
           "host lists them): the instance is not given to it",
           "h", "NVIDIA/nvidia-container-toolkit#1740"),
)  # fmt: skip
