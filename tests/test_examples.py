from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from examples.torch import clients as installers
from examples.torch import show
from examples.torch.cases import CASES, Case
from examples.torch.clients import (
    ClientCrashError,
    ClientError,
    clean_environment,
    install_with_uv,
    installed_label,
    uv_executable,
)
from examples.torch.environment import CACHE, SetUpError, ensure_environment
from nvidia_variant_provider.tools.demo.releases import RELEASES, Build, write_releases
from nvidia_variant_provider.tools.metadata.reading import parse_metadata

PROJECT = Path(__file__).resolve().parents[1]
DEMO = PROJECT / "examples" / "torch" / "demo.py"
PINNED = [case for case in CASES if case.machine is not None]

Rows = dict[str, dict[str, Any]]

clients = pytest.mark.clients


def run_demo(*arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEMO), *arguments],
        env={**clean_environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def rows() -> Rows:
    done = run_demo("--here", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    return {row["case"]: row for row in document["rows"]}


def build_of(case: Case, label: str) -> Build:
    return next(build for build in RELEASES[case.version] if build.label == label)


@clients
def test_demo_shows_every_case(rows: Rows) -> None:
    assert list(rows) == [case.key for case in CASES]


@clients
@pytest.mark.parametrize("case", PINNED, ids=lambda case: case.key)
def test_chosen_build_fits_the_machine(rows: Rows, case: Case) -> None:
    """Held to the build's own facts, not to the rules that chose it."""
    assert case.machine is not None
    chosen = rows[case.key]["variantlib"]
    if chosen == "null":
        assert case.key == "newer"
        return

    build = build_of(case, chosen)

    assert build.platform.endswith(case.machine.platform.architecture)
    assert build.row.cuda.major <= case.machine.cuda.major  # type: ignore[union-attr]  # pinned
    for capability in case.machine.capabilities:
        runs = [
            arch.capability
            for arch in build.archs
            if arch.virtual or arch.capability.major == capability.major
        ]
        assert min(runs) <= capability


@clients
def test_provider_serves_what_uv_does_not(rows: Rows) -> None:
    differing = {key for key, row in rows.items() if row["uv"] != row["variantlib"]}

    assert differing - {"this"} == {"mixed", "newer-ptx"}


@clients
def test_through_run_nobody_with_a_gpu_that_a_version_serves_gets_a_cpu_build(rows: Rows) -> None:
    through_run = {case.key: rows[case.key]["through_run"] for case in PINNED}
    by_provider = {case.key: rows[case.key]["variantlib"] for case in PINNED}

    assert through_run == by_provider | {"newer": None}


@clients
def test_reasons_name_the_deciding_value(rows: Rows) -> None:
    for key, text in {
        "h100": "90_real",
        "h100-older-driver": "this machine supports 12.4",
        "gtx1080ti": "60_real",
        "mixed": "nothing for V100",
        "newer-ptx": "120_virtual",
    }.items():
        assert text in rows[key]["why"]


@clients
def test_readme_shows_what_comes_out(rows: Rows) -> None:
    readme = (DEMO.parent / "README.md").read_text(encoding="utf-8")
    table = [line.strip("| ").split(" | ") for line in readme.splitlines() if line[:1] == "|"][2:]

    assert [cells[0] for cells in table] == [row["machine"] for row in rows.values()]
    assert table[1:] == [
        [row["machine"], row["uv"], row["variantlib"], row["through_run"] or show.STOPS]
        for row in list(rows.values())[1:]
    ]


@clients
def test_demo_prints_a_table_and_progress_apart() -> None:
    done = run_demo("--here", "--case", "h100")

    assert done.returncode == 0
    assert "H100, CUDA 13.2" in done.stdout
    assert "cuda13.2" in done.stdout
    assert done.stderr == "machines to install for: 1\n1 of 1: H100, CUDA 13.2\n"


@clients
@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_control_c_ends_the_demo_with_one_line() -> None:
    with subprocess.Popen(
        [sys.executable, str(DEMO), "--here"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        assert child.stderr is not None
        while b"1 of" not in child.stderr.readline():
            pass
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)

    # A row that had just been finished may have been told of.
    said = [line for line in err.splitlines() if b" of " not in line]
    assert (child.returncode, out, said) == (130, b"", [b"interrupted"])


FAKE_SMI = """#!/bin/sh
case "$*" in
  *driver_version*) printf '550.54.14\\n550.54.14\\n' ;;
  *compute_cap*) printf '7.0\\n9.0\\n' ;;
  *) printf 'Driver Version : 550.54.14\\nCUDA Version : 12.4\\n' ;;
esac
"""


@clients
@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_uv_is_predicted_from_what_nvidia_smi_says(tmp_path: Path) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text(FAKE_SMI, encoding="utf-8")
    smi.chmod(0o755)

    done = run_demo("--here", "--case", "this", "--json", path=f"{tmp_path}:{os.environ['PATH']}")

    (row,) = json.loads(done.stdout)["rows"]
    assert (row["uv"], row["uv_predicted"], done.returncode) == ("cuda12.6", "cuda12.6", 0)


@clients
def test_demo_makes_its_own_environment() -> None:
    done = run_demo("--case", "this", "--json")

    assert done.returncode == 0, done.stderr
    assert [row["case"] for row in json.loads(done.stdout)["rows"]] == ["this"]


def test_failed_set_up_says_what_pip_said_and_leaves_nothing_half_made() -> None:
    with pytest.raises(SetUpError, match="no-such-folder"):
        ensure_environment("test-failing", ["./no-such-folder"])

    assert [path for path in CACHE.glob("test-failing-*") if path.is_dir()] == []


def test_unforeseen_choice_is_reported_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    as_foreseen = show.Row("h100", "H100", "2.14.1", "a", "a", "b", "b", "c", "c", "because")
    rows = [as_foreseen, replace(as_foreseen, uv="null", through_run=None)]

    assert show.report(rows[:1], as_json=True) == 0
    assert capsys.readouterr().err == ""
    assert show.report(rows, as_json=True) == 1
    assert capsys.readouterr().err == (
        "demo.py: H100: predicted a (uv), b (variantlib) and c (through run), "
        "got null, b and stops\n"
    )


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    write_releases(folder)
    return folder


def test_wheels_are_the_same_bytes_every_time(wheels: Path, tmp_path: Path) -> None:
    write_releases(tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in wheels.iterdir()
    }


def test_one_label_means_one_property_set(wheels: Path) -> None:
    for path in wheels.glob("*-variants.json"):
        metadata = parse_metadata(path.read_bytes(), path.name)
        version = path.name.split("-")[1]
        assert len(metadata.variants) == len(RELEASES[version]) + 1


@clients
def test_uv_without_variants_takes_the_plain_wheel(wheels: Path, tmp_path: Path) -> None:
    command = [
        *(uv_executable(), "pip", "install", "--no-index", "--find-links", str(wheels)),
        *("--no-config", "--python", sys.executable, "--target", str(tmp_path), "torch==2.14.1"),
    ]
    environment = {**clean_environment(), "UV_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run(command, env=environment, capture_output=True, check=True)

    assert installed_label(tmp_path, "torch", "2.14.1") is None


@clients
def test_failed_install_says_what_uv_said(wheels: Path) -> None:
    with pytest.raises(ClientError, match=r"no version of torch==9\.9"):
        install_with_uv(wheels, ["torch==9.9"], {})


@pytest.mark.parametrize(("crashes", "survives"), [(1, True), (2, False)])
def test_an_installer_that_crashes_is_asked_once_more(
    crashes: int,
    survives: bool,  # noqa: FBT001 - a table of cases
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "uv"
    count = tmp_path / "count"
    lines = f"echo >> {count}; test $(wc -l < {count}) -gt {crashes} || kill -SEGV $$"
    program.write_text(f"#!/bin/sh\n{lines}\n")
    program.chmod(0o755)
    monkeypatch.setattr(installers, "uv_executable", lambda: str(program))

    if survives:
        assert install_with_uv(tmp_path, [], {}) == {}
    else:
        with pytest.raises(ClientCrashError, match=r"uv failed \(-11\)"):
            install_with_uv(tmp_path, [], {})
    assert len(count.read_text().splitlines()) == 2
