"""The command verify: exit codes, words, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema

from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from tests.wheel_maker import cuda_wheel

if TYPE_CHECKING:
    import pytest

SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "verification.schema.json"


def write(folder: Path, *archs: str) -> str:
    features = {"sm_arch": archs, "cuda_version_lower_bound": ("12.0",)}
    metadata = build_variant("cuda12.4", features)
    return str(write_variant(cuda_wheel(folder, "80", "90"), folder, metadata)[0])


def test_true_tags_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "80_real", "90_real")

    assert main(["verify", path]) == 0

    assert capsys.readouterr().out.splitlines() == [
        f"{path}: the properties match the device code",
        "  80_real: native code for it in 1 of 1 kernel containers (100 %), 1 built exactly for it",
        "  90_real: native code for it in 1 of 1 kernel containers (100 %), 1 built exactly for it",
    ]


def test_findings_are_shown_and_decide_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "80_real", "90_real", "120_real")

    assert main(["verify", path]) == 1
    shown = capsys.readouterr().out
    assert main(["verify", path, "--ignore", "nv301"]) == 0

    assert f"{path}: 1 error\n" in shown
    assert f"{path}: nvidia :: sm_arch :: 120_real: NV301 error: no cubin runs on 12.0\n" in shown


def test_notes_alone_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "80_real", "86_real", "90_real")

    assert main(["verify", path]) == 0

    assert "1 note\n" in capsys.readouterr().out


def test_the_document_holds_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "80_real")
    absent = str(tmp_path / "absent-1.0-py3-none-any-x.whl")

    there = sorted(it.name for it in tmp_path.iterdir())

    assert main(["verify", "--json", path, absent]) == 2

    shown = capsys.readouterr()
    document = json.loads(shown.out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert document["passed"] is False
    assert [one["code"] for one in document["wheels"][0]["findings"]] == ["NV306"]
    assert document["failures"] == [
        {
            "path": absent,
            "error": f"{absent}: no such file or folder; {tmp_path} has {', '.join(there)}",
        }
    ]
    assert absent in shown.err


def test_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--list"]) == 0

    assert "NV301  error    a claimed architecture that no code serves" in capsys.readouterr().out


def test_misuse_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "80_real")

    assert main(["verify"]) == 2
    assert "no wheel to verify" in capsys.readouterr().err
    assert main(["verify", path, "--select", "E501"]) == 2
    assert "no code starts with 'E501'" in capsys.readouterr().err
