from __future__ import annotations

import io
import json
import os
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.findings.model import Severity
from nvidia_variant_provider.tools.findings.selection import Selection
from nvidia_variant_provider.tools.lint import checks_selection, machine_grid, sources
from nvidia_variant_provider.tools.lint.engine import lint
from nvidia_variant_provider.tools.lint.machine_grid import choices_everywhere, family_names
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES, parse_metadata
from tests.tools.lint.releases import (
    Json,
    carried,
    merge_patch,
    read_base,
    read_sections,
    write_release,
    write_wheel,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHEEL = "demo-1.0-py3-none-manylinux_2_28_x86_64-cuda13.0.whl"


def found(*paths: Path | str) -> list[tuple[str, str]]:
    """Return code and key of every finding."""
    return [(it.rule.code, it.problem.key) for it in lint([str(it) for it in paths]).findings]


def release(folder: Path, patch: Json) -> Path:
    return write_release(folder / "release", merge_patch(read_base(), patch))


def test_a_fault_of_file_and_wheels_is_shown_once(tmp_path: Path) -> None:
    patch = {"index": {"providers": {"nvidia": {"optional": True}}}}
    report = lint([str(release(tmp_path, patch))])

    (finding,) = report.findings
    assert finding.rule.code == "NV216"
    assert finding.problem.source.endswith("demo-1.0-variants.json")
    assert len(finding.also_in) == 3


def test_a_finding_names_file_key_seen_and_expected(tmp_path: Path) -> None:
    patch = {"index": {"providers": {"nvidia": {"requires": ["nvidia-variant-provider>=0.0.2"]}}}}
    folder = release(tmp_path, patch)

    (finding,) = lint([str(folder)]).findings
    assert str(finding) == (
        f"{folder}/demo-1.0-variants.json: providers/nvidia/requires: NV214 warning: seen >=0.0.2,"
        " which excludes 0.0.1, the version of the copy inside uv (and in 3 more)"
    )


def test_notes_alone_do_not_fail(tmp_path: Path) -> None:
    example = next(it.example for it in read_sections() if it.code == "NV503")
    report = lint([str(release(tmp_path, example))])

    assert {it.rule.severity for it in report.findings} == {Severity.NOTE}
    assert not report.fails


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "NV101", id="empty"),
        pytest.param(b"[1]", "NV101", id="no object"),
        pytest.param(b"[" * 100_000, "NV101", id="deep"),
        pytest.param(b'{"a": ' * 100_000, "NV101", id="deep objects"),
        pytest.param(b" " * (MAX_BYTES + 1), "NV101", id="large"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', "NV101", id="byte-order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), "NV101", id="utf-16"),
        pytest.param(b'{"a": ' + b"9" * 10_000 + b"}", "NV101", id="number of many digits"),
        pytest.param(b'{"a": {"b": 1, "b": 1}}', "NV102", id="repeated, inside"),
    ],
)
def test_what_cannot_be_parsed_is_one_finding(data: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-variants.json"
    path.write_bytes(data)

    assert [it for it, _ in found(path)] == [code]


@pytest.mark.parametrize(
    "junk", [None, 1, "x", True, [], {}, [[]], [1], {"a": 1}, {"a": {"b": []}}]
)
@pytest.mark.parametrize("key", ["$schema", "default-priorities", "providers", "variants"])
def test_no_shape_of_a_part_stops_the_other_checks(key: str, junk: object, tmp_path: Path) -> None:
    document = read_base()["index"] | {key: junk, "added": 1}
    path = tmp_path / "demo-1.0-variants.json"
    path.write_text(json.dumps(document))

    assert ("NV105", "added") in found(path)


@pytest.mark.parametrize("junk", [None, 1, "x", [], [1], {"a": 1}])
@pytest.mark.parametrize(
    "key",
    ["requires", "plugin-api", "static-properties", "feature-order", "builtin", "optional"],
)
def test_no_shape_of_a_provider_key_stops_the_other_checks(
    key: str, junk: object, tmp_path: Path
) -> None:
    document = read_base()["index"]
    document["providers"]["nvidia"] |= {key: junk, "added": 1}
    path = tmp_path / "demo-1.0-variants.json"
    path.write_text(json.dumps(document))

    assert ("NV105", "providers/nvidia/added") in found(path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aA1_. -", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["nvidia", "sm_arch", "requires", "x", "null"]), inner)
    ),
    max_leaves=8,
)


