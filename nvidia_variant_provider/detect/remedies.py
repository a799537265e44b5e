"""What to do about a machine's condition, under the code that ``docs/status.md`` explains."""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.model import Note

# One sentence a code: the cause is known, so this is more than the status alone can advise.
REMEDIES: Final = {
    "access-blocked": (
        "run where the GPU is given to the process (a sandbox without it, SELinux labels and "
        "device permissions all end here), or name the target with "
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
    ),
    "cuda-too-slow": (
        "start the persistence daemon (nvidia-smi -pm 1) or raise NV_VARIANT_PROVIDER_TIMEOUT"
    ),
    "devices-lost": (
        "restart the container, whose devices a reload of systemd on the host takes away; on a "
        "host, look at the kernel log (dmesg)"
    ),
    "driver-installed-not-loaded": (
        "load the kernel module (modprobe nvidia); if the kernel rejects its key, sign the "
        "module or turn Secure Boot off"
    ),
    "driver-silent": (
        "look at the kernel log (dmesg) and reset or reboot; if the driver is only slow, start "
        "its persistence daemon (nvidia-smi -pm 1) or raise NV_VARIANT_PROVIDER_TIMEOUT"
    ),
    "fabric-not-ready": "start nvidia-fabricmanager of the driver's own release and wait for it",
    "foreign-library": "use a Python interpreter of the architecture that the driver is built for",
    "gpu-left-behind": "install the last driver branch that serves this GPU, or leave it unused",
    "gpu-passed-through": "this machine lends the GPU to virtual machines: install in one of them",
    "host-driver-only": (
        "give the container the GPU (--gpus all), or name the target of an image build with "
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
    ),
    "libcuda-missing": (
        "install the package that holds libcuda.so.1; in a container set "
        "NVIDIA_DRIVER_CAPABILITIES=compute,utility"
    ),
    "library-mismatch": (
        "reboot, or unload and load the kernel module: the libraries were upgraded under it"
    ),
    "mig-without-instance": (
        "create a MIG instance, or turn MIG off: CUDA sees no device until then"
    ),
    "no-driver-library": (
        "install the user-mode driver of the same release as the kernel module, or start the "
        "container under NVIDIA's runtime, which brings the libraries along"
    ),
    "no-device-nodes": (
        "in a container ask for the GPU (--gpus all); on a host run nvidia-modprobe -c 0 -u"
    ),
    "tegra-group": "add the user to the group that owns /dev/nvmap (video), and log in again",
    "wsl-driver": "update the NVIDIA driver of Windows, then run: wsl --shutdown",
    "uvm-missing": "make /dev/nvidia-uvm, or pass it into the container: CUDA cannot start without",
}


def remedy(code: str) -> Note:
    """Return the note that says what to do about a cause."""
    return Note(code, REMEDIES[code])
