"""What lint, verify and inspect share: selection, configuration, forms, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nvidia_variant_provider.tools.cli.checking import FORMS
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from tests.wheel_maker import cuda_wheel

TOOLS = ("lint", "verify", "inspect")


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A wheel that claims 12.0 (NV301) and has code for 9.0 that it does not claim (NV306)."""
    monkeypatch.chdir(tmp_path)
    features = {"sm_arch": ("80_real", "120_real"), "cuda_version_lower_bound": ("12.0",)}
    metadata = build_variant("cuda12.4", features)
    return write_variant(cuda_wheel(tmp_path, "80", "90"), tmp_path, metadata)[0].name


def codes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    wheels = json.loads(capsys.readouterr().out)["wheels"]
    return [finding["code"] for it in wheels for finding in it["findings"]]


def configure(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.nvidia-variant-provider]\n{text}\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_every_code_is_listed_with_its_severity_and_title(
    tool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([tool, "--list"]) == 0

    rows = [line.split(None, 2) for line in capsys.readouterr().out.splitlines()]
    assert {len(row) for row in rows} == {3}
    assert {row[1] for row in rows} <= {"error", "warning", "note"}


def test_the_longer_selector_wins_in_verify_too(
    wheel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["verify", "--json", "--select", "NV301", "--ignore", "NV30", wheel])

    assert (code, codes(capsys)) == (1, ["NV301"])


def test_the_configuration_selects_and_the_command_line_wins(
    wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, 'select = ["NV306", "NV2"]')
    main(["verify", "--json", wheel])
    configured = codes(capsys)
    main(["verify", "--json", "--select", "NV301", wheel])

    assert (configured, codes(capsys)) == (["NV306"], ["NV301"])


def test_the_configuration_ignores_by_file(
    wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, 'per-file-ignores = { "*-cuda12.4.whl" = ["NV301"] }')

    assert main(["verify", "--json", wheel]) == 1
    assert codes(capsys) == ["NV306"]


def test_the_configuration_sets_the_threshold(
    wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, "threshold = 40")
    main(["verify", "--json", wheel])

    assert json.loads(capsys.readouterr().out)["threshold"] == 0.4


@pytest.mark.parametrize("tool", TOOLS)
def test_a_code_of_another_tool_may_be_configured_and_an_unknown_one_may_not(
    tool: str, wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, 'ignore = ["NV2", "NV3", "damaged", "NV5"]')
    assert main([tool, wheel]) == 0
    configure(tmp_path, 'ignore = ["NV9"]')
    capsys.readouterr()

    assert main([tool, wheel]) == 2
    assert f"{tmp_path / 'pyproject.toml'}: no code starts with 'NV9'" in capsys.readouterr().err


def test_every_form_is_on_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "checking.md").read_text("utf-8")
    table = page.partition("## Forms of output")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FORMS)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("form", [*FORMS])
def test_the_exit_code_is_the_same_in_every_form(
    tool: str, form: str, wheel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = main([tool, wheel])
    capsys.readouterr()

    assert main([tool, "--output-format", form, wheel]) == expected
    assert ("NV301" in capsys.readouterr().out) is (tool == "verify")


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif", "junit"])
def test_a_wheel_that_cannot_be_read_is_in_every_form(
    form: str, wheel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = "absent-1.0-py3-none-any-x.whl"

    assert main(["verify", "--output-format", form, wheel, absent]) == 2
    assert absent in capsys.readouterr().out


def test_a_folder_means_its_variant_wheels(
    wheel: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["verify", "--json", str(tmp_path)])

    document = json.loads(capsys.readouterr().out)
    # The wheel without a label, which the variant was made from, is in the folder, too.
    assert [it["path"] for it in document["wheels"]] == [str(tmp_path / wheel)]


def test_a_folder_without_variants_says_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = cuda_wheel(tmp_path, "80").name

    assert main(["verify", str(tmp_path)]) == 2
    assert f"no such wheel in this folder; there is {plain}" in capsys.readouterr().err


def test_lint_looks_at_the_current_folder(wheel: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint"]) == 1
    assert wheel in capsys.readouterr().out


@pytest.mark.usefixtures("wheel")
def test_a_project_without_variants_is_no_fault_of_the_wheels_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'demo'\n")
    main(["lint", "--json"])

    assert str(tmp_path / "pyproject.toml[variant]") not in capsys.readouterr().out