@given(path=st.lists(st.integers(0, 9), min_size=1, max_size=5), junk=ANYTHING)
def test_whatever_is_in_a_document_what_the_reader_refuses_is_an_error(
    path: list[int], junk: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document: Json = read_base()["index"]
    place = document
    for step in path[:-1]:
        inner = place[sorted(place)[step % len(place)]]
        if not isinstance(inner, dict) or not inner:
            break
        place = inner
    place[sorted(place)[path[-1] % len(place)]] = junk
    file = tmp_path_factory.mktemp("junk") / "demo-1.0-variants.json"
    file.write_text(json.dumps(document))

    severities = {it.rule.severity for it in lint([str(file)]).findings}
    assert is_read(file) or Severity.ERROR in severities


def is_read(file: Path) -> bool:
    try:
        parse_metadata(file.read_bytes(), file.name)
    except MetadataError:
        return False
    return True


PYPROJECT = """
[project]
name = "demo"
[variant.default-priorities]
namespace = ["nvidia"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider>=0.0.1,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(PYPROJECT, [], id="right"),
        pytest.param(PYPROJECT.replace("requires =", "build-requires ="), [], id="build-requires"),
        # variantlib 0.2.2 wants exactly one of the two, too.
        pytest.param(
            PYPROJECT + 'build-requires = ["x"]\n', [("NV205", "providers/nvidia")], id="both"
        ),
        pytest.param(
            PYPROJECT + "enable-if = 'x'\n", [("NV106", "providers/nvidia/enable-if")], id="draft"
        ),
        pytest.param(
            PYPROJECT + "[variant.variants]\n", [("NV105", "variants")], id="no key of a project"
        ),
        pytest.param("[project]\nname='x'\n", [("NV101", "")], id="no table"),
        pytest.param("variant = [", [("NV101", "")], id="no toml"),
    ],
)
def test_pyproject(text: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)

    assert found(path) == expected


@pytest.mark.parametrize("name", ["variant.json", "wanted.json"])
def test_a_loose_json_file_is_linted_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(read_base()["index"] | {"added": 1}))

    assert found(path) == [("NV105", "added")]


@pytest.mark.parametrize("name", ["no-such-file", "notes.txt"])
def test_a_path_that_is_nothing_to_lint_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()

    with pytest.raises(InvalidValueError, match=name):
        lint([str(tmp_path / name)])


def test_a_folder_without_anything_to_lint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="no wheel"):
        lint([str(tmp_path)])


def damaged(kind: str) -> bytes:
    """Return the bytes of a wheel that is wrong in one way."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "no dist-info":
            archive.writestr("demo/__init__.py", "")
        if kind == "bomb":
            archive.writestr("demo-1.0.dist-info/METADATA", "x")
            archive.writestr("demo-1.0.dist-info/variant.json", b" " * (MAX_BYTES + 1))
        if kind == "no METADATA":
            archive.writestr("demo-1.0.dist-info/variant.json", "{}")
        if kind in {"flipped", "truncated"}:
            archive.writestr("demo-1.0.dist-info/METADATA", "Name: demo\n" * 50)
    data = bytearray(stream.getvalue())
    if kind == "flipped":
        middle = data.index(b"METADATA") + len("METADATA") + 4
        data[middle] ^= 0xFF
    return bytes(data[: len(data) // 2] if kind == "truncated" else data)


@pytest.mark.parametrize("kind", ["no dist-info", "bomb", "no METADATA", "flipped", "truncated"])
def test_a_damaged_wheel_is_a_finding(kind: str, tmp_path: Path) -> None:
    path = tmp_path / WHEEL
    path.write_bytes(damaged(kind))

    assert found(path) == [("NV400", "")]


def test_a_wheel_without_metadata_of_its_label(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / WHEEL, None)

    assert found(path) == [("NV407", "")]


def test_a_wheel_given_alone_is_not_held_to_files_that_may_be_elsewhere(tmp_path: Path) -> None:
    markers = ["needed; variant_label == 'cuda12.6'", "more; 'other' in variant_namespaces"]
    path = write_wheel(tmp_path / WHEEL, carried(read_base()["index"], "cuda13.0"), markers)

    assert {code for code, _ in found(path)} <= {"NV503", "NV423"}


@pytest.mark.parametrize(
    "marker",
    [
        "variant_label == 'cuda13.0'",
        "variant_label == ''",
        "variant_label in 'cuda13.0 null'",
        "variant_label != 'absent'",
        "'cuda13.0' != variant_label",
        "platform_system == 'Linux' and (variant_label == \"null\")",
        "'nvidia' in variant_namespaces",
        "'nvidia :: sm_arch' in variant_features",
        "'nvidia::sm_arch::90_real' not in variant_properties",
    ],
)
def test_markers_that_name_what_exists_are_refused_by_installers_alone(
    marker: str, tmp_path: Path
) -> None:
    assert found(release(tmp_path, in_all_wheels(f"needed; {marker}"))) == [
        ("NV423", "Requires-Dist")
    ]


def in_all_wheels(requirement: str) -> Json:
    return {"wheels": {name: {"requires-dist": [requirement]} for name in read_base()["wheels"]}}


def test_markers_of_the_environment_are_fine(tmp_path: Path) -> None:
    assert found(release(tmp_path, in_all_wheels("needed; python_version < '3.12'"))) == []


def test_a_release_without_null_may_exclude_it_in_a_marker(tmp_path: Path) -> None:
    null = "demo-1.0-py3-none-manylinux_2_28_x86_64-null.whl"
    patch = merge_patch(in_all_wheels("needed; variant_label != 'null'"), {
        "index": {"variants": {"null": None}}, "wheels": {null: None},
    })  # fmt: skip
    # The merge leaves out what the patch takes out.
    patch["index"], patch["wheels"][null] = {"variants": {"null": None}}, None

    assert found(release(tmp_path, patch)) == [("NV423", "Requires-Dist")]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        pytest.param("[project]\nname = 'demo'\ndependencies", "project/dependencies", id="all"),
        pytest.param("[project.optional-dependencies]\ngpu", "project/optional-dependencies/gpu",
                     id="optional"),
        pytest.param("[dependency-groups]\ndev", "dependency-groups/dev", id="group"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "requirement", ["six; variant_label == 'cu'", "six; variant_label < 'cu'"], ids=["any", "wrong"]
)
def test_markers_of_a_project_are_found_wherever_it_states_requirements(
    table: str, key: str, requirement: str, tmp_path: Path
) -> None:
    path = tmp_path / "pyproject.toml"
    variants = PYPROJECT[PYPROJECT.index("[variant") :]
    path.write_text(f'{variants}\n{table} = ["other", "{requirement}"]\n')

    assert found(path) == [("NV114", key)]


def test_platforms_are_families() -> None:
    tags = ("manylinux_2_17_x86_64", "linux_aarch64", "win_amd64", "macosx_11_0_arm64", "any")

    assert family_names(tags) == {
        "linux x86_64", "linux aarch64", "win amd64", "macosx arm64", ""
    }  # fmt: skip


def test_builds_for_other_platforms_do_not_tie(tmp_path: Path) -> None:
    patch = {
        "index": {"variants": {"cuda13.0": {"nvidia": {"cuda_version_lower_bound": ["12.0"]}}}}
    }
    folder = release(tmp_path, patch)
    (folder / WHEEL).rename(folder / WHEEL.replace("manylinux_2_28_x86_64", "win_amd64"))

    assert "NV501" not in {code for code, _ in found(folder)}


def test_a_tie_names_winner_and_machine(tmp_path: Path) -> None:
    patch = {
        "index": {"variants": {"cuda13.0": {"nvidia": {"cuda_version_lower_bound": ["12.0"]}}}}
    }
    report = lint([str(release(tmp_path, patch))])

    (tie,) = (it for it in report.findings if it.rule.code == "NV501")
    assert tie.problem.message.startswith(
        "cuda12.6 and cuda13.0 are tied and the lesser label wins, cuda12.6: linux x86_64,"
        " capability 9.0, CUDA 15.20 and "
    )


def test_a_last_namespace_of_fixed_values_breaks_ties(tmp_path: Path) -> None:
    patch = {
        "index": {
            "default-priorities": {"namespace": ["nvidia", "priority"]},
            "providers": {"priority": {"static-properties": {"order": ["1", "2"]}}},
            "variants": {
                "cuda13.0": {
                    "nvidia": {"cuda_version_lower_bound": ["12.0"]},
                    "priority": {"order": ["1"]},
                },
                "cuda12.6": {"priority": {"order": ["2"]}},
            },
        }
    }

    assert found(release(tmp_path, patch)) == []


def test_every_machine_of_the_grid_gets_what_the_order_says(tmp_path: Path) -> None:
    gathered = sources.gather([str(release(tmp_path, {}))])
    (read,) = gathered.releases
    best = {
        (str(choice.generation.capability), str(choice.cuda)): choice.labels[:1]
        for choice in choices_everywhere(read.lenient)
        if choice.rule_set == 1
    }

    assert best["9.0", "12.0"] == ("cuda12.6",)
    assert best["9.0", "13.0"] == ("cuda13.0",)
    assert best["6.1", "13.0"] == ("cuda12.6",)
    assert best["12.0", "12.8"] == ()


# Rubin was missing, Arm machines counted for wheels alone, and Xavier had no row.
@pytest.mark.parametrize("arch", ["107_real", "87_real", "110_real", "121_real", "72_real"])
@pytest.mark.parametrize("folder", ["index", "wheels"])
def test_code_for_a_gpu_of_the_tables_has_a_machine(arch: str, folder: str, tmp_path: Path) -> None:
    nvidia = {"cuda_version_lower_bound": ["11.0"], "sm_arch": [arch]}
    described = merge_patch(read_base(), {"index": {"variants": {"cuda13.0": {"nvidia": nvidia}}}})
    wheels = described["wheels"]
    described["wheels"] = (
        {name.replace("x86_64", "aarch64"): wheel for name, wheel in wheels.items()}
        if folder == "wheels"
        else {}
    )
    path = write_release(tmp_path / "release", described)

    assert "NV505" not in {code for code, key in found(path) if key == "variants/cuda13.0"}


def test_more_labels_than_can_be_ranked_are_told_and_the_rest_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_grid, "MAX_LABELS", 3)
    monkeypatch.setattr(checks_selection, "MAX_LABELS", 3)
    document = read_base()["index"]
    document["variants"]["a"] = document["variants"]["b"] = document["variants"]["cuda13.0"]
    document["variants"]["a"]["nvidia"]["sm_arch"].append("70_real")
    path = tmp_path / "demo-1.0-variants.json"
    path.write_text(json.dumps(document))

    assert {code for code, _ in found(path)} == {"NV110", "NV506"}


def test_releases_are_read_one_at_a_time(tmp_path: Path) -> None:
    one, two = (release(tmp_path / name, {}) for name in ("one", "two"))
    gathered = sources.gather([str(one), str(two)])

    first = next(gathered.releases)
    # The files of the second release may come and go until it is its turn.
    for path in two.iterdir():
        path.unlink()

    assert (len(first.opened), len(first.files)) == (4, 4)
    assert len(gathered.files) == 10


def test_the_two_views_of_a_release_are_of_the_same_files(tmp_path: Path) -> None:
    first = next(sources.gather([str(release(tmp_path, {}))]).releases)

    assert sorted(first.lenient.variants) == sorted(first.strict.variants)
    assert first.lenient.index is not None
    assert first.lenient.index.source == first.document_name
    assert replace(first, document=b"", document_name="").strict == first.strict


def test_progress_counts_every_file(tmp_path: Path) -> None:
    folder = release(tmp_path, {})
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    project = str(tmp_path / "pyproject.toml")
    told: list[tuple[int, str]] = []

    def watch(files: int) -> Callable[[int, str], None]:
        told.append((-files, ""))
        return lambda more, name: told.append((more, name))

    lint([str(folder), project], watch=watch)

    assert told == [(-6, ""), (1, f"{project}[variant]"), (0, "demo 1.0"), (5, "")]


def test_large_lists_and_long_lines_take_no_longer_than_reading_them(tmp_path: Path) -> None:
    document = carried(read_base()["index"], "cuda13.0")
    document["variants"]["cuda13.0"]["nvidia"]["sm_arch"] *= 40_000
    blanks = " " * 2_000_000
    path = write_wheel(tmp_path / WHEEL, document, [f"needed; '{blanks}' != {blanks}x"])
    started = time.process_time()

    assert {code for code, _ in found(path)} == {"NV109", "NV110"}
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({"default-priorities": {"namespace": []}},
                     ("NV109", "default-priorities/namespace"), id="no namespaces"),
        pytest.param({"providers": {"other": {"requires": ["other"]}}},
                     ("NV202", "providers/other"), id="a provider without a place"),
        pytest.param({"providers": {"nvidia": {"feature-order": ["sm_arch"]}}},
                     ("NV206", "providers/nvidia/feature-order"), id="an order of nothing"),
        pytest.param({"providers": {"nvidia": {"requires": []}}},
                     ("NV207", "providers/nvidia/requires"), id="no requirement"),
        pytest.param({"providers": {"nvidia": {"requires": None, "plugin-api": None,
                                               "static-properties": {"sm_arch": []}}}},
                     ("NV209", "providers/nvidia/static-properties/sm_arch"), id="no values"),
        pytest.param({"variants": {"cuda13.0": {"nvidia": {}}}, "default-priorities": {},
                      "$schema": 1}, ("NV103", "$schema"), id="a schema that is no text"),
    ],
)  # fmt: skip
def test_other_ways_to_the_same_codes(
    patch: Json, expected: tuple[str, str], tmp_path: Path
) -> None:
    assert expected in found(release(tmp_path, {"index": patch}))


