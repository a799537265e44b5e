"""The command detect: exit codes, words, JSON, records."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nvidia_variant_provider import machine_file
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Machine
from nvidia_variant_provider.tools.cli.main import main
from tests.recorded import FOLDER, State, load_states

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
EXIT_CODES = {
    "ok": 0,
    "pinned": 0,
    "none": 3,
    "driver-no-gpu": 4,
    "gpu-no-driver": 4,
    "blocked": 4,
    "broken": 4,
    "timeout": 4,
}


def _replay(state: str, *options: str) -> list[str]:
    return ["detect", "--replay", str(FOLDER / f"{state}.json"), *options]


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return schema


@pytest.mark.parametrize("state", load_states(), ids=lambda state: state.name)
def test_json_fits_its_schema_and_the_exit_code_fits_the_status(
    state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(_replay(state.name, "--json"))

    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, _schema("detection"))
    works_in_vain = document["status"] == "ok" and not document["features"]
    assert code == (5 if works_in_vain else EXIT_CODES[document["status"]])
    assert isinstance(machine_file.load(document), Machine)


def test_a_person_reads_the_status_the_remedy_and_where_it_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(_replay("mismatch-after-upgrade"))

    text = capsys.readouterr().out
    assert code == 4
    assert "broken" in text
    assert "NVML 18 (driver/library version mismatch)" in text
    assert "reboot" in text
    assert "nvidia-variant-provider code NVP-BROKEN" in text
    assert "535.154.05" in text
    assert "8.9  NVIDIA AD102" in text


def test_a_person_reads_what_an_installer_gets(capsys: pytest.CaptureFixture[str]) -> None:
    main(_replay("proc-open-x86-550"))

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "gets     cuda_version_lower_bound: 12.4 and lower" in lines
    assert "cuda_version_upper_bound: 12.5 and higher" in lines
    assert any(line.startswith("sm_arch: 89_real first, ") for line in lines)


def test_verbose_shows_every_probe_under_a_branch_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(_replay("container-zero-byte-libs.elsewhere", "--verbose"))

    tree = capsys.readouterr().out.partition("trail ")[2].splitlines()
    assert [line.split()[1] for line in tree if line.startswith(("  ├─", "  └─"))] == [
        "kernel",
        "pci",
        "devices",
        "nvml",
        "cuda",
    ]
    assert any("file too short" in line and " - libcuda.so.1" in line for line in tree)
    assert any("+ /usr/lib64/libcuda.so.1" in line and "0.200 s" in line for line in tree)


def test_a_replay_of_a_recording_shows_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NV_VARIANT_PROVIDER_ROOT", str(_tiny_root(tmp_path)))
    target = tmp_path / "record.json"

    code = main(["detect", "--json", "--record", str(target)])

    first = json.loads(capsys.readouterr().out)
    monkeypatch.delenv("NV_VARIANT_PROVIDER_ROOT")
    assert main(["detect", "--json", "--replay", str(target)]) == code == 4
    assert json.loads(capsys.readouterr().out) == first
    record = json.loads(target.read_text("utf-8"))
    jsonschema.validate(record, _schema("record"))
    assert record["private_data"] == "masked"
    assert record["result"]["status"] == first["status"] == "gpu-no-driver"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize(("option", "kept"), [("--keep-private", True), ("--json", False)])
def test_a_record_keeps_private_data_only_when_asked_to(
    option: str, kept: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NV_VARIANT_PROVIDER_ROOT", str(_tiny_root(tmp_path)))
    monkeypatch.setenv("LD_LIBRARY_PATH", "/home/carol/lib")
    target = tmp_path / "record.json"

    main(["detect", "--record", str(target), option])

    assert ("/home/carol/lib" in target.read_text("utf-8")) is kept


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1]",
        '{"schema_version": 2}',
        '{"schema_version": 1, "observed": {}}',
        "[" * 99999,
    ],
    ids=["empty", "no-version", "list", "future", "no-platform", "deep"],
)
def test_an_unreadable_record_is_misuse_with_a_clear_word(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, "utf-8")

    code = main(["detect", "--replay", str(path)])

    assert code == 2
    assert str(path) in capsys.readouterr().err


def test_a_record_that_cannot_be_written_is_misuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    code = main(["detect", "--record", str(tmp_path / "file" / "record.json")])

    assert code == 2
    assert f"{tmp_path / 'file'}" in capsys.readouterr().err


def test_the_folder_of_a_record_is_created(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "record.json"
    main(["detect", "--record", str(path)])

    assert json.loads(path.read_text("utf-8"))["schema_version"] == 1


def test_a_malformed_override_is_misuse(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NV_VARIANT_PROVIDER_TIMEOUT", "soon")

    assert main(["detect"]) == 2
    assert "NV_VARIANT_PROVIDER_TIMEOUT='soon'" in capsys.readouterr().err


def test_help_names_every_exit_code_and_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["detect", "--help"])

    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert re.findall(r"^  (\d)  ", text, flags=re.MULTILINE) == ["0", "2", "3", "4", "5"]
    assert "nvidia-variant-provider detect --record" in text


def test_a_record_of_a_wrong_kind_is_named() -> None:
    from nvidia_variant_provider.detect.replay import ReplayHost

    with pytest.raises(InvalidValueError, match="libraries"):
        ReplayHost({"platform": {"system": "linux", "architecture": "x86_64"}, "libraries": 3})


def _tiny_root(folder: Path) -> Path:
    """Forge a machine with a GPU and no driver."""
    device = folder / "root/sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    for name, text in (("vendor", "0x10de"), ("device", "0x2330"), ("class", "0x030200")):
        (device / name).write_text(f"{text}\n", "utf-8")
    return folder / "root"
