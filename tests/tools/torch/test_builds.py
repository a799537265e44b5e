"""The table of torch builds, and what is said of builds that it does not name."""

from __future__ import annotations

from itertools import combinations

import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, JETSON_INDEXES, TORCH_INDEX
from nvidia_variant_provider.tables.torch_builds import (
    ARM,
    BUILDS,
    DEFAULT_WHEEL,
    LINUX,
    NO_CUDA,
    OLDEST_DRIVER,
    PAIRS,
    PLATFORMS,
    RELEASES,
    UNLABELLED,
    WINDOWS,
    WINDOWS_ARM,
    TorchBuild,
)
from nvidia_variant_provider.tables.torch_domains import DOMAIN_BUILDS, PROJECTS
from nvidia_variant_provider.tools.torch.builds import (
    DeviceCode,
    Partners,
    TorchRelease,
    UnknownReleaseError,
    archs_of,
    builds_of,
    cuda_of_label,
    default_wheel,
    device_code,
    find_release,
    go_together,
    has_label,
    index_path,
    partners,
    torch_release_of,
)


def span(row: TorchBuild) -> range:
    return range(RELEASES.index(row.first), RELEASES.index(row.last) + 1)


@pytest.mark.parametrize("rows", [BUILDS, DOMAIN_BUILDS], ids=["torch", "torchvision"])
def test_a_release_has_one_build_per_cuda_and_platform(rows: tuple[TorchBuild, ...]) -> None:
    alike = [
        (row, other)
        for row, other in combinations(rows, 2)
        if (row.cuda, row.platform) == (other.cuda, other.platform)
    ]

    assert [pair for pair in alike if set(span(pair[0])) & set(span(pair[1]))] == []


@pytest.mark.parametrize("row", [*BUILDS, *DOMAIN_BUILDS])
def test_every_row_can_be_judged_and_has_a_source(row: TorchBuild) -> None:
    assert list(archs_of(row))
    assert row.source
    assert row.cuda.major in OLDEST_DRIVER
    assert row.platform in PLATFORMS
    assert len(span(row)) > 0


def test_every_release_has_a_build_for_linux_and_windows() -> None:
    for release in map(find_release, RELEASES):
        assert builds_of(release, LINUX)
        assert builds_of(release, WINDOWS)
    assert set(PLATFORMS) - {row.platform for row in BUILDS} == set(NO_CUDA) == {WINDOWS_ARM}


def test_the_default_wheel_is_one_of_the_builds() -> None:
    for platform, first, last, cuda in DEFAULT_WHEEL:
        for release in RELEASES[RELEASES.index(first) : RELEASES.index(last) + 1]:
            built = [row.cuda for row in builds_of(find_release(release), platform)]
            assert cuda in built


# What PyTorch's release tables say, by release: CUDA builds on all platforms, and who lacks which.
@pytest.mark.parametrize(
    ("release", "everywhere", "only_linux", "not_on_arm"),
    [
        ("2.0.1", "", "", "117 118"),
        ("2.3.1", "", "", "118 121"),
        ("2.4.1", "124", "", "118 121"),
        ("2.5.0", "124", "", "118 121"),
        ("2.6.0", "126", "", "118 124"),
        ("2.7.1", "128", "", "118 126"),
        ("2.8.0", "129", "", "126 128"),
        ("2.9.0", "126 128 129 130", "", ""),
        ("2.9.1", "126 128 130", "129", ""),
        ("2.10.0", "126 128 130", "129", ""),
        ("2.11.0", "126 128 130", "129", ""),
        ("2.12.0", "126 130 132", "", ""),
        ("2.12.1", "126 130 132", "129", ""),
        ("2.13.0", "126 130 132", "129", ""),
        ("2.14.1", "126 130 132", "", ""),
        ("2.15.0", "130 132", "", ""),
    ],
)
def test_builds_are_those_of_the_release_tables(
    release: str, everywhere: str, only_linux: str, not_on_arm: str
) -> None:
    seen = {
        platform: {index_path(row.cuda)[2:] for row in builds_of(find_release(release), platform)}
        for platform in (LINUX, ARM, WINDOWS)
    }

    shared = set(everywhere.split())
    assert seen == {
        LINUX: shared | set(only_linux.split()) | set(not_on_arm.split()),
        ARM: shared | set(only_linux.split()),
        WINDOWS: shared | set(not_on_arm.split()),
    }


