"""Which libraries of a wheel a program loads together."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.tools.binaries.report import Contents, Image, Kind, Library, Tally
from nvidia_variant_provider.tools.tagging.groups import Group, split

CUBIN = Tally(Image(Kind.CUBIN, 80), 1, 100, 100)


def groups(*libraries: tuple[str, str]) -> dict[str, list[str]]:
    """Return the names of groups with their files; a library has a path and what it links."""
    contents = Contents(
        "demo.whl",
        "wheel",
        tuple(
            Library(path, "elf", "x86_64", 1000, images=(CUBIN,), needed=(needed,))
            for path, needed in libraries
        ),
    )
    return {
        group.name: [library.path for library in group.contents.libraries]
        for group in split(contents)
    }


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(
            ["a_cuda118.so", "a_cuda124.so", "common.so"],
            {
                "CUDA 11.8": ["a_cuda118.so", "common.so"],
                "CUDA 12.4": ["a_cuda124.so", "common.so"],
            },
            id="of one name but for the version",
        ),
        pytest.param(
            ["cuda_11x/a.so", "cuda_12x/a.so"],
            {"CUDA 11": ["cuda_11x/a.so"], "CUDA 12": ["cuda_12x/a.so"]},
            id="in folders",
        ),
        pytest.param(
            ["a_cuda124.so", "b_cuda128.so"],
            {"": ["a_cuda124.so", "b_cuda128.so"]},
            id="of different names, each with one version",
        ),
        pytest.param(
            ["a_cu12.so", "cu12/a.so"], {"": ["a_cu12.so", "cu12/a.so"]}, id="one version twice"
        ),
    ],
)
def test_names_tell_which_libraries_belong_together(
    paths: list[str], expected: dict[str, list[str]]
) -> None:
    assert groups(*((path, "libc.so.6") for path in paths)) == expected


def test_links_tell_it_where_names_do_not() -> None:
    old, new = ("old.so", "libcudart.so.11.0"), ("new.so", "libcudart.so.12")

    assert groups(old, new) == {"CUDA 11": ["old.so"], "CUDA 12": ["new.so"]}
    assert groups(new, ("newer.so", "libcudart.so.12")) == {"": ["new.so", "newer.so"]}


@pytest.mark.parametrize(
    ("name", "whose"), [("", ""), ("CUDA 11.8", " of the libraries for CUDA 11.8")]
)
def test_a_group_says_whose_containers_are_counted(name: str, whose: str) -> None:
    assert Group(name, Contents("demo.whl", "wheel", ())).whose == whose
