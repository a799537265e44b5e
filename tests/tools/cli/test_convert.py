from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.convert.drafts import torch_28, torch_29
from tests.tools.lint.releases import ROOT, Json, carried, read_base, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

NULL = "torch-2.8.0-py3-none-any-00000000.whl"


def write(path: Path, document: Json) -> str:
    path.write_text(json.dumps(document))
    return str(path)


def state(folder: Path) -> dict[str, bytes]:
    return {it.name: it.read_bytes() for it in folder.iterdir()}


def test_without_write_changes_are_shown_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "torch-2.9.0-variants.json", torch_29())
    before = state(tmp_path)
    code = main(["convert", "--to", "850", path])

    lines = capsys.readouterr().out.splitlines()
    assert (code, state(tmp_path)) == (1, before)
    assert lines[0] == f"{path}: would be converted"
    assert any(it.startswith("  providers/nvidia/requires: ") and ">=0.0.1" in it for it in lines)
    assert '-            "enable-if": "platform_system == \'Linux\'",' in lines


def test_with_write_the_second_run_has_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "torch-2.9.0-variants.json", torch_29())
    codes = [main(["convert", "--to", "850", "--write", path])]
    written = state(tmp_path)
    capsys.readouterr()
    codes.append(main(["convert", "--to", "850", path]))

    assert (codes, capsys.readouterr().out) == ([0, 0], f"{path}: is current\n")
    assert state(tmp_path) == written


def test_a_current_file_keeps_its_bytes(tmp_path: Path) -> None:
    document = read_base()["index"]
    path = write(tmp_path / "demo-1.0-variants.json", document)
    before = state(tmp_path)

    assert main(["convert", "--to", "850", "--write", path]) == 0
    assert state(tmp_path) == before


def test_a_refusal_leaves_every_file_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a-1-variants.json", torch_28())
    document = torch_28()
    document["providers"]["nvidia"]["enable-if"] = "python_version > '3.9'"
    path = write(tmp_path / "b-1-variants.json", document)
    before = state(tmp_path)
    code = main(["convert", "--to", "850", "--write", str(tmp_path)])

    captured = capsys.readouterr()
    assert (code, captured.out, state(tmp_path)) == (2, "", before)
    assert captured.err.startswith(
        f"nvidia-variant-provider convert: error: {path}: providers/nvidia/enable-if: "
        "seen python_version"
    )


def test_in_a_wheel_only_metadata_and_record_change(tmp_path: Path) -> None:
    wheel = write_wheel(
        tmp_path / "torch-2.8.0-py3-none-any-cu128.whl", carried(torch_28(), "cu128")
    )
    with zipfile.ZipFile(wheel) as archive:
        before = {it: archive.read(it) for it in archive.namelist()}
    code = main(["convert", "--to", "850", "--write", str(wheel)])

    with zipfile.ZipFile(wheel) as archive:
        after = {it: archive.read(it) for it in archive.namelist()}
    changed = {it for it in before if before[it] != after[it]}
    assert (code, list(after)) == (0, list(before))
    assert changed == {"torch-2.8.0.dist-info/variant.json", "torch-2.8.0.dist-info/RECORD"}


def test_a_label_that_requirements_name_is_not_renamed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marker = "needed; variant_label == '00000000'"
    write_wheel(tmp_path / NULL, carried(torch_28(), "00000000"), [marker])
    code = main(["convert", "--to", "850", "--write", str(tmp_path / NULL)])

    assert (code, [it.name for it in tmp_path.iterdir()]) == (2, [NULL])
    assert "no marker with the label 00000000" in capsys.readouterr().err


def test_a_wheel_does_not_take_the_name_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wheel(tmp_path / NULL, carried(torch_28(), "00000000"))
    other = tmp_path / NULL.replace("00000000", "null")
    other.write_text("another")
    code = main(["convert", "--to", "850", "--write", str(tmp_path / NULL)])

    assert (code, other.read_text()) == (2, "another")
    assert "which is there already" in capsys.readouterr().err


