"""Questions that people asked in public, and the answer that follows from driver and device code.

Each answer was derived from the driver, the capability and PyTorch's lists before the tools were
asked. ``2.14: none; 2.7.1 cu118`` reads: that release has no build, an older or newer one has.
"""

from __future__ import annotations

from typing import Final

import pytest

from nvidia_variant_provider.tables.cuda_indexes import JETSON_INDEXES
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.coverage.kinds import kind_of
from nvidia_variant_provider.tools.inventory.machine import StatedGpu, StatedMachine
from nvidia_variant_provider.tools.inventory.resolve import NO_DEFAULTS
from nvidia_variant_provider.tools.torch.answer import answer
from nvidia_variant_provider.tools.torch.backend import platform_of

WINDOWS: Final = "windows-x86_64"

# Machine, platform ("" is the machine's own), torch, build, the nearest torch with one.
QUESTIONS: Final = (
    ("dgx-spark", "", "2.14", "cu132", ""),
    ("gb300", "", "2.14", "cu132", ""),
    ("rtx-4090", "", "2.14", "cu132", ""),
    ("gh200@570", "", "2.8.0", "cu129", ""),
    ("gh200@580", "", "2.10.0", "cu130", ""),
    ("dgx-spark@580", "", "2.9", "cu130", ""),
    ("rtx-4090@576", WINDOWS, "2.9.1", "cu128", ""),
    ("rtx-4090@572", WINDOWS, "2.7.1", "cu128", ""),
    ("rtx-5090@581", WINDOWS, "2.9.1", "cu130", ""),
    ("h100@580", "", "2.15", "cu132", ""),
    ("v100@580", "", "2.15", "no-build", "2.14.1 cu126"),
    ("rtx-3090@570", "", "2.3.1", "cu121", ""),
    ("Tesla K80@470", "", "2.6", "cu118", ""),
    ("T1000@550", "", "2.14", "cu126", ""),
    ("RTX A5000@550", "", "2.14", "cu126", ""),
    ("GTX 1060@535", "", "2.14", "cu126", ""),
    ("Tesla P100@535", "", "2.14", "cu126", ""),
    ("gtx-1080-ti@580", "", "2.12", "cu126", ""),
    ("m60@580", "", "2.14", "cu126", ""),
    ("l40s@525", "", "2.14", "cu126", ""),
    ("t4@470", "", "2.14", "no-build", "2.7.1 cu118"),
    ("rtx-5090@570", "", "2.6", "no-build", "2.7.0 cu128"),
    ("rtx-pro-6000@570", "", "2.14", "no-build", "2.13.0 cu129"),
    ("rtx-4090@525", "", "2.10", "cu129", ""),
    ("gb200@570", "", "2.13", "cu129", ""),
    ("v100+a100@580", "", "2.14", "cu126", ""),
    ("jetson-orin@jetpack6.2", "", "2.14", "no-build", ""),
    ("jetson-orin@jetpack7.2", "", "2.14", "cu132", ""),
    ("gtx-1650@516", WINDOWS, "2.14", "no-build", "2.7.1 cu118"),
    # Read on 2026-11-26: Comfy-Org/ComfyUI#16438, pytorch/pytorch#162531 and #31285,
    # conda-forge/pytorch-cpu-feedstock#527, OpenRAL/openral#167, RVC-Project's #2636,
    # FastEval/FastEval#92, IEIT-Yuan/Yuan-2.0#65, zai-org/ChatGLM3#100, and public reports.
    ("Tesla P40@550", "", "2.10", "cu126", ""),
    ("TITAN Xp@580", "", "2.9", "cu126", ""),
    ("Tesla V100@535", "", "2.9", "cu129", ""),
    ("GeForce GTX TITAN X@535", "", "2.5", "cu124", ""),
    ("A10G@570", "", "2.9", "cu129", ""),
    ("jetson-orin@jetpack7.2", "", "2.12", "cu132", ""),
    ("jetson-thor@jetpack7", "", "2.9.1", "cu130", ""),
    ("rtx-5070-ti@576", WINDOWS, "2.7.1", "cu128", ""),
    ("rtx-3090@520", "", "2.1", "cu118", ""),
    ("v100@450", "", "2.1", "cu118", ""),
    ("rtx-3090@510", "", "2.0", "cu118", ""),
    ("rtx-3060@470", "", "2.2", "cu118", ""),
    ("rtx-3090@535", "", "2.3", "cu121", ""),
    ("rtx-2080-ti@535", "", "2.15", "no-build", "2.14.1 cu126"),
    ("RTX 4060 Laptop GPU@551", WINDOWS, "2.5.1", "cu124", ""),
    ("gh200@570", "", "2.6", "cu126", ""),
    ("GTX 970@535", "", "2.9", "cu126", ""),
)


@pytest.mark.parametrize(("machine", "platform", "torch", "build", "other"), QUESTIONS)
def test_the_answer_is_right(
    machine: str, platform: str, torch: str, build: str, other: str
) -> None:
    seen = parse_target(machine).machine()
    found = answer(seen, torch, platform or platform_of(seen))
    chosen = found.other.chosen if found.other else None

    assert found.path == build
    assert (f"{found.other.release.text} {chosen.path}" if found.other and chosen else "") == other


def test_an_orin_before_jetpack_7_is_sent_to_the_index_for_jetson() -> None:
    seen = parse_target("jetson-orin@jetpack6.2").machine()
    found = answer(seen, "2.14", platform_of(seen))

    assert found.jetson == JETSON_INDEXES[1]
    assert str(found.jetson.cuda) == "12.6"


def test_a_driver_that_is_too_old_comes_with_the_one_to_install() -> None:
    found = answer(parse_target("gtx-1650@516").machine(), "2.14", WINDOWS)

    needed = {judged.path: str(judged.needs_driver) for judged in found.backend.judged}
    assert needed == {"cu132": "580.88", "cu130": "580.88", "cu126": "528.33"}


def test_a_line_of_nvidia_smi_on_an_orin_is_jetpack_6() -> None:
    """``Orin (nvgpu), 540.4.0, 8.7``: the driver's number is Tegra's."""
    orin = StatedMachine((StatedGpu("Orin (nvgpu)", "8.7"),), driver="540.4.0")
    kind = kind_of(orin, NO_DEFAULTS)

    assert str(kind.cuda) == "12.6"


def test_a_slice_of_an_a100_is_an_a100() -> None:
    kind = kind_of(StatedMachine((StatedGpu("a100_1g.5gb"),), driver="580"), NO_DEFAULTS)

    assert [str(it) for it in kind.capabilities] == ["8.0"]
