"""Counts of containers, and the words for them."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.tools.binaries.report import Contents, Library, Profile
from nvidia_variant_provider.tools.tagging.groups import Group
from nvidia_variant_provider.tools.verify.code import GroupCode


def code(*sets: tuple[int, str], name: str = "") -> GroupCode:
    """Return code of so many containers with architectures such as ``80_real 90_virtual``."""
    profiles = tuple(
        Profile(tuple(sorted(map(SmArch.parse, archs.split()))), count) for count, archs in sets
    )
    library = Library("demo.so", "elf", "x86_64", 1000, profiles=profiles)
    return GroupCode(Group(name, Contents("demo.whl", "wheel", (library,))), 0.75)


def test_a_share_says_how_many_of_which_containers() -> None:
    assert code((4, "80_real")).share(3) == "3 of 4 containers (75 %)"
    assert code((4, "80_real"), name="CUDA 12.8").share(3) == (
        "3 of 4 containers (75 %) of the libraries for CUDA 12.8"
    )
    assert code().share(0) == "0 of 0 containers (0 %)"


def test_no_containers_are_enough_for_nothing() -> None:
    assert (code((4, "80_real")).is_enough(3), code().is_enough(0)) == (True, False)


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        ("90_virtual", {"80_virtual": 1, "90_virtual": 1, "100_virtual": 0, "90_real": 0}),
        ("90a_virtual", {"90a_virtual": 1, "90_virtual": 1, "90a_real": 0, "80_virtual": 0}),
    ],
)
def test_ptx_serves_a_value_that_it_reaches_as_far_as(value: str, counts: dict[str, int]) -> None:
    served = {arch: code((1, arch)).serving(SmArch.parse(value)) for arch in counts}

    assert served == counts
