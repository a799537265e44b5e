"""``explain``: tables, checks and JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH, PREFIX, ROOT
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.demo.releases import write_releases
from tests.tools.explain.releases import build, write_release
from tests.tools.lint import releases as described
from tests.tools.lint.releases import merge_patch, read_base
from tests.tools.lint.serving import serve

SCHEMA = Path(__file__).parents[3] / "schemas" / "explanation.schema.json"
VARIANTS = {
    "cu130": build("13.0", "75_real 90_real 100_real", "1"),
    "cu126": build("12.0", "60_real 90_real", "2"),
    "null": {},
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("MACHINE", "TARGET", "GPU", "RULES"):
        monkeypatch.delenv(PREFIX + variable, raising=False)
    monkeypatch.delenv(FORCE_CUDA, raising=False)
    monkeypatch.delenv(FORCE_SM_ARCH, raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(ROOT, str(tmp_path / "empty"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def wheels(tmp_path: Path) -> str:
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_release(folder, VARIANTS)
    return str(folder)


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_table_shows_every_variant_and_each_installer_s_winner(
    wheels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, wheels, "--target", "h100@570")
    lines = [line.split() for line in out.splitlines()]

    assert (code, err) == (0, "")
    assert [line[:2] for line in lines if line[:1] in (["1"], ["2"], ["-"])] == [
        ["1", "cu126"],
        ["2", "null"],
        ["-", "cu130"],
    ]
    assert out.count("uv (its own copy, rule set 0): cu126") == 1
    assert "this machine supports 12.8 (driver branch R570)" in out


@pytest.mark.parametrize(("version", "label"), [("3.11", "cuda12.6"), ("3.12", "cuda13.0")])
def test_the_python_may_be_named(
    version: str, label: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = "demo-1.0-py3-none-manylinux_2_28_x86_64-cuda13.0.whl"
    patch = {"wheels": {best: {"fields": {"Requires-Python": ">=3.12"}}}}
    folder = str(described.write_release(tmp_path, merge_patch(read_base(), patch)))
    named = ("--target", "h100@580", "--python-version", version, "--expect", label)

    assert output_of(capsys, folder, *named)[0] == 0


def test_what_is_no_version_of_python_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["explain", ".", "--python-version", "three"])
    assert "expected a version of Python such as 3.12" in capsys.readouterr().err


def test_several_machines_are_explained_one_after_another(
    wheels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "machine.json"
    file.write_text('{"cuda_driver_version": "13.0", "gpus": [{"compute_capability": "7.5"}]}')
    targets = ("--target", "h100@580", "--target", "p100@580", "--machine", str(file))
    _, out, _ = output_of(capsys, wheels, *targets, "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))

    assert [
        (one["name"], [view["winner"] for view in one["installers"]])
        for one in document["machines"]
    ] == [
        ("h100@580", ["cu130", "cu130", None]),
        ("p100@580", ["cu126", "cu126", None]),
        (str(file), ["cu130", "cu130", None]),
    ]


def test_the_choice_of_a_gpu_changes_the_winner(
    wheels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = (wheels, "--target", "p100+b200@580", "--expect", "cu130")

    assert output_of(capsys, *mixed)[0] == 1
    assert output_of(capsys, *mixed, "--gpu", "highest")[0] == 0


def test_this_machine_is_the_default(wheels: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output_of(capsys, wheels)

    assert "this machine: no usable driver; no GPU" in out
    assert "this provider (rule set 1): null" in out


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--require-gpu"], 0, ""),
        (["--expect", "cu126"], 0, ""),
        (["--expect", "cu126", "--installer", "uv", "--require-gpu"], 0, ""),
        (
            ["--expect", "cu130"],
            1,
            (
                "nvidia-variant-provider explain: error: "
                "expected variant cu130 for h100@570, but provider selects cu126; "
                "cu130: needs CUDA >= 13.0, this machine supports 12.8 (driver branch R570)\n"
            ),
        ),
        (
            ["--expect", "cu999"],
            1,
            (
                "nvidia-variant-provider explain: error: "
                "expected variant cu999 for h100@570, but provider selects cu126; "
                "this release has no variant cu999 (it has cu126, null, cu130)\n"
            ),
        ),
        (
            ["--require-gpu", "--installer", "pip"],
            1,
            (
                "nvidia-variant-provider explain: error: "
                "--require-gpu: h100@570: pip selects no label, which is not a build for a GPU "
                "(cu126: pip takes no wheel with a label)\n"
            ),
        ),
    ],
    ids=str,
)
def test_checks_give_an_exit_code_and_one_line(
    arguments: list[str], code: int, error: str, wheels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = output_of(capsys, wheels, "--target", "h100@570", *arguments)

    assert (seen[0], seen[2]) == (code, error)


@pytest.mark.parametrize(
    ("arguments", "code", "level", "rule", "part"),
    [
        pytest.param(["--expect", "cu130"], 1, "error", "other-variant",
                     "expected variant cu130 for h100@570", id="another variant"),
        pytest.param(["--require-gpu", "--installer", "pip"], 1, "error", "no-gpu-build",
                     "pip selects no label", id="no build for the GPU"),
        pytest.param(["--target", "v100@570"], 0, "warning", "explain-warning",
                     "v100@570: ", id="a warning alone"),
    ],
)  # fmt: skip
def test_checks_and_warnings_are_findings_for_ci(
    arguments: list[str],
    code: int,
    level: str,
    rule: str,
    part: str,
    wheels: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = () if "--target" in arguments else ("--target", "h100@570")
    seen = output_of(capsys, wheels, *named, *arguments, "--output-format", "github")
    head = f"::{level} file={wheels},line=1,title={rule}::{rule}: "

    assert (seen[0], seen[2]) == (code, "")
    assert seen[1].startswith(head)
    assert part in seen[1]


def test_a_view_is_explained_in_text_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = output_of(capsys, "wheels", "--package", "torch", "--through-view", "--json")

    assert (code, out) == (2, "")
    assert "--through-view: expected the output format text" in err


def test_a_gpu_machine_that_gets_no_gpu_build_fails_the_check(
    wheels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = output_of(capsys, wheels, "--target", "b200@570", "--require-gpu")

    assert code == 1
    assert "warning: this provider selects null, although this machine has a GPU" in err
    assert "error: --require-gpu: b200@570: provider selects null" in err


def test_uv_s_own_table_is_shown_where_it_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_release(tmp_path, {"ptx": build("12.0", "90_virtual"), "null": {}})
    _, out, err = output_of(capsys, str(tmp_path), "--target", "b200@580")

    assert "as uv (its own copy, rule set 0) sees it" in out
    assert "they disagree: the provider selects ptx, uv selects null" in err


def test_installed_says_whether_it_still_fits(
    wheels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    with zipfile.ZipFile(Path(wheels, "demo-1.2-py3-none-any-cu130.whl")) as archive:
        archive.extractall(tmp_path / "site")
    installed = ("--installed", "demo", "--path", str(tmp_path / "site"))
    _, new, _ = output_of(capsys, *installed, "--target", "h100@580")
    code, old, err = output_of(capsys, *installed, "--target", "h100@570", "--require-gpu")

    assert "what is installed still fits" in new
    assert (
        "hint: nvidia-variant-provider run --target h100@570 -- pip install --force-reinstall "
        "demo==1.2\n"
    ) in err
    assert (code, "what is installed no longer fits" in old) == (1, True)
    assert "cu130" in old


@pytest.mark.parametrize("kind", ["cut short", "a pipe", "a folder"])
@pytest.mark.parametrize("listed", [True, False])
def test_a_wheel_that_cannot_be_read_is_a_warning_and_the_rest_is_judged(
    kind: str, *, listed: bool, wheels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, best = (Path(wheels, f"demo-1.2-py3-none-any{it}.whl") for it in ("", "-cu130"))
    for path in (plain,) if listed else (plain, best):
        path.unlink()
        if kind == "a pipe":
            os.mkfifo(path)
        elif kind == "a folder":
            path.mkdir()
        else:
            path.write_bytes(b"PK")
    if not listed:
        Path(wheels, "demo-1.2-variants.json").unlink()
    code, out, err = output_of(capsys, wheels, "--target", "h100@580")

    assert (code, f"this provider (rule set 1): {'cu130' if listed else 'cu126'}" in out) == (0, 1)
    assert all(it.name in err for it in ((plain,) if listed else (plain, best)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no SOURCE; expected a package, a folder, a file or an index\nhint: "),
        (["x", "--installed", "torch"], "--installed: expected without a SOURCE"),
        (["./no-such-folder"], "no such file"),
        (["no-such-1.0-py3-none-any.whl"], "no such file"),
        (["--installed", "no-such-package"], "not installed here\nhint: "),
    ],
    ids=str,
)
def test_misuse_is_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = output_of(capsys, *arguments)

    assert (code, out, err.count("\n")) == (2, "", 1 + words.count("\n"))
    assert words in err


def test_a_wrong_target_is_misuse(wheels: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(capsys, wheels, "--target", "gh20")[0] == 2


def test_torch_that_is_not_installed_is_looked_up_in_the_configured_indexes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_releases(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    code, out, err = output_of(capsys, "torch", "--target", "h100@580")

    assert code == 0
    assert "torch is not installed here. This is what pip gets from the configured indexes" in err
    assert "h100@580:" in out
    assert "cuda13.2" in out


def test_a_project_that_is_not_installed_is_looked_up_in_the_configured_indexes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "simple" / "demo"
    page.mkdir(parents=True)
    links = ("demo-1.2+cu126-py3-none-any.whl", "demo-1.2+cu126.tar.gz")
    (page / "index.html").write_text("".join(f'<a href="{it}">{it}</a>' for it in links), "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in [it for it in os.environ if it.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    with serve(tmp_path) as served:
        for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
            monkeypatch.setenv(name, f"{served.url}/simple")
        found = output_of(capsys, "demo", "--target", "h100@580")
        absent = output_of(capsys, "tocrh", "--target", "h100@580")

    assert found[0] == 0
    assert "note: demo is not installed here. This is what the configured indexes have" in found[2]
    assert found[1].startswith(f"demo 1.2+cu126: {served.url}/simple/demo/\n")
    assert absent[0] == 2
    assert absent[2].endswith("no index of pip has tocrh; did you mean torch?\n")


def test_a_word_that_is_nearly_a_folder_s_name_is_not_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wheels").mkdir()
    monkeypatch.chdir(tmp_path)

    assert output_of(capsys, "wheelz") == (
        2,
        "",
        (
            "nvidia-variant-provider explain: error: wheelz: not installed, and not here; "
            "did you mean wheels?\n"
        ),
    )
