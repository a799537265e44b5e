"""What Windows lists of its devices: the worker with a stand-in library, and the parser."""

from __future__ import annotations

import ctypes
from typing import Any, Final

import pytest

from nvidia_variant_provider.detect import worker
from nvidia_variant_provider.detect.child import EXITED, ChildReply
from nvidia_variant_provider.detect.windows import parse_devices

NAMES: Final = (
    "PCI\\VEN_8086&DEV_1234&SUBSYS_00000000",
    "PCI\\VEN_10DE&DEV_2684&SUBSYS_40BF1458",
    "pci\\ven_10de&dev_228b&subsys_40bf1458",
)
HAS_PROBLEM: Final = 0x400


class ConfigurationManager:
    """Answers like cfgmgr32.dll for a machine with these devices."""

    def __init__(self, names: tuple[str, ...], problem: int = 0, size_code: int = 0) -> None:
        self.text = "\0".join((*names, "", ""))
        self.problem = problem
        self.size_code = size_code

    def call(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - what ctypes makes
        if name == "CM_Get_Device_ID_List_SizeW":
            ctypes.cast(arguments[0], ctypes.POINTER(ctypes.c_ulong))[0] = len(self.text)
            return self.size_code
        if name == "CM_Get_Device_ID_ListW":
            arguments[1][: len(self.text)] = self.text
        if name == "CM_Get_DevNode_Status":
            status = HAS_PROBLEM if self.problem else 0
            ctypes.cast(arguments[0], ctypes.POINTER(ctypes.c_ulong))[0] = status
            ctypes.cast(arguments[1], ctypes.POINTER(ctypes.c_ulong))[0] = self.problem
        return 0


class Lines:
    """A reporter that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def say(self, *words: object) -> None:
        self.said.append(words)


@pytest.mark.parametrize("problem", [0, 22])
def test_the_worker_lists_present_devices_of_the_vendor_with_their_problem(problem: int) -> None:
    lines = Lines()

    worker.ask_devices(ConfigurationManager(NAMES, problem), lines)  # type: ignore[arg-type]  # stand-ins

    assert lines.said == [
        ("init", 0),
        ("device", 0, "2684", problem),
        ("device", 1, "228b", problem),
    ]


def test_where_windows_lists_nothing_nothing_is_reported() -> None:
    lines = Lines()

    worker.ask_devices(ConfigurationManager(NAMES, size_code=26), lines)  # type: ignore[arg-type]  # stand-ins

    assert lines.said == [("init", 26)]


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("init\t0\ndevice\t0\t2684\t22\ndevice\t1\t22ba\t0\nend", [(0x2684, 22)]),
        ("init\t0\ndevice\t0\tx\t0\ndevice\t1\nend", []),
        ("init\t0\nend", []),
        ("init\t0\ndevice\t0\t2684\t0", None),
        ("init\t26\nend", None),
        ("", None),
    ],
)
def test_devices_are_known_only_if_windows_said_all(
    text: str, gpus: list[tuple[int, int]] | None
) -> None:
    found = parse_devices(ChildReply(text, EXITED))

    shown = None if found is None else [(gpu.device_id, gpu.problem) for gpu in found]
    assert shown == gpus
