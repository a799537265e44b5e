"""The table [variant] of pyproject.toml: edited around its comments, read by variantlib after."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from variantlib.errors import ValidationError
from variantlib.pyproject_toml import VariantPyProjectToml

from examples.torch.clients import clean_environment
from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.convert.draft import ConversionRefusedError
from nvidia_variant_provider.tools.convert.pyproject import convert_text
from nvidia_variant_provider.tools.lint.engine import lint

if sys.version_info < (3, 11):
    import tomli as tomllib
else:
    import tomllib

# In the manner of torch 2.9: the order of the made-up namespace is a priority of the package.
DRAFT_002 = """\
# The build of demo.
[project]
name = "demo"  # not torch
version = "1.0"

[variant.default-priorities]
# CUDA before all others
namespace = ["nvidia", "priority"]

[variant.default-priorities.property]
priority = { order = ["1", "2", "3"] }  # the first is the best

[variant.providers.nvidia]
# found on the index
requires = ["nvidia-variant-provider>=0.0.2,<1.0.0"]  # the plugin
enable-if = "platform_system == 'Linux'"
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"

[variant.providers.priority]
plugin-use = "none"

[tool.other]
kept = true  # as it is
"""
DRAFT_003 = """\
[variant]
static-properties = { priority = { order = ["1", "2"] } }
[variant.default-priorities]
namespace = ["nvidia", "priority"]
feature = {}
[variant.providers]
nvidia = { requires = ["nvidia-variant-provider>=0.0.1"], plugin-api = \
"nvidia_variant_provider.plugin:NvidiaVariantPlugin", install-time = true }
priority.install-time = false
priority.requires = ["orders>=1"]
"""
DRAFT_001 = """\
[variant.default-priorities]
namespace = ["nvidia"]
feature = []
property = []
[variant.providers.nvidia]
requires = ["nvidia-variant-provider>=0.0.1,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
enable-if = "sys_platform == 'linux'"
"""
DRAFTS = {"0.0.1": DRAFT_001, "0.0.2": DRAFT_002, "0.0.3": DRAFT_003}


@pytest.mark.parametrize("text", DRAFTS.values(), ids=DRAFTS)
def test_variantlib_reads_the_table_after_it_and_not_before(text: str) -> None:
    edited, table, changes = convert_text(text, "pyproject.toml")

    with pytest.raises(ValidationError):
        VariantPyProjectToml(tomllib.loads(text))
    read = VariantPyProjectToml(tomllib.loads(edited))
    assert read.namespace_priorities == table["default-priorities"]["namespace"]
    assert tomllib.loads(edited)["variant"] == table
    assert all(it.key and it.action and it.reason for it in changes)


@pytest.mark.parametrize("text", DRAFTS.values(), ids=DRAFTS)
def test_a_second_conversion_changes_nothing(text: str) -> None:
    edited, table, _ = convert_text(text, "pyproject.toml")

    assert convert_text(edited, "pyproject.toml") == (edited, table, ())


def test_keys_of_a_table_in_several_places_are_written_anew_and_that_is_told() -> None:
    edited, _, changes = convert_text(DRAFT_003, "pyproject.toml")

    assert "its entries were written anew" in {it.action for it in changes}
    assert "static-properties = {order = [" in edited


def test_comments_and_all_else_stay() -> None:
    edited, _, _ = convert_text(DRAFT_002, "pyproject.toml")

    kept = [line for line in DRAFT_002.splitlines() if "#" in line and "the best" not in line]
    lines = edited.splitlines()
    assert [line for line in kept if line.replace("0.0.2", "0.0.1") not in lines] == []
    before, after = tomllib.loads(DRAFT_002), tomllib.loads(edited)
    assert {it: before[it] for it in before if it != "variant"} == {
        it: after[it] for it in after if it != "variant"
    }
    assert after["variant"]["providers"] == {
        "nvidia": {
            "requires": ["nvidia-variant-provider>=0.0.1,<1.0.0"],
            "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
        },
        "priority": {"static-properties": {"order": ["1", "2", "3"]}},
    }


def test_the_plugin_of_stated_values_goes() -> None:
    edited, _, changes = convert_text(DRAFT_003, "pyproject.toml")

    entry = tomllib.loads(edited)["variant"]["providers"]["priority"]
    assert entry == {"static-properties": {"order": ["1", "2"]}}
    assert "providers/priority/requires" in {it.key for it in changes}


def test_a_plugin_that_supplies_the_values_of_a_build_is_kept_for_it() -> None:
    text = DRAFT_002.replace('"none"', '"build"\nrequires = ["orders>=1"]')
    text = text.replace("priority = { order", "# priority = { order")

    edited, _, _ = convert_text(text, "pyproject.toml")

    read = VariantPyProjectToml(tomllib.loads(edited))
    assert read.providers["priority"].build_requires == ["orders>=1"]


def test_a_provider_for_building_alone_is_left_as_it_is() -> None:
    text = DRAFT_001 + '[variant.providers.build]\nbuild-requires = ["x"]\n'
    text = text.replace('["nvidia"]', '["nvidia", "build"]')

    edited, _, changes = convert_text(text, "pyproject.toml")

    assert tomllib.loads(edited)["variant"]["providers"]["build"] == {"build-requires": ["x"]}
    assert not any("build" in it.key for it in changes)
    VariantPyProjectToml(tomllib.loads(edited))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sys_platform == 'linux'", "python_version > '3.9'", "providers/nvidia/enable-if"),
        ("feature = []", 'feature = ["nvidia :: sm_arch"]', "default-priorities/feature/nvidia"),
        (
            "property = []",
            'property = ["nvidia :: sm_arch :: 90_real"]',
            "default-priorities/property/nvidia",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ConversionRefusedError, match=message):
        convert_text(DRAFT_001.replace(old, new), "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project]\nname = 'x'\n", "variant: seen no such table"),
        ("variant = 1\n", "variant: seen no such table"),
        ("[variant\n", "a TOML document"),
        ("a = 1\na = 2\n", "a TOML document"),
        (DRAFT_001.replace("feature = []", 'feature = ["x"]'), "namespace :: feature"),
        (DRAFT_001 + "[variant.more]\n", "more: seen .*expected no such key"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        convert_text(text, "pyproject.toml")


def test_the_command_writes_what_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(DRAFT_002)

    codes = [main(["convert", "--to", "850", str(tmp_path)])]
    shown, unwritten = capsys.readouterr().out, path.read_text()
    codes += [main(["convert", "--to", "850", "--write", str(path)]) for _ in range(2)]

    assert (codes, unwritten) == ([1, 0, 0], DRAFT_002)
    assert "providers/nvidia/enable-if: removed" in shown
    assert "-enable-if = \"platform_system == 'Linux'\"" in shown
    assert [it.name for it in tmp_path.iterdir()] == ["pyproject.toml"]
    found = lint([str(path)]).findings
    assert {it.rule.code for it in found} <= {"NV219"}
    assert main(["convert", "--to", "825", str(path)]) == 2
    assert "which PEP 825 leaves out" in capsys.readouterr().err


def test_a_project_without_variants_is_nothing_to_convert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    assert main(["convert", "--to", "850", str(tmp_path)]) == 2
    assert "seen 0 of them" in capsys.readouterr().err


JUNK = st.sampled_from(["1", "[]", "{}", "[1]", "'x'", "{ nvidia = 1 }", "true"])


@given(text=st.sampled_from(list(DRAFTS.values())), at=st.integers(0, 30), junk=JUNK)
def test_no_junk_stops_it_without_an_error_of_ours(text: str, at: int, junk: str) -> None:
    lines = text.splitlines()
    places = [index for index, line in enumerate(lines) if "=" in line]
    place = places[at % len(places)]
    lines[place] = lines[place].partition("=")[0] + "= " + junk

    try:
        edited, table, _ = convert_text("\n".join(lines), "x")
    except InvalidValueError:
        return
    after: dict[str, Any] = tomllib.loads(edited)
    assert after["variant"] == table


@pytest.mark.clients
def test_what_variantlib_writes_into_a_project_is_found_and_repaired(tmp_path: Path) -> None:
    """It asks for this version or later, which the copy inside uv is not."""
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "demo"  # kept\nversion = "1.0"\n')
    command = [str(Path(sys.executable).parent / "variantlib"), "update-pyproject-toml"]
    subprocess.run(
        [*command, "-f", str(path), "-a", "nvidia"],
        cwd=tmp_path, env=clean_environment(), check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    before = [it.rule.code for it in lint([str(path)]).findings]
    code = main(["convert", "--write", str(path)])
    after = [it.rule.code for it in lint([str(path)]).findings]
    assert (before, code, after) == (["NV214"], 0, [])
    assert 'name = "demo"  # kept' in path.read_text()
