"""What the interpreter, its C library and source distributions change in a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.model import Platform
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.here import (
    Barred,
    barred_by_glibc,
    barred_by_python,
    this_glibc,
)
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER, UV
from nvidia_variant_provider.tools.releases.release import Listing
from nvidia_variant_provider.tools.releases.source import read_release
from nvidia_variant_provider.tools.wheels.platform import needed_glibc
from tests.tools.explain.releases import build, release_of
from tests.tools.lint.releases import Json, merge_patch, read_base, write_release

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.explain.results import Explanation
    from nvidia_variant_provider.tools.releases.release import Release

HOPPER = parse_target("h100@580").machine()
TAGS = "demo-1.0-py3-none-manylinux_2_28_x86_64"
BEST, PLAIN = f"{TAGS}-cuda13.0.whl", f"{TAGS}.whl"
NEWER: Json = {"fields": {"Requires-Python": ">=3.12"}}


def folder_of(tmp_path: Path, wheels: Json) -> str:
    return str(write_release(tmp_path / "dist", merge_patch(read_base(), {"wheels": wheels})))


def winners(found: Explanation) -> tuple[str | None, ...]:
    return tuple(found.view(it).winner for it in (PROVIDER, UV, PIP))


def on_python(release: Release, version: str) -> Explanation:
    return explain(release, HOPPER, barred=Barred(python=barred_by_python(release, version)))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.11.7", ("cuda12.6", None, ORDINARY)),
        ("3.12.0", ("cuda13.0", "cuda13.0", ORDINARY)),
    ],
)
def test_a_wheel_for_a_newer_python_is_passed_over_and_uv_refuses_the_release(
    version: str, expected: tuple[str | None, ...], tmp_path: Path
) -> None:
    release = read_release(folder_of(tmp_path, {BEST: NEWER}))

    assert winners(on_python(release, version)) == expected


def test_the_requirement_is_named(tmp_path: Path) -> None:
    found = on_python(read_release(folder_of(tmp_path, {BEST: NEWER})), "3.11.7")

    reason = "requires Python >=3.12, this one is 3.11.7"
    assert found.view(PROVIDER).reason_of("cuda13.0") == reason
    assert found.warnings[:2] == (
        f"{BEST}: {reason}",
        f"uv refuses the release: {BEST}: {reason}",
    )


def test_pip_passes_over_the_plain_wheel(tmp_path: Path) -> None:
    release = read_release(folder_of(tmp_path, {PLAIN: NEWER}))

    assert winners(on_python(release, "3.11.7")) == ("cuda13.0", "cuda13.0", None)


def test_a_malformed_requirement_shuts_nothing_out(tmp_path: Path) -> None:
    wheels = {BEST: {"fields": {"Requires-Python": "three"}}}

    assert barred_by_python(read_release(folder_of(tmp_path, wheels)), "3.11.7") == {}


def test_what_a_page_states_counts() -> None:
    page = Listing("page", [PLAIN], lambda _: b"", None, {PLAIN: ">=3.12"})

    assert barred_by_python(page.release("demo"), "3.11.7") == {
        PLAIN: "requires Python >=3.12, this one is 3.11.7"
    }


LINUX = Platform("linux", "x86_64", "glibc")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("manylinux_2_39_x86_64", (2, 39)),
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", (2, 17)),
        ("manylinux2010_x86_64", (2, 12)),
        ("manylinux1_x86_64", (2, 5)),
        ("manylinux_2_39_aarch64.manylinux_2_28_x86_64", (2, 28)),
        ("manylinux_2_39_x86_64.linux_x86_64", None),
        ("any", None),
        ("win_amd64", None),
    ],
)
def test_the_oldest_glibc_that_a_tag_admits(tags: str, expected: tuple[int, int] | None) -> None:
    assert needed_glibc(tags.split("."), LINUX) == expected


def test_a_wheel_for_a_newer_glibc_is_nobody_s() -> None:
    variants = {"cu130": build("13.0", "90_real"), "null": {}}
    release = release_of(variants, {"cu130": "manylinux_2_39_x86_64"})
    barred = Barred(glibc=barred_by_glibc(release, (2, 36), HOPPER.platform))
    found = explain(release, HOPPER, barred=barred)

    reason = "needs glibc 2.39, this machine has 2.36"
    assert winners(found) == ("null", "null", ORDINARY)
    assert [found.view(it).reason_of("cu130") for it in (PROVIDER, UV)] == [reason, reason]
    assert f"demo-1.2-py3-none-manylinux_2_39_x86_64-cu130.whl: {reason}" in found.warnings


def test_a_glibc_that_is_new_enough_or_not_known_shuts_nothing_out() -> None:
    release = release_of({"null": {}}, {"null": "manylinux_2_28_x86_64"})

    assert barred_by_glibc(release, (2, 28), HOPPER.platform) == {}
    assert barred_by_glibc(release, None, HOPPER.platform) == {}


def test_the_version_of_this_glibc_is_two_numbers_or_not_known() -> None:
    found = this_glibc()

    assert found is None or (2, 0) <= found < (3, 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [("demo-2.0.tar.gz", True), ("demo-2.0rc1.tar.gz", False), ("demo-0.9.tar.gz", False)],
)
def test_a_newer_source_distribution_is_named_as_not_judged(
    name: str, *, said: bool, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, {})
    (tmp_path / "dist" / name).touch()
    found = explain(read_release(folder), HOPPER)

    sentence = (
        f"{name} is newer and has no wheel: uv and pip build it, unless told --only-binary :all:; "
        "it is not judged here"
    )
    assert (sentence in found.warnings) is said


def test_a_source_distribution_is_named_where_no_wheel_is_left(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {PLAIN: NEWER})
    (tmp_path / "dist" / "demo-1.0.tar.gz").touch()
    sentence = (
        "demo-1.0.tar.gz: an installer that is left with no wheel builds it, unless told "
        "--only-binary :all:; it is not judged here"
    )
    release = read_release(folder)

    assert sentence in on_python(release, "3.11.7").warnings
    assert sentence not in on_python(release, "3.12.0").warnings
