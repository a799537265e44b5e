"""The cascade where it is itself at fault: the install goes on with what the kernel said."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider.detect.cascade import detect
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Status
from tests.disguise import as_part_of

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.child import ChildReply

PCI = "/sys/bus/pci/devices/0000:01:00.0"


class FaultyHost(ReplayHost):
    """A machine with an H100 under R580, and a mistake of ours in asking its libraries."""

    def __init__(self) -> None:
        files = {
            "/sys/module/nvidia/version": "580.65.06\n",
            f"{PCI}/vendor": "0x10de\n",
            f"{PCI}/class": "0x030200\n",
            f"{PCI}/device": "0x2330\n",
            f"{PCI}/driver": {"link": "../../../../bus/pci/drivers/nvidia"},
            "/dev/nvidia0": {"present": True},
        }
        platform = {"system": "linux", "architecture": "x86_64", "libc": "glibc"}
        super().__init__({"platform": platform, "files": files})

    def fail(self, api: str, path: str, seconds: float) -> ChildReply:
        raise LookupError(f"{api} {path} {seconds:g}")

    ask_library = as_part_of("nvidia_variant_provider", fail)


ELF: Final = "7f454c4602010100" + "00" * 8 + "03003e00"
NO_CHILD: Final = "not started: [Errno 11] Resource temporarily unavailable"
WSL: Final[dict[str, Any]] = {
    "platform": {"system": "linux", "architecture": "x86_64", "libc": "glibc"},
    "files": {
        "/dev/dxg": {"present": True},
        "/usr/lib/wsl/lib/libcuda.so.1": {"size": 5000, "head": ELF},
    },
    "libraries": [
        {"api": api, "path": path, "end": NO_CHILD, "lines": []}
        for api, path in (
            ("nvml", "libnvidia-ml.so.1"),
            ("cuda", "/usr/lib/wsl/lib/libcuda.so.1"),
        )
    ],
}


def test_for_want_of_processes_an_installer_is_told_and_a_person_sees_it() -> None:
    with pytest.raises(OSError, match=r"no child process: \[Errno 11") as raised:
        detect(ReplayHost(WSL))

    seen = detect(ReplayHost(WSL), confirm=True).machine
    assert raised.value.errno == errno.EAGAIN
    assert (seen.status, seen.reason) == (
        Status.BLOCKED,
        "the driver of Windows could not be asked: it says nothing in files",
    )


def test_where_no_gpu_is_given_nothing_is_missed_for_want_of_processes() -> None:
    files = {"/sys/module/nvidia/version": "580.65.06\n", "/dev/nvidiactl": {"present": True}}
    libraries = [
        {**row, "path": f"lib{name}.so.1"}
        for row, name in zip(WSL["libraries"], ("nvidia-ml", "cuda"), strict=True)
    ]

    found = detect(ReplayHost({**WSL, "files": files, "libraries": libraries})).machine

    assert (found.status, [note.code for note in found.notes]) == (
        Status.DRIVER_NO_GPU,
        ["no-child-process"],
    )


def test_a_sandbox_that_allows_no_child_is_a_condition_of_the_machine() -> None:
    libraries = [
        {**row, "end": "not started: [Errno 1] Operation not permitted"} for row in WSL["libraries"]
    ]

    assert detect(ReplayHost({**WSL, "libraries": libraries})).machine.status is Status.BLOCKED


def test_a_mistake_of_ours_costs_neither_the_install_nor_what_the_kernel_said() -> None:
    found = detect(FaultyHost(), 10)

    text = "please report this: LookupError: nvml libnvidia-ml.so.1 7"
    assert found.machine.cuda == CudaVersion(13, 0)
    assert found.machine.capabilities == (ComputeCapability(9, 0),)
    assert [note.code for note in found.machine.notes] == ["internal-error"]
    assert found.machine.notes[0].text == text
    assert [step.detail for step in found.trail if step.probe == "internal"] == [text]
