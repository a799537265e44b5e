"""``torch-backend``: one word on stdout, the reasons on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import main

SCHEMA = Path(__file__).parents[3] / "schemas" / "torch-backend.schema.json"


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["torch-backend", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_path_is_alone_on_stdout_and_the_reasons_are_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = output_of(capsys, "--target", "gtx-1080-ti@580", "--torch", "2.14")

    assert (code, out) == (0, "cu126\n")
    assert err.splitlines() == [
        "note: torch 2.14.1 for linux-x86_64",
        "note: not cu132: no device code for 6.1: the build has 75 80 86 90 100 120",
        "note: not cu130: no device code for 6.1: the build has 75 80 86 90 100 120",
        "note: cu126: 60_real runs on 6.1",
        (
            "note: uv --torch-backend=auto takes cu132: it goes by the driver's number alone, "
            "not by the GPU"
        ),
        "note: pip without an index takes a wheel for CUDA 13.0",
    ]


def test_the_assumed_release_and_driver_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = output_of(capsys, "--target", "gh200")

    assert "no version was named: the newest in the table" in err
    assert "no driver was named: R520 (CUDA 11.8) is assumed" in err


def test_a_gpu_that_no_build_fits_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = output_of(capsys, "--target", "b200@570")

    assert (code, out) == (1, "cpu\n")


def test_a_machine_without_gpu_is_served_by_the_cpu_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "machine.json"
    path.write_text('{"status": "none", "platform": {"architecture": "x86_64"}}')
    code, out, _ = output_of(capsys, "--machine", str(path))

    assert (code, out) == (0, "cpu\n")


def test_a_gpu_left_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = output_of(capsys, "--target", "p100+b200@580")

    assert "no build has code for every GPU; cu132 serves the most of them" in err


@pytest.mark.parametrize("target", ["gtx-1080-ti@580", "jetson-orin@jetpack6", "b200@570"])
def test_json_fits_its_schema(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = output_of(capsys, "--target", target, "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    _, path, _ = output_of(capsys, "--target", target)

    assert (document["path"], err) == (path.strip(), "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--torch", "1.13"], "torch 1.13: the table of builds begins with 2.0.0"),
        (["--torch", "newest"], "torch 'newest': expected a version such as 2.14"),
        (["--target", "gh20"], "did you mean gh200"),
    ],
    ids=str,
)
def test_misuse_is_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, *arguments)

    assert (code, out) == (2, "")
    assert words in err


def test_a_platform_without_cuda_builds_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "machine.json"
    path.write_text('{"platform": {"system": "darwin", "architecture": "arm64"}}')
    code, _, err = output_of(capsys, "--machine", str(path))

    assert (code, "torch has no CUDA builds for darwin on arm64" in err) == (2, True)
