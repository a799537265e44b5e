"""Published wheels: what should be stated for them, as worked out by hand from their code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.findings.selection import EVERYTHING
from nvidia_variant_provider.tools.tagging.inference import from_code
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_plain, write_variant
from nvidia_variant_provider.tools.verify.engine import verify_wheel
from nvidia_variant_provider.tools.verify.wheel import examine_wheel
from tests.tools.binaries import downloads
from tests.tools.survey.test_public_wheels import TRUTHS, Truth
from tests.tools.tagging.test_wheels import contents

if TYPE_CHECKING:
    from pathlib import Path

X86, ARM, WIN = "manylinux_x86_64", "manylinux_aarch64", "win_amd64"

CUFILE = "60 61 62 70 72 75 80 86 80p"

KNOWN = [
    ("torchaudio==2.11.0", X86, "75 80 86 90 100 120 120p", "13.0", "13.0", "cuda13.0"),
    ("torchaudio==2.11.0", ARM, "80 90 100 110 120 120p", "13.0", "13.0", "cuda13.0"),
    ("torchvision==0.29.2", X86, "75 80 86 90 100 120 120p", "13.2", "13.0", "cuda13.2"),
    ("xformers==0.0.35", X86, "75 80 90 80p", "12.8", "12.0", "cuda12.8"),
    ("xformers==0.0.35", WIN, "75 80 90 80p", "12.8", "12.0", "cuda12.8"),
    ("nvidia-cufile-cu12==1.14.1.1", X86, CUFILE, "11.1", "11.0", "cuda11.1"),
]
TORCH = ("torch==2.15.0", X86, "75 80 86 90 100 120", "13.0", "13.0", "cuda13.2")
# Libraries for CUDA 11.8, 12.1, 12.4, 12.6, 12.8, 13.0 and 13.2, worked out from "inspect" by hand.
SEVEN = {
    X86: "60 70 75 80 86 89 90 100 120 90p 120p",
    ARM: "75 80 90 100 110 120 121 90p 120p 121p",
    WIN: "60 70 75 80 86 89 90 100 120 90p 120p",
}
CASES = [
    *(
        pytest.param(*known, id=f"{known[0]}-{known[1]}", marks=pytest.mark.wheels)
        for known in KNOWN
    ),
    pytest.param(*TORCH, id="torch", marks=pytest.mark.large),
]


def spelled(targets: str) -> tuple[str, ...]:
    names = targets.split()
    return tuple(f"{one[:-1]}_virtual" if one.endswith("p") else f"{one}_real" for one in names)


@pytest.mark.parametrize(("requirement", "platform", "targets", "bound", "lower", "label"), CASES)
def test_published_wheels_get_true_tags(
    tmp_path: Path,
    requirement: str,
    platform: str,
    targets: str,
    bound: str,
    lower: str,
    label: str,
) -> None:
    wheel = downloads.wheel(requirement, platform)
    found_in = inspect_path(str(wheel), jobs=2)

    found = from_code(found_in, 0.75, None)
    without_ptx = from_code(found_in, 0.75, None, use_ptx=False)

    assert found.features == {
        "sm_arch": spelled(targets),
        "cuda_version_lower_bound": (bound,),
    }
    assert (str(without_ptx.bound.value), found.label) == (lower, label)
    path, _ = write_variant(wheel, tmp_path, build_variant(label, found.features))
    findings = list(verify_wheel(examine_wheel(str(path), 0.75), EVERYTHING))
    assert [finding for finding in findings if finding.fails] == []


@pytest.mark.wheels
@pytest.mark.parametrize("platform", [X86, ARM, WIN])
def test_a_wheel_for_seven_cudas_is_judged_by_each(tmp_path: Path, platform: str) -> None:
    wheel = downloads.wheel("bitsandbytes==0.50.2", platform)
    found = from_code(inspect_path(str(wheel), jobs=2), 0.75, None)

    path, _ = write_variant(wheel, tmp_path, build_variant("cuda", found.features))
    facts = examine_wheel(str(path), 0.75)

    # The libraries for CUDA 11.8 have PTX of that version.
    assert found.features == {
        "sm_arch": spelled(SEVEN[platform]),
        "cuda_version_lower_bound": ("11.8",),
    }
    assert {one.rule.code for one in verify_wheel(facts, EVERYTHING)} == {"NV311", "NV312"}
    assert {one.total for one in facts.groups} == {5}


@pytest.mark.large
@pytest.mark.parametrize(
    "truth",
    [
        pytest.param(truth, id=f"{truth.requirement}-{truth.platform}")
        for truth in TRUTHS
        if truth.members
    ],
)
def test_what_tag_writes_of_published_wheels_passes_verify(tmp_path: Path, truth: Truth) -> None:
    wheel = downloads.wheel(truth.requirement, truth.platform)
    found = from_code(inspect_path(str(wheel), jobs=2), 0.75, None)

    path, _ = write_variant(wheel, tmp_path, build_variant(found.label, found.features))
    verified = verify_wheel(examine_wheel(str(path), 0.75), EVERYTHING)

    # Libraries for several CUDA majors are a warning whatever is stated.
    failing = [str(it) for it in verified if it.fails and it.rule.code != "NV311"]
    assert failing == []


@pytest.mark.wheels
def test_untag_gives_published_wheels_back(tmp_path: Path) -> None:
    wheel = downloads.wheel("torchvision==0.29.2", X86)
    (tmp_path / "back").mkdir()

    path, _ = write_variant(wheel, tmp_path, build_variant("null", {}))
    back, _ = write_plain(path, tmp_path / "back")

    assert contents(back) == contents(wheel)


@pytest.mark.wheels
@pytest.mark.parametrize("requirement", ["lightgbm==4.7.0", "librmm-cu12==26.10.0"])
def test_wheels_without_device_code_are_not_guessed_at(requirement: str) -> None:
    wheel = downloads.wheel(requirement, X86)

    with pytest.raises(InvalidValueError, match="no embedded device code to infer from"):
        from_code(inspect_path(str(wheel)), 0.75, None)
