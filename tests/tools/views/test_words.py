"""What a view says: why no build is for the GPU, and that a machine without one needs no CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.views.model import Source, Wanted
from nvidia_variant_provider.tools.views.selecting import make_view
from nvidia_variant_provider.tools.views.words import no_gpu_build
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import LINUX, PYTHON

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.views.model import View

RELEASES = {
    "2.6.0": ("cpu", "cu126"),
    "2.13.0": ("cpu", "cu126", "cu129", "cu130", "cu132"),
    "2.14.1": ("cpu", "cu126", "cu130", "cu132"),
    "2.15.0": ("cpu", "cu130", "cu132"),
}


def view_of(target: str, releases: dict[str, tuple[str, ...]], asked: str = "") -> View:
    """Return the view of torch; a release has wheels with labels, or "" for the main index's."""
    names = [
        f"torch-{release}{label and f'+{label}'}-{PYTHON}-{LINUX}.whl"
        for release, labels in releases.items()
        for label in labels
    ]
    files = tuple(PageFile(it, f"https://x.example/{it}", size=541_000_000) for it in names)
    source = Source("torch", files, is_cuda_project=True)
    return make_view(source, Wanted(machine(target), asked={"torch": asked} if asked else {}))


CUDA_13 = "needs driver 580.65.06 or newer, this one supports CUDA 11.4"


@pytest.mark.parametrize(
    ("target", "releases", "asked", "reason"),
    [
        (
            "v100@470",
            RELEASES,
            "",
            (f"no build for this GPU: cu132 (2.13.0 to 2.15.0): CUDA 13.2 {CUDA_13}; "
            f"cu130 (2.13.0 to 2.15.0): CUDA 13.0 {CUDA_13}; cu126 (2.6.0 to 2.14.1): CUDA 12.6 "
            "needs driver 525.60.13 or newer, this one supports CUDA 11.4; cu129 (2.13.0): "
            "CUDA 12.9 needs driver 525.60.13 or newer, this one supports CUDA 11.4"),
        ),
        (
            "v100@470",
            RELEASES,
            "==2.6.0",
            ("no build for this GPU: cu126 (2.6.0): CUDA 12.6 needs driver 525.60.13 or newer, "
            "this one supports CUDA 11.4"),
        ),
        ("h100@580", {"2.15.0": ("cpu",)}, "", ("no build for this GPU: the index has CPU builds "
         "alone")),
        ("v100@580", {"2.15.0": ("",), "2.13.0": ("cu132",)}, "",
         ("no build for this GPU: cu132 (2.13.0 to 2.15.0): no device code for 7.0: the build has "
         "75 80 86 90 100 120")),
        ("h100@580", RELEASES, "", ""),
    ],
)  # fmt: skip
def test_the_reasons_of_all_versions_are_named_by_label(
    target: str, releases: dict[str, tuple[str, ...]], asked: str, reason: str
) -> None:
    assert no_gpu_build(view_of(target, releases, asked)) == reason


def test_at_most_four_reasons_are_named() -> None:
    labels = ("cu118", "cu121", "cu124", "cu126", "cu128", "cu130")
    reason = no_gpu_build(view_of("v100@410", {"2.6.0": labels}))

    assert reason.count(" needs ") == 4
    assert reason.endswith("; 2 more")


NEEDLESS = (
    "torch 2.15.0: a build for CUDA (cu132, 541 MB), which brings NVIDIA's libraries, is shown on "
    "a machine without a GPU: no index that was asked has a CPU build; per-CUDA indexes have one: "
    "--cuda-index URL"
)


@pytest.mark.parametrize(
    ("releases", "is_said"),
    [({"2.15.0": ("",)}, True), ({"2.15.0": ("cu130", "cu132")}, True), (RELEASES, False)],
)
def test_a_machine_without_a_gpu_is_told_of_a_build_for_cuda(
    releases: dict[str, tuple[str, ...]],
    is_said: bool,  # noqa: FBT001 - a parameter
) -> None:
    warnings = view_of("", releases).warnings

    assert warnings == ((NEEDLESS,) if is_said else ())


def test_a_build_that_is_asked_for_and_is_none_for_the_gpu_is_the_reason() -> None:
    reason = no_gpu_build(view_of("h100@580", RELEASES, "==2.14.1+cpu"))

    assert reason == "2.14.1+cpu is asked for, no build for this GPU: the CPU build"