@pytest.mark.parametrize(
    ("project", "version", "label", "platform", "archs", "confidence"),
    [
        # The two corrections of an earlier table.
        ("torch", "2.10.0", "cu128", WINDOWS, "70 75 80 86 90 100 120", "reported"),
        ("torch", "2.5.1", "cu124", ARM, "50 80 86 89 90 90a", "unverified"),
        ("torch", "2.14.1+cu126", "cu126", ARM, "80 90", "measured"),
        ("torch", "2.8.0", "cu126", WINDOWS, "61 70 75 80 86 90", "reported"),
        ("torch", "2.0.1", "cu117", LINUX, "37 50 60 70 75 80 86", "source"),
        ("Torch", "2.15.0", "cu132", LINUX, "75 80 86 90 100 120", "measured"),
        ("torchvision", "0.29.1", "cu130", LINUX, "75 80 86 90 100 120 120+PTX", "source"),
        ("torchvision", "0.29.2", "cu132", LINUX, "75 80 86 90 100 120 120+PTX", "source"),
        ("torchvision", "0.28.0", "cu129", LINUX, "50 60 70 75 80 86 90", "source"),
        ("torchaudio", "2.11.0", "cu126", ARM, "50 60 70 75 80 86 90", "source"),
    ],
)
def test_a_build_of_the_table_has_its_device_code(
    project: str, version: str, label: str, platform: str, archs: str, confidence: str
) -> None:
    found = device_code(project, version, label, platform)

    assert found is not None
    assert spelled(found) == archs
    assert (found.confidence.value, found.assumed) == (confidence, False)


@pytest.mark.parametrize(
    ("project", "version", "label", "platform", "archs", "source"),
    [
        ("torch", "2.16.0", "cu132", LINUX, "75 80 86 90 100 120", "2.15.0 cu132"),
        ("torch", "2.16.0", "cu134", ARM, "80 90 100 110 120", "2.15.0 cu132"),
        ("torch", "2.14.1", "cu129", LINUX, "75 80 86 90 100 120", "2.13.0 cu129"),
        ("torch", "2.16.0.dev20261201", "cu130", ARM, "80 90 100 110 120", "2.15.0 cu130"),
        ("torch", "2.5.1", "cu126", LINUX, "50 60 70 75 80 86 90", "2.6.0 cu126"),
        ("torchvision", "0.30.0", "cu132", ARM, "80 90 100 110 120 120+PTX", "2.15.0 cu132"),
        ("torch", "no version", "cu132", LINUX, "75 80 86 90 100 120", "2.15.0 cu132"),
    ],
)
def test_a_build_that_the_table_does_not_name_is_assumed_to_be_as_the_nearest(
    project: str, version: str, label: str, platform: str, archs: str, source: str
) -> None:
    found = device_code(project, version, label, platform)

    assert found is not None
    assert (spelled(found), found.source, found.assumed) == (archs, f"as torch {source}", True)


@pytest.mark.parametrize(
    ("project", "label", "platform"),
    [
        ("torch", "cpu", LINUX),
        ("torch", "rocm6.4", LINUX),
        ("torch", "cu110", LINUX),
        ("torch", "cu134", WINDOWS_ARM),
        ("torch", "cu132", "macosx-arm64"),
        ("xformers", "cu132", LINUX),
    ],
)
def test_of_other_builds_nothing_is_said(project: str, label: str, platform: str) -> None:
    assert device_code(project, "2.14.1", label, platform) is None


def spelled(code: DeviceCode) -> str:
    return " ".join(f"{it.target}{'+PTX' if it.virtual else ''}" for it in code.archs)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (None, RELEASES[-1]),
        ("2", RELEASES[-1]),
        ("2.14", "2.14.1"),
        ("2.1", "2.1.2"),
        ("2.12.0", "2.12.0"),
        ("v2.9", "2.9.1"),
        ("2.14.1+cu126", "2.14.1"),
    ],
)
def test_a_release_is_found(text: str | None, release: str) -> None:
    assert find_release(text) == TorchRelease(release, release)