def test_wheels_with_other_priorities_than_the_release(tmp_path: Path) -> None:
    priorities = {"default-priorities": {"namespace": ["other", "nvidia"]}}
    patch = {"wheels": {WHEEL: {"variant": priorities}}}

    assert ("NV406", "default-priorities/namespace") in found(release(tmp_path, patch))


def test_a_wheel_for_any_platform_meets_the_builds_of_all(tmp_path: Path) -> None:
    patch = {
        "index": {"variants": {"cuda13.0": {"nvidia": {"cuda_version_lower_bound": ["12.0"]}}}}
    }
    folder = release(tmp_path, patch)
    (folder / WHEEL).rename(folder / WHEEL.replace("manylinux_2_28_x86_64", "any"))

    assert "NV501" in {code for code, _ in found(folder)}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("sm_90", "perhaps 90_real"),
        ("compute_90", "perhaps 90_virtual"),
        ("90", "perhaps 90_real"),
        ("9.0", "perhaps 90_real"),
        ("90a", "perhaps 90a_real"),
        ("90_reel", "perhaps 90_real"),
        ("volta", ""),
    ],
)
def test_a_misspelt_architecture_gets_a_guess(value: str, hint: str, tmp_path: Path) -> None:
    patch = {"index": {"variants": {"cuda13.0": {"nvidia": {"sm_arch": ["100_real", value]}}}}}
    report = lint([str(release(tmp_path, patch))], Selection(("NV602",)))

    (finding,) = report.findings
    assert finding.problem.message == f"no provider knows '{value}'" + (f"; {hint}" if hint else "")


