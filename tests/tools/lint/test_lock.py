"""Lock files: what is said of each package, and what is not a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomlkit

from nvidia_variant_provider.tools.lint.engine import lint
from tests.tools.lint.releases import read_base

if TYPE_CHECKING:
    from pathlib import Path

TAGS = "demo-1.0-py3-none-any"


def found(folder: Path, package: dict[str, Any], **more: object) -> list[str]:
    path = folder / "pylock.toml"
    path.write_text(tomlkit.dumps({**more, "packages": [{"name": "demo", **package}]}), "utf-8")
    return [str(it).removeprefix(f"{path}: ") for it in lint([str(path)]).findings]


def wheels(*ends: str) -> list[dict[str, str]]:
    return [{"url": f"https://files.example/a/{TAGS}{end}.whl"} for end in ends]


@pytest.mark.parametrize(
    ("package", "uvs"),
    [
        pytest.param(
            {"wheels": wheels("-null", "-cuda13.0", "")}, "takes what has no label", id="plain"
        ),
        pytest.param(
            {"wheels": wheels("-null", "-cuda13.0"), "sdist": {"url": "a"}},
            "takes what has no label",
            id="source",
        ),
        pytest.param(
            {"wheels": wheels("-null", "-cuda13.0")},
            "stops, as nothing is without a label",
            id="variants alone",
        ),
    ],
)
def test_it_says_which_installers_stop(package: dict[str, Any], uvs: str, tmp_path: Path) -> None:
    assert found(tmp_path, {**package, "variants-json": read_base()["index"]}) == [
        (
            "packages[0]: NV431 error: demo with the labels cuda13.0, null: pip refuses the "
            f"whole file, uv {uvs}"
        )
    ]


def test_a_lock_without_variants_has_no_findings(tmp_path: Path) -> None:
    package = {"wheels": wheels(""), "marker": "sys_platform == 'linux'"}

    assert found(tmp_path, package, environments=["os_name == 'posix'"]) == []


def test_the_table_is_judged_as_a_metadata_file_is(tmp_path: Path) -> None:
    table = {**read_base()["index"], "default-priorities": {"namespace": []}}

    (line,) = [it for it in found(tmp_path, {"variants-json": table}) if "NV109" in it]
    assert line.startswith("packages[0]/variants-json: default-priorities")


def test_markers_of_environments_are_found(tmp_path: Path) -> None:
    assert found(tmp_path, {}, environments=["variant_label == 'a'"]) == [
        (
            "environments[0]: NV433 error: seen variant_label == 'a'; a lock file has no variant "
            "markers"
        )
    ]


@pytest.mark.parametrize("data", [b"\xff", b"a = [", b"packages = 1", b"packages = [1]", b""])
def test_odd_files_end_in_findings_or_none(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pylock.gpu.toml"
    path.write_bytes(data)
    codes = [it.rule.code for it in lint([str(path)]).findings]

    assert codes == (["NV430"] if data in {b"\xff", b"a = ["} else [])
