"""Machines by name: every row, every form of a driver, every refusal."""

from __future__ import annotations

import string
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError, OverrideError
from nvidia_variant_provider.model import ComputeCapability, Status
from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH, GPU, MACHINE, RULES, TARGET
from nvidia_variant_provider.provider import answer
from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.tables.driver_branches import (
    BRANCHES,
    DEFAULT_BRANCH,
    cuda_of_branch,
)
from nvidia_variant_provider.tables.names import NamedGpu, gpus_named
from nvidia_variant_provider.tables.pci import all_chips
from nvidia_variant_provider.tables.products import CAPABILITIES, JETPACKS, CapabilityFacts
from nvidia_variant_provider.tables.sm_archs import TEGRA_CAPABILITIES
from nvidia_variant_provider.targets.devices import (
    Device,
    chips,
    device_of,
    find_device,
    generation,
    products,
)
from nvidia_variant_provider.targets.target import (
    ASSUMED,
    default_driver,
    parse_target,
)

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTS = tuple(products())
NAMES = [device.name for device in PRODUCTS]
ASKED_FOR = (
    "h100 h200 gh200 b200 gb200 b300 gb300 vera-rubin vr200 a100 a10 l4 l40s t4 v100 p100 rtx-5090"
    " rtx-4090 gtx-1080-ti rtx-pro-6000 dgx-spark jetson-orin jetson-thor"
)


def test_names_and_aliases_are_unique_lower_case_and_free_of_the_grammar() -> None:
    names = [name for device in PRODUCTS for name in (device.name, *device.aliases)]

    assert len(names) == len(set(names))
    assert set("".join(names)) <= set(string.ascii_lowercase + string.digits + "-")
    assert set(names).isdisjoint(device.name for device in chips())


@pytest.mark.parametrize("device", [*PRODUCTS, *chips()], ids=lambda it: it.name)
def test_every_row_is_complete(device: Device) -> None:
    assert device.architectures
    assert set(device.architectures) <= {"x86_64", "aarch64"}
    assert device.facts.capability == device.capability
    assert device.title.isprintable()
    assert generation(device.capability)
    if device.tegra:
        assert device.jetpacks or device.name not in NAMES
    else:
        assert device.first_branch in dict(BRANCHES)
        assert device.last_branch is None or device.last_branch >= (device.first_branch or 0)


@pytest.mark.parametrize("device", PRODUCTS, ids=lambda it: it.name)
def test_every_product_gets_native_code_with_its_default_driver(device: Device) -> None:
    machine = parse_target(device.name).machine()
    archs = decide(machine).values("sm_arch")

    assert archs[0].startswith(str(device.capability.number))
    assert archs[0].endswith("_real")
    assert machine.notes[0].code == "target-driver"
    assert machine.status is Status.PINNED


@pytest.mark.parametrize("name", ASKED_FOR.split())
def test_the_named_machines_exist(name: str) -> None:
    assert find_device(name).chip


def test_every_chip_of_the_pci_table_is_a_target() -> None:
    assert {chip.name.lower() for chip in all_chips()} <= {it.name for it in chips()}


@pytest.mark.parametrize("row", CAPABILITIES, ids=lambda row: str(row.capability))
def test_every_capability_is_a_target_in_both_spellings(row: CapabilityFacts) -> None:
    dotted = find_device(str(row.capability))

    assert dotted == find_device(f"sm_{row.capability.number}")
    assert dotted.tegra == (
        row.capability in TEGRA_CAPABILITIES
        or row.capability.major == 11
        or row.capability == ComputeCapability(3, 2)
    )


def test_jetpack_rows_rise_and_do_not_precede_their_devices() -> None:
    assert [row.cuda for row in JETPACKS] == sorted(row.cuda for row in JETPACKS)
    for row in JETPACKS:
        firsts = [it.first_toolkit for it in CAPABILITIES if it.capability in row.capabilities]
        assert all(first <= row.cuda for first in firsts)