NULL_WHEEL = "demo-1.0-py3-none-manylinux_2_28_x86_64-null.whl"
ORDER = {"providers": {"priority": {"static-properties": {"order": ["1"]}}}}


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        pytest.param(["nvidia"], ["nvidia", "priority"], {"NV401"}, id="a continued list"),
        pytest.param(
            ["priority", "nvidia"], ["nvidia", "priority"], {"NV401", "NV406"}, id="another order"
        ),
    ],
)
def test_wheels_are_compared_with_each_other_where_there_is_no_file(
    first: list[str], second: list[str], codes: set[str], tmp_path: Path
) -> None:
    described = read_base() | {"index": None}
    for name, namespaces in ((WHEEL, first), (NULL_WHEEL, second)):
        patch = {"default-priorities": {"namespace": namespaces}}
        described["wheels"][name] = {"variant": patch | (ORDER if "priority" in namespaces else {})}
    folder = write_release(tmp_path / "release", described)

    assert {code for code, _ in found(folder)} == codes


def test_a_list_that_the_file_has_and_a_wheel_lacks_is_no_fault(tmp_path: Path) -> None:
    patch = {"index": {"default-priorities": {"namespace": ["nvidia", "priority"]}, **ORDER}}
    described = merge_patch(read_base(), patch)
    described["wheels"][NULL_WHEEL] = {
        "variant": {
            "default-priorities": {"namespace": ["nvidia"]},
            "providers": {"priority": None},
        }
    }

    assert found(write_release(tmp_path / "release", described)) == []


