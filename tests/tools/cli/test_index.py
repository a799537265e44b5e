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


def test_a_wrong_wheel_name_is_reported_and_the_rest_is_indexed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [f"demo-1.0-py3-none-any{end}" for end in ("-CUDA13.whl", "-cu.whl.whl", ".whl.whl")]
    for name in wrong:
        (folder / name).touch()
    code = main(["index", "--json", str(folder)])

    captured = capsys.readouterr()
    document = json.loads(captured.out)
    page = json.loads((folder / "simple/demo/index.json").read_text("utf-8"))
    assert (code, [it["file"] for it in document["misnamed"]]) == (1, wrong)
    assert document["releases"][0]["files"] == sorted(read_base()["wheels"])
    assert [it["filename"] for it in page["files"]] == [
        *sorted(read_base()["wheels"]),
        "demo-1.0-variants.json",
    ]
    assert [captured.err.count(f"/{name}: ") for name in wrong] == [1, 1, 1]


def test_a_folder_of_wrong_names_alone_has_no_wheel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "demo-1.0-py3-none-any.whl.whl").touch()
    code = main(["index", str(tmp_path)])

    assert code == 2
    assert "seen no wheel" in capsys.readouterr().err
    assert [it.name for it in tmp_path.iterdir()] == ["demo-1.0-py3-none-any.whl.whl"]


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