@pytest.mark.parametrize(
    ("text", "cuda", "capabilities", "architecture"),
    [
        ("gh200@580", "13.0", ["9.0"], "aarch64"),
        ("gh200@580.65.06", "13.0", ["9.0"], "aarch64"),
        ("GH200@R580", "13.0", ["9.0"], "aarch64"),
        ("gb200@cuda13.2", "13.2", ["10.0"], "aarch64"),
        ("h100@cuda13", "13.0", ["9.0"], "x86_64"),
        ("gh100@535.183.01", "12.2", ["9.0"], "x86_64"),
        ("sm_90@570", "12.8", ["9.0"], "x86_64"),
        ("12.1@580", "13.0", ["12.1"], "x86_64"),
        ("sm_101", "13.2", ["11.0"], "aarch64"),
        ("a10+t4@570", "12.8", ["8.6", "7.5"], "x86_64"),
        ("gb200 + h100", "13.0", ["10.0", "9.0"], "aarch64"),
        ("rtx 4090@560", "12.6", ["8.9"], "x86_64"),
        ("h100", "13.0", ["9.0"], "x86_64"),
        ("t4", "13.0", ["7.5"], "x86_64"),
        ("p100+b200", "13.0", ["6.0", "10.0"], "x86_64"),
        ("vera-rubin", "13.4", ["10.7"], "aarch64"),
        ("gtx-1080-ti@581.15", "13.0", ["6.1"], "x86_64"),
        ("h100@999", str(BRANCHES[-1][1]), ["9.0"], "x86_64"),
        ("h100@cuda14.1", "14.1", ["9.0"], "x86_64"),
        ("jetson-orin", "13.2", ["8.7"], "aarch64"),
        ("jetson-orin@jetpack6", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@jetpack6.0", "12.2", ["8.7"], "aarch64"),
        ("jetson-orin@jetpack6.1", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@jetpack6.2.1", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@540.4.0", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@540.3.0", "12.2", ["8.7"], "aarch64"),
        ("jetson-orin@540", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@36.4.3", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@l4t36.3", "12.2", ["8.7"], "aarch64"),
        ("jetson-orin@R36.5.0", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@36", "12.6", ["8.7"], "aarch64"),
        ("jetson-orin@35.4.1", "11.4", ["8.7"], "aarch64"),
        ("jetson-xavier@jetpack5", "11.4", ["7.2"], "aarch64"),
        ("jetson-thor@38.4.0", "13.0", ["11.0"], "aarch64"),
        ("jetson-thor@580.00", "13.0", ["11.0"], "aarch64"),
        ("jetson-thor@jetpack7.1", "13.0", ["11.0"], "aarch64"),
        ("jetson-thor@39.2", "13.2", ["11.0"], "aarch64"),
        ("jetson-orin@jetpack7", "13.2", ["8.7"], "aarch64"),
        ("jetson-thor@jetpack7", "13.2", ["11.0"], "aarch64"),
        ("jetson-thor@jetpack7.2", "13.2", ["11.0"], "aarch64"),
        ("orin@cuda12.6", "12.6", ["8.7"], "aarch64"),
        ("sm_53@cuda10.2", "10.2", ["5.3"], "aarch64"),
    ],
)
def test_a_target_is_read(text: str, cuda: str, capabilities: list[str], architecture: str) -> None:
    machine = parse_target(text).machine()
    seen = [str(gpu.capability) for gpu in machine.gpus]

    assert (str(machine.cuda), seen, machine.platform.architecture) == (
        cuda,
        capabilities,
        architecture,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gtx-1080-ti@610", "R610 is too new: R580 is the last driver branch for gtx-1080-ti"),
        ("gtx-1080-ti@cuda13.1", "13.1 is too new: R580 is the last"),
        ("b200@535", "R535 is too old: b200 (capability 10.0) begins with driver branch R570"),
        ("b200@cuda12.7", "12.7 is too old: b200"),
        ("p100+vera-rubin", "no driver supports all of these: vera-rubin (capability 10.7) begins"),
        (
            "gb200+b200",
            "no CPU architecture takes all of these GPUs (gb200: aarch64; b200: x86_64)",
        ),
        ("orin+h100", "cannot share a machine"),
        ("orin@jetpack4", "it takes jetpack5.0, jetpack5.1, jetpack6.0, jetpack6.1, jetpack6.2,"),
        ("orin@jetpack6.3", "jetson-orin does not take 'jetpack6.3'"),
        ("orin@jetpack7.0", "jetson-orin does not take 'jetpack7.0'"),
        ("orin@12.6", "did you mean jetson-orin@cuda12.6?"),
        ("h100@12.8", "'12.8' is not a driver release; did you mean h100@cuda12.8?"),
        ("a10 + t4@11.8", "did you mean a10+t4@cuda11.8?"),
        ("orin@cuda11.2", "jetson-orin begins with CUDA 11.4"),
        ("sm_88", "sm_88 needs a CUDA version: sm_88@cuda13.0"),
        ("sm_88@580", "sm_88 does not take '580'; it takes a CUDA version"),
        ("sm_91", "no device has capability 9.1"),
        ("gh20@580", "did you mean gh200"),
        ("rtx-4900", "did you mean rtx-4090"),
        ("gb21b", "did you mean gb20b"),
        ("tpu-v5e", "all: nvidia-variant-provider targets"),
        ("h100@", "expected a target such as"),
        ("", "expected a target such as"),
        ("+h100", "expected a target such as"),
        ("h100@57x", "not a driver: '57x'"),
        ("h100@580@1", "not a driver"),
        ("h100@cuda12.10", "no driver reports CUDA 12.10"),
        ("h100@62", "driver branch R62 is unknown; the oldest is R340"),
        ("+".join(["h100"] * 17), "17 GPUs, expected at most 16"),
        ("h" * 500, "500 characters"),
    ],
)
def test_a_wrong_target_says_why(text: str, words: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_target(text)

    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


def test_no_ordinary_branch_is_the_first_of_a_jetson() -> None:
    assert find_device("jetson-orin").first_branch is None
    assert find_device("h100").first_branch == 520


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("h100", "driver branch R580"),
        ("rtx-4090", "driver branch R580"),
        ("gtx-1080-ti", "driver branch R580"),
        ("vera-rubin", "driver branch R615"),
        ("jetson-orin", "JetPack 7.2"),
        ("jetson-xavier", "JetPack 5.1"),
        ("sm_53", None),
    ],
)
def test_where_no_driver_is_named_one_is_assumed(name: str, words: str | None) -> None:
    driver = default_driver(find_device(name))

    assert (driver.words if driver else None) == words


def test_the_default_driver_is_the_nearest_to_r580_that_supports_the_device() -> None:
    for device in PRODUCTS:
        if device.tegra:
            continue
        served = range(device.first_branch or 0, (device.last_branch or BRANCHES[-1][0]) + 1)
        nearest = min(served, key=lambda branch: abs(branch - DEFAULT_BRANCH))

        assert parse_target(device.name).driver.branch == nearest


@pytest.mark.parametrize("name", NAMES)
def test_the_driver_that_is_assumed_is_said_with_one_that_can_be_named(name: str) -> None:
    target = parse_target(name)
    (note,) = target.machine().notes
    example = note.text.partition("name it: ")[2]

    assert note.code == ASSUMED
    assert target.driver.words.removeprefix("driver branch ") in note.text
    if example and not example.endswith("NUMBER"):
        assert not parse_target(example).driver.assumed
        assert parse_target(example).driver.cuda <= target.driver.cuda


def test_a_branch_that_does_not_list_the_product_is_a_warning() -> None:
    (note,) = parse_target("l40s@525").machine().notes

    assert note.text == "driver branch R525 does not list l40s; the first that does is R535"


def test_a_branch_that_nobody_knows_is_a_warning() -> None:
    (note,), (newest, cuda) = parse_target("h100@850").machine().notes, BRANCHES[-1]

    assert (note.code, note.text) == (
        "unknown-branch",
        f"R850 is newer than R{newest}, the newest known branch: it counts as CUDA {cuda}",
    )


@given(name=st.sampled_from(NAMES), branch=st.sampled_from([it for it, _ in BRANCHES]))
def test_a_target_gives_the_branch_s_cuda_or_a_reason(name: str, branch: int) -> None:
    device = find_device(name)
    fits = not device.tegra and device.chip_branch <= branch
    fits = fits and branch <= (device.last_branch or branch)
    try:
        machine = parse_target(f"{name}@{branch}").machine()
    except InvalidValueError:
        assert not fits
    else:
        assert fits or device.tegra
        assert device.tegra or machine.cuda == cuda_of_branch(branch)


@given(st.text(max_size=40))
def test_any_text_is_a_target_or_a_value_error(text: str) -> None:
    try:
        target = parse_target(text)
    except InvalidValueError:
        return
    assert target.machine().cuda is not None


def test_the_variable_pins_the_provider() -> None:
    said = answer({TARGET: "gh200@580"})

    assert said.detection.machine == parse_target("gh200@580").machine()
    assert said.detection.trail == ()


def test_an_empty_variable_counts_as_unset() -> None:
    pinned = {FORCE_CUDA: "12.8", FORCE_SM_ARCH: "9.0"}

    assert answer({TARGET: "", **pinned}) == answer(pinned)


def test_forced_facts_go_on_top_of_a_target() -> None:
    machine = answer({TARGET: "gh200@580", FORCE_CUDA: "12.8"}).detection.machine

    assert (str(machine.cuda), machine.gpus[0].name) == ("12.8", "GH200 Grace Hopper")


def test_forced_facts_go_on_top_of_a_machine_file(tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    path.write_text('{"cuda_driver_version": "13.0", "gpus": [{"compute_capability": "9.0"}]}')
    machine = answer({MACHINE: str(path), FORCE_SM_ARCH: "10.0"}).detection.machine

    assert (str(machine.cuda), list(map(str, machine.capabilities))) == ("13.0", ["10.0"])


def test_the_choice_of_a_gpu_narrows_a_target() -> None:
    machine = answer({TARGET: "a10+t4@570", GPU: "highest"}).detection.machine

    assert [gpu.name for gpu in machine.gpus] == ["A10"]


def test_rules_apply_to_a_target() -> None:
    assert answer({TARGET: "a10+t4@570", RULES: "0"}).decision.values("sm_arch")[0] == "86_real"


def test_a_machine_file_and_a_target_exclude_each_other() -> None:
    with pytest.raises(
        OverrideError, match=f"{TARGET}='h100': expected nothing here while {MACHINE}"
    ):
        answer({TARGET: "h100", MACHINE: "/machine.json"})


def test_a_wrong_target_in_the_variable_names_the_variable_and_near_names() -> None:
    with pytest.raises(OverrideError, match=f"{TARGET}='gh20'.* did you mean gh200"):
        answer({TARGET: "gh20"})


def test_a_pinned_plugin_probes_nothing_and_stays_light() -> None:
    script = """if True:
        import os, sys
        seen = []
        def hook(event, args):
            if event in {"subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect",
                         "ctypes.dlopen", "os.fork"}:
                seen.append(event)
            if event == "open" and str(args[0]).startswith(("/proc/driver", "/sys", "/dev/nv")):
                seen.append(args[0])
        sys.addaudithook(hook)
        from nvidia_variant_provider.plugin import NvidiaVariantPlugin
        configs = NvidiaVariantPlugin.get_supported_configs()
        heavy = {"difflib", "ctypes", "subprocess", "pathlib", "json", "logging", "pydantic"}
        sys.exit(repr((seen, sorted(heavy & set(sys.modules)), configs[2].values[0])))
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        env={TARGET: "gh200@580"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout, done.stderr.strip()) == ("", "([], [], '90a_real')")


def test_a_copy_without_product_names_says_what_to_set_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "nvidia_variant_provider.targets.target", None)

    with pytest.raises(OverrideError, match="has no product names; set NV_VARIANT_PROVIDER_FORCE"):
        answer({TARGET: "h100@580"})


def test_a_name_that_can_mean_several_gpus_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidValueError, match="'rtx6000' can mean") as caught:
        find_device("rtx6000")

    assert "Quadro RTX 6000 (7.5)" in str(caught.value)
    assert "RTX 6000 Ada Generation (8.9)" in str(caught.value)


def test_a_gpu_whose_chip_is_not_known_goes_by_its_capability() -> None:
    device = device_of(NamedGpu("Unheard-of GPU", "", ComputeCapability(9, 0), 0))

    assert (device.name, device.title, device.chip) == ("sm_90", "Unheard-of GPU", "")


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA A16X-4C", "8.6"),
        ("NVIDIA A10GX-24Q", "8.6"),
        ("GRID T4ZZ-16Q", None),
        ("GRID T4LXDSMGB-4Q", None),
    ],
)
def test_letters_behind_the_base_of_a_virtual_gpu_are_left_out(
    name: str, capability: str | None
) -> None:
    assert [str(gpu.capability) for gpu in gpus_named(name)] == ([capability] if capability else [])


def test_a_gpu_that_is_no_product_is_a_device_by_its_name() -> None:
    device = find_device("NVIDIA RTX A5000")

    assert (device.name, device.title, str(device.capability)) == ("rtx-a5000", "RTX A5000", "8.6")
