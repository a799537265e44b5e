from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli import cmd_inspect
from tests.tools.binaries import packing
from tests.wheel_maker import cuda_wheel

ROOT: Final = Path(__file__).parent.parent.parent.parent
DATA: Final = ROOT / "tests" / "data" / "binaries"
FIXTURES: Final = sorted(
    path.name
    for path in DATA.iterdir()
    if path.suffix in {".a", ".so", ".fatbin", ".cubin", ".ptx"}
)
SCHEMA: Final = json.loads((ROOT / "schemas" / "inspection.schema.json").read_text())


def run(*words: str) -> int:
    """Parse the words as the command line does, and run the command."""
    parser = argparse.ArgumentParser()
    cmd_inspect.add_parser(parser.add_subparsers()).set_defaults(run=cmd_inspect.run)
    args = parser.parse_args(["inspect", *words])
    return int(args.run(args))


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the JSON document that was printed, held to the schema."""
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(printed, SCHEMA, cls=jsonschema.Draft202012Validator)
    return printed


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    code = packing.container(packing.real(80), packing.virtual(80)) * 3
    only_hopper = packing.container(packing.real(90, flags=packing.SPECIFIC))
    stub = packing.container(packing.real(52, kernel=False))
    members = {
        "demo/core.so": packing.shared_object(
            code + only_hopper + stub, needed=("libcudart.so.12", "libc.so.6")
        ),
        "demo.libs/libnvjpeg.4a0b5c81.so.13": packing.shared_object(
            packing.container(packing.real(120))
        ),
        "demo/plain.so": packing.shared_object(b"", needed=("libc.so.6",)),
        "demo/inner.zip": b"PK",
    }
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(packing.wheel(members, requires=("nvidia-cuda-runtime-cu12==12.4.127",)))
    return str(path)


def test_the_json_document(wheel: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", wheel) == 0

    printed = document(capsys)
    (file,) = printed["files"]
    assert printed["schema_version"] == 1
    assert printed["failures"] == []
    assert (file["path"], file["form"], file["other_files"]) == (wheel, "wheel", 1)
    assert [(one["path"], one["vendored"]) for one in file["libraries"]] == [
        ("demo.libs/libnvjpeg.4a0b5c81.so.13", True),
        ("demo/core.so", False),
    ]
    core = file["libraries"][1]
    assert core["containers"] == 5
    assert core["places"] == {".nv_fatbin": 5}
    assert core["toolkits"] == ["12.4"]
    assert core["cudart"] == "dynamic"
    assert core["cuda_libraries"] == [
        {"file": "libcudart.so.12", "library": "cudart", "cuda_majors": [12]}
    ]
    assert [(one["arch"], one["content"], one["count"]) for one in core["images"]] == [
        ("52_real", "stub", 1),
        ("80_real", "kernels", 3),
        ("90a_real", "kernels", 1),
        ("80_virtual", "kernels", 3),
    ]
    assert [one["needs_cuda"] for one in core["images"]] == [None, None, None, "12.4"]


def test_the_coverage_of_a_wheel(wheel: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("--json", wheel)

    (file,) = document(capsys)["files"]
    coverage = file["coverage"]
    gpus = {one["compute_capability"]: one for one in coverage["gpus"]}
    assert coverage["containers"] == 4
    assert coverage["union"] == ["80_real", "80_virtual", "90a_real"]
    assert coverage["full"] == []
    assert coverage["dominant"] == ["80_real", "80_virtual"]
    assert coverage["profiles"] == [
        {"archs": ["80_real", "80_virtual"], "containers": 3},
        {"archs": ["90a_real"], "containers": 1},
    ]
    assert [gpus["8.6"][key] for key in ("native", "jit", "uncovered")] == [3, 0, 1]
    assert [gpus["9.0"][key] for key in ("native", "jit", "uncovered")] == [1, 3, 0]
    assert file["bounds"]["compatible"] == "12.0"
    assert file["bounds"]["strict"] == "12.4"
    assert file["requirements"] == [
        {
            "package": "nvidia-cuda-runtime-cu12",
            "text": "nvidia-cuda-runtime-cu12==12.4.127",
            "cuda": "12.4",
            "optional": False,
        }
    ]


def test_findings_are_part_of_the_document(wheel: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", wheel) == 0

    (file,) = document(capsys)["files"]
    assert file["findings"] == [
        {
            "code": "nested-archive",
            "severity": "note",
            "title": "an archive inside the wheel, not looked into",
            "uv": "none",
            "source": wheel,
            "key": "demo/inner.zip",
            "message": "not looked into",
            "also_in": [],
        }
    ]


@pytest.mark.parametrize("name", FIXTURES)
def test_every_fixture_gives_a_valid_document(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--json", str(DATA / name)) == 0

    assert len(document(capsys)["files"]) == 1


def test_the_table_for_people(
    wheel: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(wheel, "--images") == 0

    printed = capsys.readouterr()
    lines = [" ".join(line.split()) for line in printed.out.splitlines()]
    assert lines[0] == wheel
    assert "core.so (x86_64) 4 of 5: .nv_fatbin 5 80 90a 80@8.4 12.4 libcudart.so.12" in lines
    size = 3 * len(packing.virtual(80).pack()) - 3 * 64
    assert f"core.so ptx 80 (ISA 8.4, CUDA 12.4) kernels none 3 {size}" in lines
    assert any(line.startswith("core.so cubin 52 stub none 1 ") for line in lines)
    shares = "5.0-7.5: 0, 8.0-8.9: 75, 9.0: 25 +75, 10.0-12.1: 0 +75"
    assert f"all own libraries 4 {shares}" in lines
    assert f"core.so 4 {shares}" in lines
    assert "libnvjpeg.4a0b5c81.so.13 1 5.0-11.0: 0, 12.0-12.1: 100" in lines
    assert "in every container: none" in lines
    assert "in some container: 80_real 80_virtual 90a_real" in lines
    assert "oldest driver: CUDA 12.0 (12.4 without minor-version compatibility)" in lines
    assert "requires: nvidia-cuda-runtime-cu12==12.4.127" in lines
    assert f"{wheel}: demo/inner.zip: nested-archive note: not looked into" in lines
    assert printed.err == ""


def test_an_isa_that_no_known_driver_compiles_leaves_the_strict_bound_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "100p", isa=(9, 99))

    assert run(str(wheel)) == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert "CUDA 12.0 (unknown without minor-version compatibility)" in shown
    assert "PTX ISA 9.99 is newer than every driver known to this release" in shown


def test_no_device_code_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plain.so"
    path.write_bytes(packing.shared_object(b""))
    assert run(str(path)) == 0

    assert capsys.readouterr().out.splitlines() == [str(path), "no embedded device code", ""]


def test_stubs_alone_are_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(DATA / "stub.fatbin")) == 0

    assert "no container holds kernels" in capsys.readouterr().out.splitlines()


def test_one_unreadable_path_does_not_hide_the_others(
    wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    missing = str(tmp_path / "no-such-file.so")
    assert run("--json", str(text), missing, wheel) == 2

    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert [one["path"] for one in printed["files"]] == [wheel]
    assert [one["path"] for one in printed["failures"]] == [str(text), missing]
    assert captured.err.splitlines() == [
        (
            f"nvidia-variant-provider inspect: error: {text}: starts with 68656c6c, "
            "not a wheel, a shared object, an archive,"
            " a fatbin, a cubin or PTX"
        ),
        (
            f"nvidia-variant-provider inspect: error: {missing}: no such file or folder; "
            f"{tmp_path} has demo-1.0-py3-none-any.whl, notes.txt"
        ),
    ]


@pytest.mark.parametrize("words", [["--jobs", "0", "x"], ["--jobs", "many", "x"]])
def test_misuse(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*words)

    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run("--help")

    assert stop.value.code == 0
    assert "nvidia-variant-provider inspect dist/*.whl" in capsys.readouterr().out


CHILD: Final = (
    "import sys; from tests.tools.cli.test_inspect import run; sys.exit(run(*sys.argv[1:]))"
)


def test_progress_is_shown_on_a_terminal_only(wheel: str) -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-c", CHILD, "--json", wheel]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=slave, check=True, cwd=ROOT)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)

    assert json.loads(result.stdout)["files"][0]["path"] == wheel
    assert "demo-1.0-py3-none-any.whl: 0 MB" in shown
    assert shown.endswith("\r\x1b[K")
