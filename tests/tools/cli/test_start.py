"""What commands may not import when they start: each costs as much as several interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.tools.demo.wheels import release_metadata

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant

FILE: Final = "demo-1.0-variants.json"
# benchmarks/start.py has the ratios. Device code is read where a wheel without a label is.
HEAVY: Final = (
    "asyncio",
    "difflib",
    "http.client",
    "nvidia_variant_provider.tools.binaries.library",
    "pydantic",
    "rich",
    "tomlkit",
    "tomllib",
    "yaml",
)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--version"], id="version"),
        pytest.param(["--help"], id="help of all"),
        pytest.param(["explain", "--help"], id="help"),
        pytest.param(["explain", FILE, "--target", "h100@580"], id="explain"),
        pytest.param(["lint", FILE], id="lint"),
        pytest.param(["properties", "--target", "h100@580"], id="properties"),
        pytest.param(["targets"], id="targets"),
    ],
)
def test_a_command_starts_without_what_it_does_not_need(words: list[str], tmp_path: Path) -> None:
    variants: dict[str, Variant] = {
        "cuda12.6": {"nvidia": {"cuda_version_lower_bound": ("12.6",)}},
        "null": {},
    }
    (tmp_path / FILE).write_text(release_metadata(variants).to_json())
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nvidia_variant_provider", *words],
        cwd=tmp_path,
        # A width that is set asks for the tables of a terminal, which rich draws.
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}

    assert "nvidia_variant_provider.tools.cli.main" in imported
    assert sorted(imported & set(HEAVY)) == []