def test_requirements_that_differ_and_are_declared_so_are_fine(tmp_path: Path) -> None:
    wheels = {
        name: {"requires-dist": [f"needed{number}"], "fields": {"Dynamic": "Requires-Dist"}}
        for number, name in enumerate(read_base()["wheels"])
    }

    assert found(release(tmp_path, {"wheels": wheels})) == []


def test_one_wrong_name_does_not_keep_the_rest_from_being_judged(tmp_path: Path) -> None:
    patch = {"wheels": {WHEEL: {"requires-dist": ["six; variant_label == 'null'"]}}}
    folder = release(tmp_path, patch)
    for end in ("-CUDA13.whl", "-a-b-c.whl", "-cu.whl.whl", ".whl.whl"):
        (folder / f"demo-1.0-py3-none-any{end}").touch()

    codes = [code for code, _ in found(folder)]
    assert (codes.count("NV411"), "NV423" in codes) == (4, True)


def test_a_bound_that_shuts_out_drivers_is_named_as_the_cause(tmp_path: Path) -> None:
    shut = {"nvidia": {"cuda_version_upper_bound": ["13"]}}
    patch = {"index": {"variants": {"cuda13.0": None, "cuda12.6": shut}}, "wheels": {WHEEL: None}}
    findings = {it.rule.code: it.problem for it in lint([str(release(tmp_path, patch))]).findings}

    assert findings["NV608"].message == (
        "< 13 shuts out newer drivers, which run its code on 9.0 (H200); they get another build, "
        "or the CPU build"
    )
    assert "an upper bound shuts out the newest drivers of" in findings["NV503"].message
    assert "9.0 (" in findings["NV503"].message


