"""What errors say: one line, bounded, with what was seen and what is expected."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.errors import FleetError, MetadataError, OverrideError

LONG = "9" * 1000


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            OverrideError("NV_VARIANT_PROVIDER_RULES", "7", "a rule set: '0' or '1'"),
            "NV_VARIANT_PROVIDER_RULES='7': expected a rule set: '0' or '1'",
        ),
        (
            MetadataError("variant.json", "variants/cuda13.0", "[1]", "a dictionary"),
            "variant.json: variants/cuda13.0: seen [1], expected a dictionary",
        ),
        (
            MetadataError("variant.json", "", "[1]", "a dictionary"),
            "variant.json: seen [1], expected a dictionary",
        ),
        (
            FleetError("nodes.json", "items[3]", "major", "'x'", "a number"),
            "nodes.json: items[3]: major: 'x'; expected a number",
        ),
        (
            FleetError("nodes.json", "", "", "'x'", "a list"),
            "nodes.json: 'x'; expected a list",
        ),
    ],
)
def test_an_error_is_one_line(error: Exception, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    "error",
    [
        OverrideError("VARIABLE", LONG, "less"),
        MetadataError("file", "key", LONG, "less"),
        FleetError("file", "record", "key", LONG, "less"),
    ],
)
def test_what_was_seen_is_cut_short(error: Exception) -> None:
    assert "999..." in str(error)
    assert len(str(error)) < 120
