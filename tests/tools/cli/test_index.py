from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.lint.releases import ROOT, read_base, write_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_release(tmp_path / "dist", read_base())


def test_each_release_is_summed_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["index", str(folder)])

    assert code == 0
    assert capsys.readouterr().out == (
        "demo 1.0: 4 wheels; demo-1.0-variants.json: cuda12.6 cuda13.0 null\n"
    )


def test_a_mirror_of_some_variants(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror = folder.parent / "mirror"
    code = main(["index", str(folder), "--only", "cuda13.0", "--output", str(mirror)])

    assert code == 0
    assert capsys.readouterr().out == "demo 1.0: 2 wheels; demo-1.0-variants.json: cuda13.0\n"
    assert (mirror / "simple/demo/index.html").is_file()


def test_json_is_of_the_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["index", "--json", str(folder)])

    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "schemas" / "index.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    assert (code, document["folder"]) == (0, str(folder))
    assert document["releases"] == [
        {
            "project": "demo",
            "version": "1.0",
            "files": sorted(read_base()["wheels"]),
            "labels": ["cuda12.6", "cuda13.0", "null"],
            "metadata": "demo-1.0-variants.json",
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["no-such-folder"], "no-such-folder: no such file or folder", id="folder"),
        pytest.param(["--only", "cuda1", "--"], "no wheel with the label 'cuda1'", id="label"),
    ],
)
def test_misuse(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = [] if arguments[0] == "no-such-folder" else [str(folder)]
    code = main(["index", *arguments, *path])

    assert (code, message in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(
    "url", ["files.example", 'https://files.example/"x', "ftp://files.example"]
)
def test_a_base_url_is_checked(url: str, folder: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["index", "--base-url", url, str(folder)])