def test_an_upper_bound_for_gpus_that_newer_drivers_dropped_is_fine(tmp_path: Path) -> None:
    old = {"cuda_version_upper_bound": ["13"], "sm_arch": ["50_real", "60_real"]}
    patch = {
        "index": {"variants": {"old": {"nvidia": {**old, "cuda_version_lower_bound": ["12.0"]}}}}
    }

    assert "NV608" not in {code for code, _ in found(release(tmp_path, patch))}


def test_checks_for_an_upload_run_only_if_asked_for(tmp_path: Path) -> None:
    folder = release(tmp_path, {})

    assert found(folder) == []
    codes = [it.rule.code for it in lint([str(folder)], for_pypi=True).findings]
    assert codes == ["NV701", "NV701", "NV701", "NV702", "NV704"]


def for_pypi(folder: Path, code: str) -> list[tuple[str, str]]:
    """Return file and message of the findings with a code, asked for an upload."""
    listed = lint([str(folder)], Selection((code,)), for_pypi=True).findings
    return [(it.problem.source.rpartition("/")[2], it.problem.message) for it in listed]


def test_an_unknown_format_is_not_called_a_draft(tmp_path: Path) -> None:
    patch = {"index": {"$schema": "https://example.org/other.json"}}

    assert for_pypi(release(tmp_path, patch), "NV702") == []


def test_every_plugin_that_a_release_needs_is_named(tmp_path: Path) -> None:
    patch = {"index": {"providers": {"nvidia": {"requires": ["two words", "a-plugin"]}}}}
    message = "a-plugin has to be on PyPI before this release: not checked"

    assert for_pypi(release(tmp_path, patch), "NV704") == [("demo-1.0-variants.json", message)]


def test_a_release_of_variants_alone_is_told_of_at_its_first_wheel(tmp_path: Path) -> None:
    folder = release(tmp_path, {})
    (folder / "demo-1.0-py3-none-manylinux_2_28_x86_64.whl").unlink()

    ((source, _),) = for_pypi(folder, "NV705")
    assert source == min(path.name for path in folder.glob("*.whl"))


@pytest.mark.parametrize(
    ("size", "told"),
    [
        pytest.param(100 << 20, [], id="the-limit"),
        pytest.param((100 << 20) + 1, ["100 MB, more than 100 MB"], id="a-byte-more"),
        pytest.param(1000 << 20, ["1000 MB, more than 100 MB"], id="ten-times"),
    ],
)
def test_a_file_above_the_limit_of_pypi_is_told_of(
    tmp_path: Path, size: int, told: list[str]
) -> None:
    folder = release(tmp_path, {})
    os.truncate(folder / WHEEL, size)

    assert [message for _, message in for_pypi(folder, "NV706")] == told


@pytest.mark.parametrize(("value", "is_told"), [("80_virtual", False), ("86_virtual", True)])
def test_of_ptx_uv_offers_that_of_a_major_s_first(
    tmp_path: Path,
    value: str,
    is_told: bool,  # noqa: FBT001 - an expectation
) -> None:
    stated = {"cuda_version_lower_bound": ["12.0"], "sm_arch": [value]}
    patch = {"index": {"variants": {"ptx": {"nvidia": stated}}}}

    assert ("NV603" in {code for code, _ in found(release(tmp_path, patch))}) is is_told