@pytest.mark.parametrize(
    ("text", "known_as"),
    [("2.16", "2.15.0"), ("2.15.1", "2.15.0"), ("2.14.9", "2.14.1"), ("3.0.0", "2.15.0")],
)
def test_a_release_that_the_table_does_not_know_follows_the_newest_before_it(
    text: str, known_as: str
) -> None:
    assert find_release(text) == TorchRelease(text, known_as)
    assert find_release(text).assumed


@pytest.mark.parametrize("text", ["1.13.1", "", "latest", "2.14.1.0.0", "2..1", "x" * 500])
def test_what_is_no_release_of_torch_2_is_an_error(text: str) -> None:
    with pytest.raises(UnknownReleaseError) as caught:
        find_release(text)

    assert str(caught.value).startswith("torch ")
    assert len(str(caught.value)) < 200


def test_partners_rise_with_torch_and_lead_back_to_it() -> None:
    assert [row[0] for row in PAIRS] == list(RELEASES[: len(PAIRS)])
    for torch, vision, audio in PAIRS:
        assert torch_release_of("torchvision", f"{vision}+cu126") == torch
        assert torch_release_of("torchaudio", audio) == (torch if audio else None)
        assert partners(find_release(torch)) == Partners(vision, audio or None)


@pytest.mark.parametrize(
    ("project", "version", "torch", "together"),
    [
        ("torchvision", "0.28.0+cu126", "2.13.0", True),
        ("torchvision", "0.28.0", "2.14.1", False),
        ("torchvision", "0.29.1", "2.15.0", True),
        ("torchaudio", "2.11.0", "2.14.1", True),
        ("torchaudio", "2.11.0", "2.10.0", False),
        ("torchaudio", "2.10.0", "2.14.1", False),
        ("xformers", "0.0.30", "2.14.1", True),
    ],
)
def test_what_pins_no_torch_goes_with_newer_ones(
    project: str,
    version: str,
    torch: str,
    together: bool,  # noqa: FBT001 - an expectation
) -> None:
    assert go_together(project, version, torch) is together


def test_partners_of_an_unknown_release_are_not_guessed() -> None:
    assert partners(find_release("2.16")) == Partners(None, None)
    assert torch_release_of("xformers", "0.0.30") is None


@pytest.mark.parametrize(
    ("release", "platform", "cuda"),
    [
        ("2.3.1", LINUX, "12.1"),
        ("2.10.0", LINUX, "12.8"),
        ("2.10.0", ARM, None),
        ("2.11.0", ARM, "13.0"),
        ("2.15.0", LINUX, "13.2"),
        ("2.15.0", WINDOWS, None),
    ],
)
def test_the_default_wheel_is_that_of_the_main_index(
    release: str, platform: str, cuda: str | None
) -> None:
    found = default_wheel(find_release(release), platform)

    assert found == (CudaVersion.parse(cuda) if cuda else None)


def test_aarch64_wheels_of_2_4_and_2_5_have_no_label() -> None:
    labelled = {release: has_label(find_release(release), ARM) for release in ("2.5.1", "2.6.0")}

    assert labelled == {"2.5.1": False, "2.6.0": True}
    assert has_label(find_release("2.5.1"), LINUX)
    assert {first for _, first, _ in UNLABELLED} == {"2.4.0"}


@pytest.mark.parametrize(
    ("label", "cuda"), [("cu126", "12.6"), ("cu118", "11.8"), ("cpu", None), ("cu12", None)]
)
def test_a_label_names_a_cuda_version(label: str, cuda: str | None) -> None:
    found = cuda_of_label(label)

    assert found == (CudaVersion.parse(cuda) if cuda else None)
    assert found is None or index_path(found) == label


def test_the_indexes_are_reached_over_tls_and_hold_the_projects_that_pair() -> None:
    addresses = [TORCH_INDEX, *(row.address for row in JETSON_INDEXES)]

    assert [it for it in addresses if not it.startswith("https://")] == []
    assert {"torch", *PROJECTS} < set(FAMILY)
