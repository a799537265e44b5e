from __future__ import annotations

import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.binaries import ptx


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b".version 8.7\n.target sm_90a\n", ((8, 7), 90, "a")),
        (b"//\n// Generated\n//\n\n.version 9.5\n.target sm_100f, debug\n", ((9, 5), 100, "f")),
        (b"/* x */ .version 7.1\n.target sm_80\n", ((7, 1), 80, "")),
        (b"print('.version 7.1')\n", None),
        (b"first\n.version 7.1\n.target sm_80\n", None),
        (b".version 7.1\n", None),
        (b"", None),
    ],
)
def test_the_start_of_ptx(text: bytes, expected: tuple[tuple[int, int], int, str] | None) -> None:
    assert ptx.parse_text(text) == expected


def test_each_isa_version_of_a_major_needs_a_driver_at_least_as_new_as_the_one_before() -> None:
    known = [(major, minor) for major in range(6, 10) for minor in range(10)]
    versions = [version for isa in known if (version := ptx.first_cuda(isa)) is not None]

    assert len(versions) == 6 + 9 + 9 + 6
    assert versions == sorted(set(versions))


# The release history in the PTX ISA manual, at the ends of each stretch and around its jumps.
@pytest.mark.parametrize(
    ("isa", "cuda"),
    [
        ("6.0", "9.0"), ("6.2", "9.2"), ("6.3", "10.0"), ("6.5", "10.2"), ("7.0", "11.0"),
        ("7.8", "11.8"), ("8.0", "12.0"), ("8.5", "12.5"), ("8.6", "12.7"), ("8.8", "12.9"),
        ("9.0", "13.0"), ("9.5", "13.5"),
    ],
)  # fmt: skip
def test_isa_versions_came_with_these_toolkits(isa: str, cuda: str) -> None:
    major, minor = map(int, isa.split("."))

    assert ptx.first_cuda((major, minor)) == CudaVersion.parse(cuda)


def test_an_unknown_isa_version_is_not_guessed() -> None:
    assert ptx.first_cuda((8, 5)) == CudaVersion(12, 5)
    assert ptx.first_cuda((8, 6)) == CudaVersion(12, 7)
    assert ptx.first_cuda((9, 9)) is None


def test_kernels_and_functions_count_headers_do_not() -> None:
    assert ptx.has_kernels(b".visible .entry k()")
    assert ptx.has_kernels(b".visible .func f()")
    assert not ptx.has_kernels(b".version 8.0\n.target sm_80\n")
