"""The true ABI of NVML and of the CUDA driver API, proved against compiled libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Gpu, Status
from tests.native.build import R580, SONAMES
from tests.native.machines import ADDRESSES, UUIDS, gpu_lines

if TYPE_CHECKING:
    from tests.native.conftest import Ask
    from tests.native.machines import ForgedMachine

C90 = ComputeCapability(9, 0)


def test_nvml_tells_everything(h100: ForgedMachine, ask_plugin: Ask) -> None:
    h100.install("nvml", "driver 580.65.06\ncuda 12080\n" + gpu_lines(2) + "memory 0 81559\n")

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(12, 8)
    # NVML does not say whether a GPU is integrated; the device id of the first one does.
    assert asked.machine.gpus == (
        Gpu("NVIDIA H100", UUIDS[0], ADDRESSES[0], C90, False, "NVML", 81559),  # noqa: FBT003
        Gpu("NVIDIA H100", UUIDS[1], ADDRESSES[1], C90, integrated=None, source="NVML"),
    )


def test_libcuda_tells_everything(h100: ForgedMachine, ask_plugin: Ask) -> None:
    conf = "cuda 12080\n" + gpu_lines(2, "12.1") + "integrated 1\nmemory 1 122570\n"
    h100.install("cuda", conf)

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(12, 8)
    c121 = ComputeCapability(12, 1)
    assert asked.machine.gpus == (
        Gpu("NVIDIA H100", UUIDS[0], ADDRESSES[0], c121, integrated=False, source="libcuda"),
        Gpu("NVIDIA H100", UUIDS[1], ADDRESSES[1], c121, True, "libcuda", 122570),  # noqa: FBT003
    )


@pytest.mark.parametrize(
    "missing",
    [
        "nvmlInit_v2",
        "nvmlSystemGetDriverVersion",
        "nvmlSystemGetCudaDriverVersion_v2",
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetCudaComputeCapability",
        "nvmlDeviceGetName",
        "nvmlDeviceGetUUID",
        "nvmlDeviceGetPciInfo_v3",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetMemoryInfo",
    ],
)
def test_a_function_that_nvml_lacks_costs_its_fact_only(
    h100: ForgedMachine, ask_plugin: Ask, missing: str
) -> None:
    h100.install("nvml", R580 + gpu_lines(), missing=[missing])
    h100.install("cuda", R580 + gpu_lines())

    asked = ask_plugin()

    assert asked.machine.status is Status.OK
    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.capabilities == (C90,)


@pytest.mark.parametrize(
    "missing",
    [
        "cuDeviceGetUuid",
        "cuDeviceGetName",
        "cuDeviceGetPCIBusId",
        "cuDeviceTotalMem_v2",
        "cuDriverGetVersion",
    ],
)
def test_a_function_that_libcuda_lacks_costs_its_fact_only(
    h100: ForgedMachine, ask_plugin: Ask, missing: str
) -> None:
    h100.install("cuda", R580 + gpu_lines(), missing=[missing])

    asked = ask_plugin()

    assert asked.machine.status is Status.OK
    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.gpus[0].capability == C90
    assert asked.machine.gpus[0].source == "libcuda"


@pytest.mark.parametrize("missing", ["cuInit", "cuDeviceGet", "cuDeviceGetAttribute"])
def test_without_the_functions_that_count_the_kernel_speaks(
    h100: ForgedMachine, ask_plugin: Ask, missing: str
) -> None:
    h100.install("cuda", R580 + gpu_lines(), missing=[missing])

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.capabilities == (C90,)


@pytest.mark.parametrize(
    ("code", "status"),
    [(4, Status.BLOCKED), (9, Status.BROKEN), (17, Status.BLOCKED), (18, Status.BROKEN),
     (27, Status.BROKEN), (999, Status.BLOCKED)],
)  # fmt: skip
def test_what_nvml_refuses_with_decides_the_status(
    h100: ForgedMachine, ask_plugin: Ask, code: int, status: Status
) -> None:
    h100.install("nvml", f"init {code}\n")

    asked = ask_plugin()

    assert asked.machine.status is status
    assert f"NVML {code} (" in asked.machine.reason
    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.cuda_derived


@pytest.mark.parametrize("code", [46, 304, 802, 803, 804, 805, 999])
def test_what_cuda_refuses_with_is_in_the_reason(
    h100: ForgedMachine, ask_plugin: Ask, code: int
) -> None:
    h100.install("cuda", f"{R580}init {code}\n")

    asked = ask_plugin()

    assert asked.machine.status is Status.BROKEN
    assert f"cuInit {code} (" in asked.machine.reason
    assert asked.machine.capabilities == (C90,)


def test_a_stub_is_no_driver(h100: ForgedMachine, ask_plugin: Ask) -> None:
    h100.install("cuda", "stub\ncuda 15000\n")

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.cuda_derived
    assert "libcuda-stub" in {note.code for note in asked.machine.notes}


@pytest.mark.parametrize("api", ["nvml", "cuda"])
@pytest.mark.parametrize(
    ("offset", "byte", "said"),
    [(4, 1, "other architecture: 32-bit"), (18, 8, "other architecture"), (0, 0, "malformed")],
    ids=["32-bit", "another processor", "not ELF"],
)
def test_a_file_that_is_no_library_of_this_machine_is_passed_over(
    h100: ForgedMachine, ask_plugin: Ask, api: str, offset: int, byte: int, said: str
) -> None:
    path = h100.install(api, R580 + gpu_lines())
    image = bytearray(path.read_bytes())
    image[offset] = byte
    path.write_bytes(image)

    asked = ask_plugin()

    assert [detail for detail in asked.details(api) if detail.startswith(said)]
    assert asked.machine.capabilities == (C90,)


@pytest.mark.parametrize("api", ["nvml", "cuda"])
def test_a_library_cut_short_is_passed_over(h100: ForgedMachine, ask_plugin: Ask, api: str) -> None:
    path = h100.install(api, R580 + gpu_lines())
    path.write_bytes(path.read_bytes()[:2000])

    asked = ask_plugin()

    # The loader maps more than there is: touching it is signal 7, unless it says so first.
    assert asked.details(api)[0] == "signal 7" or SONAMES[api] in asked.details(api)[0]
    assert asked.machine.capabilities == (C90,)


@pytest.mark.parametrize("api", ["nvml", "cuda"])
@pytest.mark.parametrize("count", [0, 257, 2_147_483_648, 4_294_967_295])
def test_a_wrong_number_of_gpus_is_survived(
    h100: ForgedMachine, ask_plugin: Ask, api: str, count: int
) -> None:
    h100.install(api, f"{R580}{gpu_lines()}count {count}\n")

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(13, 0)
    assert len(asked.machine.gpus) <= 1


@pytest.mark.parametrize("api", ["nvml", "cuda"])
@pytest.mark.parametrize(
    "capability", ["99.99", "0.0", "9.12", "-1.0", "2147483647.0", "-2147483648.-1"]
)
def test_an_absurd_capability_is_not_believed(
    h100: ForgedMachine, ask_plugin: Ask, api: str, capability: str
) -> None:
    h100.install(api, R580 + gpu_lines(capability=capability))

    asked = ask_plugin()

    assert asked.machine.capabilities == (C90,)
    assert asked.machine.gpus[0].source == "PCI device id 2330"


@pytest.mark.parametrize("api", ["nvml", "cuda"])
@pytest.mark.parametrize("cuda", [0, -1, 1, 999, 99991, 2_147_483_647, -2_147_483_648])
def test_an_absurd_cuda_version_is_not_believed(
    h100: ForgedMachine, ask_plugin: Ask, api: str, cuda: int
) -> None:
    h100.install(api, f"cuda {cuda}\ndriver 580.65.06\n{gpu_lines()}")

    asked = ask_plugin()

    assert asked.machine.cuda == CudaVersion(13, 0)
    assert asked.machine.cuda_derived


@pytest.mark.parametrize("api", ["nvml", "cuda"])
@pytest.mark.parametrize(
    ("said", "name"),
    [
        (r"NVIDIA \xff\xfe GPU", "NVIDIA \ufffd\ufffd GPU"),
        (r"NVIDIA\x0aend\x09forged", "NVIDIA\nend\tforged"),
        (r"back\x5cslash \x5cn", "back\\slash \\n"),
        (r"\xc3\x9cber-GPU \xe2\x82\xac", "Über-GPU €"),
    ],
    ids=["not UTF-8", "line breaks", "backslashes", "beyond ASCII"],
)
def test_a_strange_name_arrives_and_forges_nothing(
    h100: ForgedMachine, ask_plugin: Ask, api: str, said: str, name: str
) -> None:
    h100.install(api, R580 + gpu_lines(name=said))

    asked = ask_plugin()

    assert asked.machine.gpus[0].name == name
    assert asked.machine.status is Status.OK


@pytest.mark.parametrize("api", ["nvml", "cuda"])
def test_texts_that_are_too_long_cost_their_fact_only(
    h100: ForgedMachine, ask_plugin: Ask, api: str
) -> None:
    h100.install(api, R580 + gpu_lines(name="N" * 250))

    asked = ask_plugin()

    assert asked.machine.status is Status.OK
    assert asked.machine.capabilities == (C90,)
    assert len(asked.machine.gpus[0].name) <= 96


def test_sixty_four_gpus_are_counted(h100: ForgedMachine, ask_plugin: Ask) -> None:
    rows = "".join(
        f"gpu 9.0 GPU-{index:08x}-2222-3333-4444-555555555555 0000{index:04x}:01:00.0 NVIDIA H100\n"
        for index in range(64)
    )
    h100.install("nvml", R580 + rows)

    asked = ask_plugin()

    assert len(asked.machine.gpus) == 64
