"""The status codes of NVML, of the CUDA driver API and of Windows' devices.

Of each number the name in the header, the meaning, and the cause behind it where it has one: NVML's
where a GPU that it counts does not answer, CUDA's where the GPUs answer and ``cuInit`` does not.
Sources: nvml.h of CUDA 12.9, cuda.h of CUDA 13.5, cfg.h of the Windows SDK; the causes from public
threads (docs/status.md). ``detect/remedies.py`` says what to do.
"""

from __future__ import annotations

from typing import Final

NVML: Final[dict[int, tuple[str, str, str]]] = {
    1: ("UNINITIALIZED", "uninitialised", ""),
    2: ("INVALID_ARGUMENT", "invalid argument", ""),
    3: ("NOT_SUPPORTED", "not supported", ""),
    4: ("NO_PERMISSION", "insufficient permissions", ""),
    6: ("NOT_FOUND", "not found", ""),
    8: ("INSUFFICIENT_POWER", "a power cable is missing", "power-cable"),
    9: ("DRIVER_NOT_LOADED", "driver not loaded", ""),
    10: ("TIMEOUT", "timeout", ""),
    11: ("IRQ_ISSUE", "interrupts of the GPU do not arrive", "interrupts-missing"),
    12: ("LIBRARY_NOT_FOUND", "libcuda not found", ""),
    13: ("FUNCTION_NOT_FOUND", "function not found", ""),
    14: ("CORRUPTED_INFOROM", "infoROM is corrupted", ""),
    15: ("GPU_IS_LOST", "GPU is lost", "gpu-lost"),
    16: ("RESET_REQUIRED", "GPU needs a reset", "gpu-needs-reset"),
    17: ("OPERATING_SYSTEM", "blocked by the operating system", ""),
    18: ("LIB_RM_VERSION_MISMATCH", "driver/library version mismatch", ""),
    19: ("IN_USE", "GPU is in use", ""),
    20: ("MEMORY", "out of memory", ""),
    23: ("INSUFFICIENT_RESOURCES", "insufficient resources", ""),
    27: ("NOT_READY", "not ready", ""),
    28: ("GPU_NOT_FOUND", "no GPU found", ""),
    999: ("UNKNOWN", "unknown error", ""),
}
CUDA: Final[dict[int, tuple[str, str, str]]] = {
    1: ("INVALID_VALUE", "invalid value", ""),
    2: ("OUT_OF_MEMORY", "out of memory", "gpu-memory-full"),
    3: ("NOT_INITIALIZED", "not initialised", "uvm-memory-management"),
    34: ("STUB_LIBRARY", "stub library", ""),
    35: ("INSUFFICIENT_DRIVER", "the driver is older than the build's CUDA", ""),
    36: ("CALL_REQUIRES_NEWER_DRIVER", "the call needs a newer driver", ""),
    46: ("DEVICE_UNAVAILABLE", "device unavailable", "gpu-exclusive"),
    100: ("NO_DEVICE", "no device", ""),
    101: ("INVALID_DEVICE", "invalid device", ""),
    102: ("DEVICE_NOT_LICENSED", "vGPU without a licence", "vgpu-licence"),
    201: ("INVALID_CONTEXT", "invalid context", ""),
    209: ("NO_BINARY_FOR_GPU", "no code for this GPU in the build", ""),
    221: ("JIT_COMPILER_NOT_FOUND", "the compiler of PTX is missing", "driver-incomplete"),
    222: ("UNSUPPORTED_PTX_VERSION", "the PTX is newer than the driver", ""),
    223: ("JIT_COMPILATION_DISABLED", "compiling PTX is switched off", ""),
    302: (
        "SHARED_OBJECT_SYMBOL_NOT_FOUND",
        "a symbol of the driver is missing",
        "driver-incomplete",
    ),
    303: (
        "SHARED_OBJECT_INIT_FAILED",
        "a library of the driver does not start",
        "driver-incomplete",
    ),
    304: ("OPERATING_SYSTEM", "operating system error", "sandbox-or-limits"),
    500: ("NOT_FOUND", "function not found", ""),
    700: ("ILLEGAL_ADDRESS", "illegal address", ""),
    800: ("NOT_PERMITTED", "not permitted", "gpu-not-permitted"),
    801: ("NOT_SUPPORTED", "not supported", "vgpu-without-uvm"),
    802: ("SYSTEM_NOT_READY", "system not ready", ""),
    803: ("SYSTEM_DRIVER_MISMATCH", "driver mismatch", ""),
    804: ("COMPAT_NOT_SUPPORTED_ON_DEVICE", "forward compatibility not supported on this GPU", ""),
    805: ("MPS_CONNECTION_FAILED", "MPS connection failed", "mps-daemon"),
    806: ("MPS_RPC_FAILURE", "MPS does not answer", "mps-daemon"),
    807: ("MPS_SERVER_NOT_READY", "MPS server not ready", "mps-daemon"),
    808: ("MPS_MAX_CLIENTS_REACHED", "MPS has no room for another client", "mps-daemon"),
    809: ("MPS_MAX_CONNECTIONS_REACHED", "MPS has no connection left", "mps-daemon"),
    810: ("MPS_CLIENT_TERMINATED", "MPS has ended the client", "mps-daemon"),
    919: ("FABRIC_NOT_READY", "NVLink fabric not ready", "fabric-not-ready"),
    999: ("UNKNOWN", "unknown error", "uvm-stuck"),
}
# Why Windows does not start a device: the problem codes that are seen on GPUs.
WINDOWS: Final[dict[int, tuple[str, str, str]]] = {
    10: ("FAILED_START", "does not start", "win-failed"),
    12: ("NORMAL_CONFLICT", "finds no resources", "win-failed"),
    14: ("NEED_RESTART", "needs a restart of Windows", "win-restart"),
    22: ("DISABLED", "is disabled", "win-disabled"),
    28: ("FAILED_INSTALL", "has no driver", "win-no-driver"),
    31: ("FAILED_ADD", "its driver does not load", "win-failed"),
    39: ("DRIVER_FAILED_LOAD", "its driver does not load", "win-failed"),
    43: ("FAILED_POST_START", "failed after its start", "win-failed"),
    52: ("UNSIGNED_DRIVER", "its driver is not signed", "win-failed"),
    54: ("DEVICE_RESET", "is being reset", "win-restart"),
}


def describe_code(api: str, code: int) -> str:
    """Name a status code: ``NVML 18 (driver/library version mismatch)``."""
    table, name = (NVML, "NVML") if api == "nvml" else (CUDA, "cuInit")
    return f"{name} {code} ({table[code][1]})" if code in table else f"{name} {code}"
