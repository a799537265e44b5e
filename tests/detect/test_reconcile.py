"""What several sources say together, where no record of a machine has just that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.detect.answer import LibraryAnswer
from nvidia_variant_provider.detect.child import End
from nvidia_variant_provider.detect.kernel import KernelView, PciGpu
from nvidia_variant_provider.detect.observations import Observations
from nvidia_variant_provider.detect.outcome import Miss, MissReason
from nvidia_variant_provider.detect.reconcile import answering_gpus, reconcile
from nvidia_variant_provider.model import ComputeCapability, Gpu, Platform

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Note

DONE = End.of_code(0)
V100, T4, B200 = 0x1DB1, 0x1EB8, 0x2901


def notes(code: str, *gpus: tuple[int, str], cuda: tuple[LibraryAnswer, ...] = ()) -> list[Note]:
    """Return the notes of a code on a machine with GPUs of these ids, each bound to a driver."""
    pci = tuple(
        PciGpu(f"0000:0{at}:00.0", device_id, driver)
        for at, (device_id, driver) in enumerate(gpus, 1)
    )
    kernel = KernelView(Miss("/proc/driver/nvidia/version", MissReason.ABSENT), pci=pci)
    platform = Platform("linux", "x86_64", "glibc")
    machine = reconcile(Observations(platform, kernel, cuda=cuda))
    return [note for note in machine.notes if note.code == code]


def test_no_kernel_module_drives_a_gpu_before_turing_and_one_from_blackwell_on() -> None:
    (note,) = notes("gpus-of-two-modules", (V100, ""), (B200, "nvidia"))

    assert note.text == (
        "no kernel module drives GPUs before 7.5 and those from 10.0 on: without a driver here is "
        "NVIDIA GV100 (7.0)"
    )


def test_the_open_module_drives_turing_and_blackwell() -> None:
    assert notes("gpus-of-two-modules", (T4, "nvidia"), (B200, "nvidia")) == []


def test_the_closed_module_drives_volta_and_turing() -> None:
    assert notes("gpus-of-two-modules", (V100, "nvidia"), (T4, "nvidia")) == []


def test_a_rejected_libcuda_is_named_once_by_its_file_whoever_led_to_it() -> None:
    file = "/usr/local/cuda/compat/libcuda.so.1"
    by_soname = LibraryAnswer("cuda", "libcuda.so.1", DONE, file=file, init=803)
    by_path = LibraryAnswer("cuda", file, DONE, init=803)

    (note,) = notes("libcuda-rejected", cuda=(by_soname, by_path))

    assert note.text.startswith(f"{file} is a libcuda this driver rejects (803)")
    assert note.facts == (("folder", "/usr/local/cuda/compat"),)


def test_what_a_gpu_lacks_is_filled_from_the_same_gpu_of_another_source() -> None:
    first, second = "0000:01:00.0", "0000:02:00.0"
    old, new = ComputeCapability(8, 0), ComputeCapability(9, 0)
    nvml = (Gpu("A", pci_address=first, memory=80), Gpu("B", pci_address=second, capability=new))
    cuda = (
        Gpu("b", pci_address=second, capability=old),
        Gpu("a", pci_address=first, capability=old),
    )
    seen = Observations(
        Platform("linux", "x86_64", "glibc"),
        nvml=(LibraryAnswer("nvml", "libnvidia-ml.so.1", DONE, init=0, complete=True, gpus=nvml),),
        cuda=(LibraryAnswer("cuda", "libcuda.so.1", DONE, init=0, complete=True, gpus=cuda),),
    )

    assert answering_gpus(seen) == (
        Gpu("A", pci_address=first, capability=old, source="libcuda", memory=80),
        Gpu("B", pci_address=second, capability=new, source="NVML"),
    )
