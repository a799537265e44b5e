"""From a pasted error text to the code whose section explains it.

The words are those of CUDA, NVML, nvidia-smi, the kernel log and PyTorch, without what varies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.status_codes import CUDA, NVML

if TYPE_CHECKING:
    from collections.abc import Iterator

# The most telling first: a text may hold words of several.
TEXTS: Final = (
    ("no kernel image is available", "no-kernel-image"),
    ("is not compatible with the current pytorch installation", "no-kernel-image"),
    ("not compiled with cuda enabled", "torch-without-cuda"),
    ("cuda driver version is insufficient", "driver-insufficient"),
    ("the nvidia driver on your system is too old", "driver-insufficient"),
    ("compiled with an unsupported toolchain", "ptx-too-new"),
    ("driver/library version mismatch", "library-mismatch"),
    ("unsupported display driver / cuda driver combination", "libcuda-rejected"),
    ("forward compatibility was attempted", "libcuda-rejected"),
    ("the nvidia driver could not be asked", "driver-not-asked"),
    ("couldn't communicate with the nvidia driver", "nvidia-smi-failed"),
    ("couldn't find libnvidia-ml.so", "no-driver-library"),
    ("access blocked by the operating system", "wsl-blocked"),
    ("insufficient permissions", "access-blocked"),
    ("failed to initialize nvml: unknown error", "devices-lost"),
    ("no supported gpus were found", "gpu-left-behind"),
    ("will ignore this gpu", "gpu-left-behind"),
    ("does not include the required gpu system processor", "module-open-on-old-gpu"),
    ("requires use of the nvidia open kernel modules", "module-closed-on-new-gpu"),
    ("rminitadapter failed", "adapter-does-not-start"),
    ("no devices were found", "adapter-does-not-start"),
    ("fallen off the bus", "gpu-lost"),
    ("gpu is lost", "gpu-lost"),
    ("key was rejected by service", "module-not-signed"),
    ("module nvidia not found", "driver-installed-not-loaded"),
    ("system not yet initialized", "fabric-not-ready"),
    ("devices are busy or unavailable", "gpu-exclusive"),
    ("os call failed or operation not supported", "sandbox-or-limits"),
    ("mps client failed to connect", "mps-daemon"),
    ("nvrmmeminitnvmap failed", "tegra-group"),
    ("cuda unknown error", "uvm-stuck"),
    ("no cuda-capable device is detected", "no-cuda-device"),
    ("no cuda gpus are available", "no-cuda-device"),
    ("libcuda.so.1: cannot open shared object file", "libcuda-missing"),
    ("could not find drivers on your machine", "libcuda-missing"),
    ("wrong elf class", "foreign-library"),
)
# The names of headers whose number has a section of its own beside those of the table of codes.
NAMES: Final = {
    "NO_BINARY_FOR_GPU": "no-kernel-image",
    "INSUFFICIENT_DRIVER": "driver-insufficient",
    "UNSUPPORTED_PTX_VERSION": "ptx-too-new",
    "NO_DEVICE": "no-cuda-device",
    "SYSTEM_NOT_READY": "fabric-not-ready",
    "SYSTEM_DRIVER_MISMATCH": "libcuda-rejected",
    "COMPAT_NOT_SUPPORTED_ON_DEVICE": "libcuda-rejected",
    "LIB_RM_VERSION_MISMATCH": "library-mismatch",
    "NO_PERMISSION": "access-blocked",
    "DRIVER_NOT_LOADED": "nvidia-smi-failed",
}
_LIBRARY: Final = r"lib(cudart|cublas|cudnn|cufft|nccl|nvrtc|cusparse)[\w.-]*: cannot open shared"


def codes_of(text: str) -> list[str]:
    """Return the codes that a text is about, the most telling first; empty if it is about none."""
    plain = " ".join(text.lower().split())
    codes = [code for words, code in TEXTS if words in plain]
    codes += _by_name(text.upper())
    if re.search(_LIBRARY, plain):
        codes.append("runtime-library-missing")
    return list(dict.fromkeys(codes))


def _by_name(text: str) -> Iterator[str]:
    """Yield the codes of names such as ``CUDA_ERROR_NO_DEVICE`` and ``cudaErrorNoDevice``."""
    joined = text.replace("_", "")
    for prefix, table in (("CUDAERROR", CUDA), ("NVMLERROR", NVML)):
        for name, _, cause in table.values():
            code = NAMES.get(name, cause)
            if code and prefix + name.replace("_", "") in joined:
                yield code
