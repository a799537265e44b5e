"""``properties`` in every format, for this machine and named ones."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from nvidia_variant_provider import machine_file
from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH, PREFIX, ROOT, TARGET
from nvidia_variant_provider.rules import catalogue, decide
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.metadata.readers import PEP
from nvidia_variant_provider.tools.metadata.strict import At, read_provider

SCHEMA = Path(__file__).parents[3] / "schemas" / "properties.schema.json"


@pytest.fixture(autouse=True)
def _empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("MACHINE", "TARGET", "GPU", "RULES", "FORCE_SM_ARCH"):
        monkeypatch.delenv(PREFIX + variable, raising=False)
    monkeypatch.delenv(FORCE_CUDA, raising=False)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv(ROOT, str(empty))


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["properties", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_text_lists_every_value_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = output_of(capsys, "--target", "gh200@580")
    decision = decide(parse_target("gh200@580").machine())
    blocks = [block.split("\n", 1) for block in out.split("nvidia :: ")[1:]]

    assert (code, err) == (0, "")
    assert [(name, values.split()) for name, values in blocks] == [
        (feature.name, list(feature.values)) for feature in decision.features
    ]
    assert "GH200 Grace Hopper (9.0)" in out


def test_nothing_supported_is_exit_code_1_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = output_of(capsys)

    assert code == 1
    assert "nothing is supported: installers choose builds without CUDA" in out


@pytest.mark.parametrize("arguments", [["--target", "a10+t4@570"], ["--all"], []], ids=str)
def test_json_fits_its_schema(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output_of(capsys, *arguments, "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))

    features = decide(parse_target("a10+t4@570").machine()).features if arguments else ()
    wanted = catalogue() if arguments == ["--all"] else features
    assert [(it["name"], tuple(it["values"])) for it in document["features"]] == [
        (it.name, it.values) for it in wanted
    ]


def test_rules_0_are_those_of_the_older_providers(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output_of(capsys, "--target", "gh200@580", "--rules", "0", "--format", "json")
    document = json.loads(out)

    assert document["rules"] == 0
    assert document["features"][2]["values"] == ["90_real", "90_virtual"]


@pytest.mark.parametrize("form", ["env", "github"])
def test_env_is_the_lines_that_uv_needs(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(capsys, "--target", "gh200@580", "--format", form) == (
        0,
        f"{FORCE_CUDA}=13.0\n{FORCE_SM_ARCH}=9.0\nUV_PREVIEW_FEATURES=wheel-variants\n",
        "",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "wheel-variants"),
        ("wheel-variants", "wheel-variants"),
        ("pylock,extra-build-dependencies", "pylock,extra-build-dependencies,wheel-variants"),
    ],
)
def test_other_previews_of_uv_stay_on(
    before: str, after: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UV_PREVIEW_FEATURES", before)
    _, out, _ = output_of(capsys, "--target", "gh200@580", "--format", "env")

    assert out.splitlines()[2] == f"UV_PREVIEW_FEATURES={after}"


def test_conda_is_both_overrides_and_the_platform_is_a_remark(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = output_of(capsys, "--target", "gtx-1080-ti@580", "--format", "conda")

    assert (code, out) == (0, "CONDA_OVERRIDE_CUDA=12.9\nCONDA_OVERRIDE_CUDA_ARCH=6.1\n")
    assert "warning: CONDA_OVERRIDE_CUDA is 12.9, not 13.0" in err
    assert "CONDA_SUBDIR=linux-64" in err


@pytest.mark.parametrize("form", ["text", "json", "env", "dockerfile", "github", "conda", "static"])
def test_an_assumed_driver_is_said_in_every_format(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, "--target", "h100", "--format", form)
    said = "no driver was named: R580 (CUDA 13.0) is assumed; for an older one, name it: h100@575"

    assert code == 0
    assert f"note: {said}\n" in err
    if form == "json":
        assert json.loads(out)["machine"]["assumed"] == [said]


def test_dockerfile_is_a_comment_and_env_lines(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output_of(capsys, "--target", "b200@570", "--format", "dockerfile")

    assert out.splitlines() == [
        "# target b200@570: driver branch R570; CUDA 12.8; B200 (10.0)",
        f"ENV {FORCE_CUDA}=12.8",
        f"ENV {FORCE_SM_ARCH}=10.0",
        "ENV UV_PREVIEW_FEATURES=wheel-variants",
    ]


@pytest.mark.parametrize("form", ["env", "dockerfile", "github", "static", "conda"])
def test_without_a_driver_nothing_is_printed_and_the_code_is_1(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, "--format", form)

    assert (code, out) == (1, "")
    assert err.startswith("warning: ")
    assert "no usable NVIDIA driver" in err


def test_mixed_gpus_are_warned_about_and_a_choice_settles_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mixed = ("--target", "a10+t4@570", "--format", "env")
    _, out, err = output_of(capsys, *mixed)
    _, chosen, quiet = output_of(capsys, *mixed, "--gpu", "highest")

    assert (f"{FORCE_SM_ARCH}=7.5" in out, "--gpu highest" in err) == (True, True)
    assert (f"{FORCE_SM_ARCH}=8.6" in chosen, quiet) == (True, "")


@pytest.mark.parametrize("target", ["gh200@580", "a10+t4@570", "jetson-orin@jetpack6"])
def test_static_is_a_provider_entry_with_the_same_order(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = output_of(capsys, "--target", target, "--format", "static")
    entry = json.loads(out)["nvidia"]
    provider = read_provider(entry, At("", PEP))

    assert [(it.name, it.values) for it in provider.static_offers] == [
        (it.name, it.values) for it in decide(parse_target(target).machine()).features
    ]


def test_a_machine_file_is_read_and_its_text_cannot_move_the_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "machine.json"
    gpu = {"compute_capability": "9.0", "name": "H100\x1b[2J\nENV X=1"}
    path.write_text(json.dumps({"cuda_driver_version": "12.8", "gpus": [gpu]}))
    _, out, _ = output_of(capsys, "--machine", str(path), "--format", "dockerfile")

    assert "\x1b" not in out
    assert [line.split()[0] for line in out.splitlines()] == ["#", "ENV", "ENV", "ENV"]


def test_a_recorded_machine_is_the_same_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = parse_target("a10+t4@570").machine()
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(machine_file.dump(machine)))
    _, read, _ = output_of(capsys, "--machine", str(path), "--format", "static")
    _, named, _ = output_of(capsys, "--target", "a10+t4@570", "--format", "static")

    assert read == named


def test_the_command_line_wins_over_the_environment_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TARGET, "b200@580")
    monkeypatch.setenv(FORCE_SM_ARCH, "7.5")
    _, out, err = output_of(capsys, "--target", "gh200@580", "--format", "env")

    assert out.splitlines()[:2] == [f"{FORCE_CUDA}=13.0", f"{FORCE_SM_ARCH}=9.0"]
    assert err == f"warning: {FORCE_SM_ARCH}, {TARGET} ignored: the command line names a machine\n"


def test_the_environment_s_target_is_used_without_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TARGET, "b200@580")
    _, out, _ = output_of(capsys, "--format", "env")

    assert out.splitlines()[:2] == [f"{FORCE_CUDA}=13.0", f"{FORCE_SM_ARCH}=10.0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "gh20"], "--target 'gh20': expected a target"),
        (["--target", ""], "--target: expected a value"),
        (["--machine", "no-such-file.json"], "No such file"),
        (["--machine", "/"], "expected a readable file"),
        (["--target", "h100", "--gpu", "7"], "--gpu '7': expected one of the GPUs"),
        (["--target", "h100", "--gpu", "best"], "--gpu 'best': expected 'all', 'highest'"),
        (["--all", "--target", "h100"], "--all is the same for every machine"),
        (["--all", "--format", "env"], "--all is the same for every machine"),
    ],
    ids=str,
)
def test_misuse_is_exit_code_2_with_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, *arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_target_and_a_file_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["properties", "--target", "h100", "--machine", "x"])

    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "env", "dockerfile", "github", "static"])
def test_plain_formats_need_none_of_the_tools_packages(form: str) -> None:
    script = f"""if True:
        import sys
        for name in ("packaging", "pydantic", "rich", "variantlib"):
            sys.modules[name] = None
        from nvidia_variant_provider.tools.cli.main import main
        sys.exit(main(["properties", "--target", "gh200@580", "--format", {form!r}]))
    """
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "9" in done.stdout  # the GH200's capability, in whatever spelling


def test_the_lines_survive_the_shell() -> None:
    lines = f"{FORCE_CUDA}=13.0\n{FORCE_SM_ARCH}=9.0\n"

    assert shlex.split(lines) == lines.split()
