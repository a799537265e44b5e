from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.lint.releases import ROOT, Json, merge_patch, read_base, write_release

if TYPE_CHECKING:
    from pathlib import Path

SKIPPED = {"index": {"providers": {"nvidia": {"optional": True}}}}


def release(folder: Path, patch: Json) -> str:
    return str(write_release(folder / "release", merge_patch(read_base(), patch)))


def test_nothing_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint", release(tmp_path, {})])

    assert (code, capsys.readouterr().out) == (0, "no findings in 5 files\n")


def test_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = release(tmp_path, SKIPPED)
    code = main(["lint", folder])

    assert code == 1
    assert capsys.readouterr().out == (
        f"{folder}/demo-1.0-variants.json: providers/nvidia/optional: NV216 warning: uv does not"
        " use an optional provider, so it ignores its variants (and in 3 more)\n"
        "1 warning in 5 files\n"
    )


def test_ignored_findings_do_not_count(tmp_path: Path) -> None:
    assert main(["lint", "--ignore", "nv216", release(tmp_path, SKIPPED)]) == 0


def test_json_is_of_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint", "--json", release(tmp_path, SKIPPED)])

    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "schemas" / "lint.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    assert (code, len(document["files"])) == (1, 5)
    assert [(it["code"], it["uv"], len(it["also_in"])) for it in document["findings"]] == [
        ("NV216", "skips", 3)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["no-such-folder"], "no-such-folder: no such file or folder", id="path"),
        pytest.param(["--select", "NV9", "."], "no code starts with 'NV9'", id="code"),
    ],
)
def test_misuse(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint", *arguments])

    captured = capsys.readouterr()
    assert (code, captured.out, message in captured.err) == (2, "", True)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint", "--list", "--select", "NV21", "--ignore", "NV214,NV219"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [it.split()[:2] for it in lines] == [
        [f"NV21{last}", "warning"] for last in "1235678"
    ]  # fmt: skip


def test_for_pypi_names_what_keeps_a_release_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_release(tmp_path / "release", read_base())

    code = main(["lint", "--for", "pypi", "--select", "NV702", str(folder)])

    assert (code, "version 0.2.0; expected 1.0.0 or later" in capsys.readouterr().out) == (1, True)
    assert main(["lint", "--select", "NV702", str(folder)]) == 0
