"""Single replies that make no sense, and what is kept beside them."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.detect.answer import LibraryAnswer, parse_answer
from nvidia_variant_provider.detect.cascade import MAX_ATTEMPTS, detect
from nvidia_variant_provider.detect.child import EXITED, TIMEOUT, ChildReply, End, Ending
from nvidia_variant_provider.detect.diagnose import diagnose
from nvidia_variant_provider.detect.kernel import KernelView, PciGpu, probe_driver_release
from nvidia_variant_provider.detect.libraries import check_library
from nvidia_variant_provider.detect.observations import Observations, kernel_gpus, left_behind
from nvidia_variant_provider.detect.outcome import Hit, Miss, MissReason
from nvidia_variant_provider.detect.replay import ReplayFiles, ReplayHost
from nvidia_variant_provider.detect.smi import QUERY, parse_rows
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, DriverRelease, Gpu, Platform, Status

LINUX = Platform("linux", "x86_64", "glibc")
NO_RELEASE = Miss("/sys/module/nvidia/version", MissReason.ABSENT)
R580 = Hit(DriverRelease("580.65.06"), "/sys/module/nvidia/version")


def gpus_of(*lines: str) -> tuple[Gpu, ...]:
    text = "\n".join(("loaded\tx", "init\t0", "count\t0\t1", "gpu\t0\t0", *lines))
    return parse_answer("nvml", "x", ChildReply(text, EXITED)).gpus


@pytest.mark.parametrize(
    ("line", "gpu"),
    [
        ("name\t0\t0\tH100", Gpu("H100")),
        ("colour\t0\t0\tgreen", Gpu()),
        ("capability\t0\t0\t9\t0", Gpu(capability=ComputeCapability(9, 0))),
        ("capability\t0\t0\t99\t99", Gpu()),
        ("pci\t0\t0\t00000000:01:00.0", Gpu(pci_address="0000:01:00.0")),
        ("pci\t0\t0\tnowhere", Gpu()),
        ("name\t0\t0\tH\\x31\\n\\\\", Gpu("H1\n\\")),
        ("name\t0\t0\tH\\q", Gpu()),
        ("name\t0\t0\tH\\N{BULLET}", Gpu()),
        ("name\t0\t0\tH\x07", Gpu()),
    ],
)
def test_of_a_gpu_only_what_makes_sense_is_kept(line: str, gpu: Gpu) -> None:
    assert gpus_of(line) == (gpu,)


@pytest.mark.parametrize(
    ("row", "capability"),
    [
        ("580.65.06, 9.0, 0x233010DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100", "9.0"),
        ("580.65.06, [N/A], 0x233010DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100", "9.0"),
        ("580.65.06, [N/A], [N/A], GPU-1, 00000000:01:00.0, 81559 MiB, H100", "None"),
        ("580.65.06, [N/A], 0x000110DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100", "None"),
    ],
)
def test_a_row_of_nvidia_smi_tells_the_capability_in_two_ways(row: str, capability: str) -> None:
    release, gpus = parse_rows(f"a warning\n{row}\n", QUERY)

    assert release == DriverRelease("580.65.06")
    assert [(str(gpu.capability), gpu.memory) for gpu in gpus] == [(capability, 81559)]


def test_a_row_without_a_release_is_no_row() -> None:
    assert parse_rows(
        "[N/A], 9.0, 0x233010DE, GPU-1, 00000000:01:00.0, 81559 MiB, H100", QUERY
    ) == (None, ())


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, MissReason.ABSENT),
        ({"/proc/driver/nvidia/version": "NVRM version: none\n"}, MissReason.MALFORMED),
        ({"/sys/module/nvidia/version": "R580\n"}, MissReason.ABSENT),
        ({"/proc/driver/nvidia/version": {"error": "EACCES"}}, MissReason.DENIED),
        ({"/proc/driver/nvidia/version": {"error": "EIO"}}, MissReason.UNREADABLE),
    ],
)
def test_a_release_that_cannot_be_read_is_a_miss(
    files: dict[str, object], reason: MissReason
) -> None:
    found = probe_driver_release(ReplayFiles(files, is_real=True))

    assert isinstance(found, Miss)
    assert found.reason is reason


def test_a_library_that_may_not_be_read_is_passed_over() -> None:
    path = "/usr/lib64/libcuda.so.1"
    host = ReplayHost(
        {
            "platform": {"system": "linux", "architecture": "x86_64"},
            "files": {path: {"size": 9, "error": "EACCES"}},
        }
    )

    assert check_library(host, path) == Miss(path, MissReason.DENIED, "permission denied")


def test_a_device_id_that_is_none_is_named() -> None:
    platform = {"system": "win32", "architecture": "x86_64"}

    with pytest.raises(InvalidValueError, match="registry: not a device id: 'ten'"):
        ReplayHost({"platform": platform, "registry": ["2684", "ten"]})


def test_without_the_kernel_s_files_there_are_no_gpus_of_its() -> None:
    assert kernel_gpus(Observations(Platform("win32", "x86_64"))) == ()


def test_a_gpu_of_unknown_capability_is_not_said_to_be_left_behind() -> None:
    assert not left_behind(Gpu("new"), R580)
    assert not left_behind(Gpu(capability=ComputeCapability(6, 1)), None)
    assert not left_behind(Gpu(capability=ComputeCapability(6, 1)), R580)
    assert left_behind(Gpu(capability=ComputeCapability(3, 5)), R580)


def test_where_libcuda_could_not_be_started_nvml_s_word_is_enough() -> None:
    gpu = Gpu("H100", capability=ComputeCapability(9, 0))
    nvml = LibraryAnswer("nvml", "x", EXITED, loaded=True, init=0, gpus=(gpu,), complete=True)
    cuda = LibraryAnswer("cuda", "x", End(Ending.NOT_STARTED))
    seen = Observations(LINUX, KernelView(R580, module=True), (nvml,), (cuda,))

    found = diagnose(seen, (gpu,))

    assert (found.status, found.reason) == (Status.OK, "the GPUs answer; CUDA could not be asked")


def test_a_tegra_board_that_is_silent_keeps_its_gpu() -> None:
    orin = Gpu("Orin", capability=ComputeCapability(8, 7), integrated=True)
    kernel = KernelView(NO_RELEASE, nodes=("nvmap",), tegra=True, tegra_gpu=orin)
    silent = LibraryAnswer("cuda", "x", TIMEOUT, loaded=True)

    found = diagnose(Observations(LINUX, kernel, cuda=(silent,)), ())

    assert (found.status, found.gpus) == (Status.TIMEOUT, (orin,))
    assert not found.usable_driver


@pytest.mark.parametrize(
    ("installed", "codes"),
    [("", ["held-by-nouveau"]), ("535.54.03", ["driver-installed", "held-by-nouveau"])],
)
def test_a_gpu_without_a_driver_is_told_of_installed_libraries(
    installed: str, codes: list[str]
) -> None:
    kernel = KernelView(NO_RELEASE, pci=(PciGpu("0000:01:00.0", 0x2330, "nouveau"),))

    found = diagnose(Observations(LINUX, kernel, installed=installed), ())

    assert found.status is Status.GPU_NO_DRIVER
    assert "bound to nouveau" in found.reason
    assert [note.code for note in found.notes] == codes


def test_no_more_copies_of_a_library_are_tried_than_time_allows() -> None:
    elf = {"size": 5000, "head": "7f454c4602010100000000000000000003003e00"}
    folders = ("/usr/lib64", "/usr/lib", "/usr/lib64/nvidia", "/usr/local/nvidia/lib64")
    files = {f"{folder}/libnvidia-ml.so.1": elf for folder in (*folders, "/usr/lib64-nvidia")}
    host = ReplayHost(
        {
            "platform": {"system": "linux", "architecture": "x86_64", "libc": "glibc"},
            "files": {"/sys/module/nvidia/version": "580.65.06\n", **files},
        }
    )

    tried = [step.source for step in detect(host).trail if step.probe == "nvml"]

    assert len(tried) == MAX_ATTEMPTS < 1 + len(files)