def test_json_is_of_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "torch-2.8.0-variants.json", torch_28())
    code = main(["convert", "--to", "850", "--json", path])

    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "schemas" / "conversion.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    (file,) = document["files"]
    assert (code, document["written"], file["source"]) == (1, False, path)
    assert "null" in file["document"]["variants"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        pytest.param("a.json", b"{", "expected a JSON object in UTF-8", id="no JSON"),
        pytest.param("a.json", b'{"a": 1, "a": 1}', "every key once", id="repeated key"),
        pytest.param("a.json", b"[" * 100_000, "expected a JSON object", id="deep"),
        pytest.param("a.json", b"{}", "default-priorities: seen None", id="empty"),
        pytest.param(
            "a.toml", b"", "expected a JSON file, pyproject.toml, a wheel or a folder", id="kind"
        ),
        pytest.param("a-1-py3-none-any-x.whl", b"junk", "a-1-py3-none-any-x.whl", id="no zip"),
        pytest.param("a.whl", b"junk", "not a wheel's file name", id="no wheel's name"),
    ],
)
def test_unreadable_files(
    name: str, data: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    code = main(["convert", "--to", "850", str(tmp_path / name)])

    captured = capsys.readouterr()
    assert (code, captured.out, message in captured.err) == (2, "", True)


@pytest.mark.parametrize("name", ["", "no-such-file.json"])
def test_an_empty_folder_and_a_missing_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["convert", "--to", "850", str(tmp_path / name)])

    assert (code, str(tmp_path) in capsys.readouterr().err) == (2, True)


def test_an_ordinary_wheel_has_nothing_to_convert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = write_wheel(tmp_path / "torch-2.8.0-py3-none-any.whl", None)
    code = main(["convert", "--to", "850", str(wheel)])

    assert (code, "has no variant.json" in capsys.readouterr().err) == (2, True)


def test_baking_answers_markers_in_every_wheel_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = read_base()["index"]
    markers = ["six", "a; variant_label == 'cuda13.0'", "b; variant_label == ''"]
    tags = "demo-1.0-py3-none-any"
    write_wheel(tmp_path / f"{tags}-cuda13.0.whl", carried(index, "cuda13.0"), markers)
    write_wheel(tmp_path / f"{tags}.whl", None, markers)

    codes = [
        main(["convert", "--bake-markers", *more, str(tmp_path)]) for more in ([], ["--write"])
    ]
    first = capsys.readouterr().out.splitlines()
    codes.append(main(["convert", "--bake-markers", str(tmp_path)]))

    assert codes == [1, 0, 0]
    assert [line for line in first if line.startswith(("-Requires", "+Requires"))] == [
        "-Requires-Dist: a; variant_label == 'cuda13.0'",
        "-Requires-Dist: b; variant_label == ''",
        "+Requires-Dist: a",
        "-Requires-Dist: a; variant_label == 'cuda13.0'",
        "-Requires-Dist: b; variant_label == ''",
        "+Requires-Dist: b",
    ]
    assert requirements_of(tmp_path / f"{tags}-cuda13.0.whl") == ["six", "a"]
    assert requirements_of(tmp_path / f"{tags}.whl") == ["six", "b"]


def requirements_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (it for it in archive.namelist() if it.endswith("/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return [line.removeprefix("Requires-Dist: ") for line in lines if "Requires" in line[:8]]


def test_a_label_that_requirements_name_is_renamed_once_they_are_answered(tmp_path: Path) -> None:
    marker = "needed; variant_label == '00000000'"
    write_wheel(tmp_path / NULL, carried(torch_28(), "00000000"), [marker])
    code = main(["convert", "--bake-markers", "--write", str(tmp_path / NULL)])

    new = tmp_path / NULL.replace("00000000", "null")
    assert (code, [it.name for it in tmp_path.iterdir()]) == (0, [new.name])
    assert requirements_of(new) == ["needed"]


def test_a_marker_that_the_machine_decides_refuses_the_whole_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = read_base()["index"]
    marker = "a; 'nvidia :: sm_arch :: 90_real' in variant_properties"
    wheel = tmp_path / "demo-1.0-py3-none-any-cuda13.0.whl"
    write_wheel(wheel, carried(index, "cuda13.0"), [marker])
    before = state(tmp_path)
    code = main(["convert", "--bake-markers", "--write", str(tmp_path)])

    assert (code, state(tmp_path)) == (2, before)
    assert "the machine decides which of them count" in capsys.readouterr().err
