"""The table of pyproject.toml: found upwards, and refused where it cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.findings.configuration import (
    Configuration,
    read_configuration,
)

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """
[tool.nvidia-variant-provider]
select = ["nv2", "damaged"]
ignore = ["NV219"]
threshold = 80
per-file-ignores = { "*-null.whl" = ["NV332"] }
"""


def test_the_nearest_table_above_counts(tmp_path: Path) -> None:
    inner = tmp_path / "packages" / "demo" / "dist"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(TABLE)
    # One without the table is passed by: a workspace keeps the table at its root.
    (inner.parent / "pyproject.toml").write_text("[project]\nname = 'demo'\n")

    assert read_configuration(str(inner)) == Configuration(
        path=str(tmp_path / "pyproject.toml"),
        select=("NV2", "damaged"),
        ignore=("NV219",),
        per_file=(("*-null.whl", ("NV332",)),),
        threshold=0.8,
    )


@pytest.mark.parametrize("text", ["tool = 1", "tool = [", "[tool.other]\nx = 1"])
def test_a_file_without_the_table_says_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)

    assert read_configuration(str(tmp_path)) == Configuration()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("tool.nvidia-variant-provider = 1", "expected a table", id="no table"),
        pytest.param("selct = []", "unknown key 'selct'; there are select, ignore", id="key"),
        pytest.param("select = 'NV2'", "select: expected a list of codes", id="text"),
        pytest.param("ignore = [1]", "ignore: expected a list of codes", id="number"),
        pytest.param("threshold = true", "threshold: expected a percentage", id="truth"),
        pytest.param("threshold = 0", "threshold: expected a percentage", id="zero"),
        pytest.param("per-file-ignores = []", "per-file-ignores: expected a table", id="list"),
        pytest.param("per-file-ignores = {a = 1}", "per-file-ignores 'a': expected", id="codes"),
    ],
)
def test_what_cannot_be_meant_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    head = "" if text.startswith("tool") else "[tool.nvidia-variant-provider]\n"
    (tmp_path / "pyproject.toml").write_text(head + text)

    with pytest.raises(InvalidValueError, match=message):
        read_configuration(str(tmp_path))
