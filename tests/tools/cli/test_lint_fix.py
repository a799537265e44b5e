"""``lint --fix``, previews, folders of outputs: judged by what is there afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.lint.releases import merge_patch, read_base, write_release

if TYPE_CHECKING:
    from pathlib import Path

INDEX = "demo-1.0-variants.json"
BEST = "demo-1.0-py3-none-manylinux_2_28_x86_64-cuda13.0.whl"
DRAFT = {"index": {"providers": {"nvidia": {"enable-if": "platform_system == 'Linux'"}}}}
STALE = {"index": {"variants": {"cuda13.0": {"nvidia": {"sm_arch": ["90_real"]}}}}}
LABEL_LOST = {
    "index": {
        "variants": {
            "cuda13.0": {"nvidia": {"sm_arch": ["90_real"]}},
            "cuda14.0": {"nvidia": {"sm_arch": ["90_real"]}},
        }
    }
}


def write(folder: Path, patch: dict[str, Any]) -> Path:
    """Write the release of docs/lint.md, and change the release's file but not its wheels."""
    release = write_release(folder / "release", read_base())
    changed = merge_patch(read_base(), patch)["index"]
    (release / INDEX).write_text(json.dumps(changed), "utf-8")
    return release


def state(folder: Path) -> dict[str, bytes]:
    return {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*.*")}


def test_a_missing_file_is_made_of_the_wheels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, {})
    (folder / INDEX).unlink()
    code = main(["lint", "--fix", str(folder)])

    assert (code, capsys.readouterr().out) == (
        0,
        f"fixed: {folder / INDEX}\nno findings in 5 files\n",
    )
    assert json.loads((folder / INDEX).read_text()) == read_base()["index"]


@pytest.mark.parametrize(
    "patch",
    [pytest.param(STALE, id="other properties"), pytest.param(DRAFT, id="key of a draft")],
)
def test_what_is_fixed_has_no_findings_and_the_second_run_changes_nothing(
    patch: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, patch)
    before = main(["lint", str(folder)])
    fixed = main(["lint", "--fix", str(folder)])
    written = state(folder)
    capsys.readouterr()

    assert (before, fixed, main(["lint", "--fix", str(folder)])) == (1, 0, 0)
    assert capsys.readouterr().out == "no findings in 5 files\n"
    assert state(folder) == written
    assert json.loads((folder / INDEX).read_text()) == read_base()["index"]


def test_a_draft_inside_wheels_is_converted_too(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", merge_patch(read_base(), DRAFT))

    assert main(["lint", str(folder)]) == 1
    assert main(["lint", "--fix", str(folder)]) == 0


def test_labels_without_a_wheel_are_not_thrown_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, LABEL_LOST)
    before = state(folder)
    code = main(["lint", "--fix", "--select", "NV404", str(folder)])

    assert (code, state(folder)) == (1, before)
    assert "not fixed: it lists labels without a wheel" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--dry-run", "--diff"])
@pytest.mark.parametrize("patch", [STALE, DRAFT], ids=["stale", "draft"])
def test_a_preview_names_the_file_and_writes_nothing(
    option: str, patch: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, patch)
    before = state(folder)
    code = main(["lint", option, str(folder)])
    first = capsys.readouterr().out.splitlines()[0]
    heads = {"--dry-run": "would change: ", "--diff": "--- "}

    assert (code, state(folder)) == (1, before)
    assert first == f"{heads[option]}{folder / INDEX}"


def test_a_form_for_programs_has_no_place_for_fixes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, STALE)
    before = state(folder)
    code = main(["lint", "--fix", "--json", str(folder)])

    assert (code, capsys.readouterr().out, state(folder)) == (2, "", before)


def test_a_preview_of_an_index_names_every_text_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, STALE)
    before = state(folder)
    codes = [main(["index", option, str(folder)]) for option in ("--dry-run", "--diff")]
    out = capsys.readouterr().out.splitlines()

    assert (codes, state(folder)) == ([0, 0], before)
    assert f"would create: {folder}/simple/demo/index.html" in out
    assert f"would change: {folder / INDEX}" in out
    assert f"--- {folder / INDEX}" in out
    assert "--- /dev/null" in out


def test_what_an_index_would_do_is_what_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, STALE)
    main(["index", "--dry-run", str(folder), "-o", str(tmp_path / "out")])
    named = {line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()}
    main(["index", str(folder), "-o", str(tmp_path / "out")])
    there = {str(it) for it in (tmp_path / "out").rglob("*") if it.is_file()}

    # The cache of hashes is no part of an index.
    assert named == {it for it in there if "/." not in it}


def test_a_dry_run_of_untag_writes_no_wheel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, {})
    code = main(["untag", str(folder / BEST), "-o", str(tmp_path / "out"), "--dry-run"])
    plain = BEST.replace("-cuda13.0", "")

    assert (code, capsys.readouterr().out) == (0, f"would write: {tmp_path}/out/{plain}\n")
    assert not (tmp_path / "out").exists()


def test_untag_refuses_wheels_that_would_replace_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, {})
    code = main(["untag", str(folder), "-o", str(tmp_path / "out")])

    assert code == 2
    assert not (tmp_path / "out").exists()
    assert f"becomes {BEST.replace('-cuda13.0', '')}, as " in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--dry-run", "--diff"])
def test_a_preview_of_a_conversion_goes_with_no_write(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, DRAFT)
    before = state(folder)
    path = str(folder / INDEX)
    codes = [main(["convert", option, path]), main(["convert", option, "--write", path])]
    out = capsys.readouterr().out.splitlines()

    assert (codes, state(folder)) == ([1, 2], before)
    assert any(line.startswith("@@") for line in out) == (option == "--diff")
    assert any(line.endswith("would be converted") for line in out) == (option == "--dry-run")


@pytest.mark.parametrize("option", ["--html", "--lock"])
def test_the_folder_of_a_file_that_coverage_writes_is_created(option: str, tmp_path: Path) -> None:
    folder = write(tmp_path, {})
    path = tmp_path / "new" / "folder" / "coverage.txt"
    code = main(["coverage", str(folder), "--target", "h100@580", option, str(path)])

    assert code == 0
    assert path.stat().st_size > 0
