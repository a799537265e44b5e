"""Questions to NVML that only a person's ``detect`` asks: why GPUs that answer do not compute.

Imported by ``worker.py`` in its child, by the name of this file: like that one it imports nothing
of this package. Prototypes: nvml.h of CUDA 12.9 and 13.5.
"""

from __future__ import annotations

import ctypes

# Type checkers know the name; an isolated interpreter has not paid for typing.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol

    class Library(Protocol):
        """A loaded library; see ``worker.Library``."""

        def call(self, name: str, *arguments: object) -> int:
            """Call a function that returns a status code."""
            ...

    class Reporter(Protocol):
        """The channel; see ``worker.Reporter``."""

        def say(self, word: str, *fields: object) -> None:
            """Send one line."""
            ...


MAX_DEVICES = 256


class FabricInfo(ctypes.Structure):
    """``nvmlGpuFabricInfo_t``, 28 bytes."""

    _fields_ = [
        ("cluster_uuid", ctypes.c_ubyte * 16),
        ("status", ctypes.c_int),
        ("clique_id", ctypes.c_uint),
        ("state", ctypes.c_ubyte),
    ]


def ask(library: Library, report: Reporter) -> None:
    """Report through NVML what keeps GPUs that answer it from computing."""
    code = library.call("nvmlInit_v2")
    report.say("init", code)
    if code:
        return
    state = (ctypes.c_uint * 3)()  # nvmlConfComputeSystemState_t: environment, feature, tools
    code = library.call("nvmlSystemGetConfComputeState", state)
    report.say("cc", code, state[1])
    ready = ctypes.c_uint()
    code = library.call("nvmlSystemGetConfComputeGpusReadyState", ctypes.byref(ready))
    report.say("ready", code, ready.value)
    count = ctypes.c_uint()
    code = library.call("nvmlDeviceGetCount_v2", ctypes.byref(count))
    for index in range(min(count.value, MAX_DEVICES) if code == 0 else 0):
        device = ctypes.c_void_p()
        number = ctypes.c_uint(index)
        if not library.call("nvmlDeviceGetHandleByIndex_v2", number, ctypes.byref(device)):
            ask_device(library, report, index, device)


def ask_device(library: Library, report: Reporter, index: int, device: ctypes.c_void_p) -> None:
    """Report the fabric state of one GPU, its compute mode, and its rows of memory."""
    info = FabricInfo()
    code = library.call("nvmlDeviceGetGpuFabricInfo", device, ctypes.byref(info))
    report.say("fabric", index, code, info.state, info.status)
    mode = ctypes.c_int()
    code = library.call("nvmlDeviceGetComputeMode", device, ctypes.byref(mode))
    report.say("mode", index, code, mode.value)
    rows = [ctypes.c_uint() for _ in range(4)]  # corrected, not corrected, pending, failed
    code = library.call("nvmlDeviceGetRemappedRows", device, *map(ctypes.byref, rows))
    report.say("rows", index, code, rows[2].value, rows[3].value)
