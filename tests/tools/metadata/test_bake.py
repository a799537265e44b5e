"""METADATA for one label."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.bake import Baked, bake

HEAD = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
BODY = b"\nText with\nRequires-Dist: in-the-body; variant_label == 'x'\n"


def test_only_requirements_with_a_marker_change() -> None:
    fields = (
        b"Requires-Dist: six\nrequires-dist: a>1 ;\n  variant_label == 'cu'\n"
        b"Requires-Dist: b; variant_label == ''\n"
        b"Requires-Dist: c; variant_label == 'cu' and os_name == 'nt'\nKeywords: x\n"
    )
    head = b"Metadata-Version: 2.2\nDynamic: Requires-Dist\nName: demo\nVersion: 1.0\n"

    baked = bake(head + fields + BODY, "cu", {}, "x.whl")

    assert baked == Baked(
        head + b"Requires-Dist: six\nrequires-dist: a>1\nRequires-Dist: c; os_name == 'nt'\n"
        b"Keywords: x\n" + BODY,
        (
            "a>1 ; variant_label == 'cu': became a>1",
            "b; variant_label == '': removed",
            "c; variant_label == 'cu' and os_name == 'nt': became c; os_name == 'nt'",
        ),
    )


@pytest.mark.parametrize("metadata", [HEAD, HEAD + b"Requires-Dist: six; os_name == 'nt'\n" + BODY])
def test_without_markers_the_bytes_stay(metadata: bytes) -> None:
    assert bake(metadata, "cu", {}, "x.whl") == Baked(metadata, ())


def test_baking_twice_changes_nothing_more() -> None:
    once = bake(HEAD + b"Requires-Dist: a; variant_label == 'cu'\n" + BODY, "cu", {}, "x.whl")

    assert bake(once.metadata, "cu", {}, "x.whl") == Baked(once.metadata, ())


@pytest.mark.parametrize(
    ("version", "declared"),
    [
        (b"2.1", b"Metadata-Version: 2.2\r\nDynamic: Requires-Dist\r\n"),
        (b"2.4", b"Metadata-Version: 2.4\r\nDynamic: Requires-Dist\r\n"),
        (b"1.2", b"Metadata-Version: 1.2\r\n"),
    ],
)
def test_differing_requirements_are_declared_where_the_format_can(
    version: bytes, declared: bytes
) -> None:
    metadata = b"Metadata-Version: " + version + b"\r\nRequires-Dist: a; variant_label == 'cu'\r\n"

    assert bake(metadata, "cu", {}, "x.whl").metadata == declared + b"Requires-Dist: a\r\n"


def test_the_file_and_the_requirement_are_named() -> None:
    metadata = HEAD + b"Requires-Dist: a; 'n :: f :: 1' in variant_properties\n"
    several = {"n": {"f": ("1", "2")}}

    with pytest.raises(InvalidValueError, match=r"^x\.whl: Requires-Dist: a: 'n :: f :: 1' in"):
        bake(metadata, "cu", several, "x.whl")
    with pytest.raises(InvalidValueError, match=r"^x\.whl: Requires-Dist: seen a; variant_label"):
        bake(HEAD + b"Requires-Dist: a; variant_label < 'x'\n", "cu", {}, "x.whl")
