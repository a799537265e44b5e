"""``run``: the command's environment, exit code and failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH, GPU, MACHINE, RULES, TARGET
from nvidia_variant_provider.tools.installers.environment import with_facts

if TYPE_CHECKING:
    from pathlib import Path

UV_PREVIEW = "UV_PREVIEW_FEATURES"
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def run(
    *arguments: str, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    ours = {"NV_VARIANT_PROVIDER_ROOT": "/var/empty-no-such-root", **environ}
    inherited = {name: value for name, value in os.environ.items() if "NV_VARIANT" not in name}
    inherited.pop(UV_PREVIEW, None)
    return subprocess.run(
        [sys.executable, "-m", "nvidia_variant_provider", "run", *arguments],
        env=inherited | ours,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_sees_the_forced_facts() -> None:
    done = run("--target", "gh200@580", "--", sys.executable, "-c", SHOW)
    environ = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert {name: environ.get(name) for name in (FORCE_CUDA, FORCE_SM_ARCH, UV_PREVIEW)} == {
        FORCE_CUDA: "13.0",
        FORCE_SM_ARCH: "9.0",
        UV_PREVIEW: None,
    }


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_command_s(code: int) -> None:
    assert run("--target", "h100", "--", sys.executable, "-c", f"exit({code})").returncode == code


@pytest.mark.skipif(os.name == "nt", reason="no signals there")
def test_a_signal_that_ends_the_command_ends_run() -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"

    assert run("--target", "h100", "--", sys.executable, "-c", script).returncode == -signal.SIGTERM


def test_arguments_arrive_as_they_were_given() -> None:
    wanted = ["--target", "--", "a b", "", "--help"]
    script = "import json, sys; print(json.dumps(sys.argv[1:]))"
    done = run("--target", "h100", "--", sys.executable, "-c", script, *wanted)

    assert json.loads(done.stdout) == wanted


def test_without_a_driver_the_command_still_runs() -> None:
    done = run("--", sys.executable, "-c", SHOW)

    assert (done.returncode, done.stderr) == (0, "")
    assert FORCE_CUDA not in json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--"], 2, "expected a command after --"),
        ([], 2, "expected a command after --"),
        (["--target", "h100", "--", "no-such-program-here"], 127, "not found"),
        (["--target", "h100", "--", "/"], 126, "denied"),
        (["--target", "gh20", "--", "true"], 2, "did you mean gh200"),
    ],
    ids=str,
)
def test_failures_to_start_have_codes_of_their_own(
    arguments: list[str], code: int, words: str
) -> None:
    done = run(*arguments)

    assert done.returncode == code
    assert words in done.stderr


def script(path: Path, lines: str) -> str:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def conda(tmp_path: Path) -> str:
    """Return a conda that runs a command as the real one does, in this Python."""
    return script(tmp_path / "conda", 'shift 3\n[ "$1" = -f ] && exec env\nexec "$@"')


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
def test_what_conda_runs_sees_the_view_and_what_describes_the_machine_to_conda(conda: str) -> None:
    done = run("--target", "v100@580", "--", conda, "run", "-n", "x", sys.executable, "-c", SHOW)
    environ = json.loads(done.stdout)

    assert environ["PIP_INDEX_URL"].startswith("http://127.0.0.1:")
    assert (environ["CONDA_OVERRIDE_CUDA"], environ["CONDA_OVERRIDE_CUDA_ARCH"]) == ("12.9", "7.0")


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
def test_conda_itself_gets_no_view(conda: str) -> None:
    done = run("--target", "h100@580", "--", "env", "A=1", conda, "install", "-n", "x", "env")

    assert "CONDA_OVERRIDE_CUDA=13.0" in done.stdout
    assert "127.0.0.1" not in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
def test_pip_s_part_of_an_environment_file_comes_through_the_view(conda: str) -> None:
    words = ("env", "create", "-q", "-f", "environment.yml")
    done = run("--target", "h100@580", "--", conda, *words)

    assert "CONDA_OVERRIDE_CUDA=13.0" in done.stdout
    assert "PIP_INDEX_URL=http://127.0.0.1:" in done.stdout


@pytest.fixture
def uv(tmp_path: Path) -> str:
    """Return a uv that says that it was started."""
    return script(tmp_path / "uv", "echo started")


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
def test_without_a_gpu_a_uv_that_reads_variants_does_not_start_either(uv: str) -> None:
    words = ("--require-gpu", "--", uv, "pip", "install", "torch")
    done = run(*words, UV_PREVIEW_FEATURES="wheel-variants")

    assert (done.returncode, done.stdout) == (1, "")
    assert "--require-gpu: no usable NVIDIA GPU" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
def test_options_that_a_uv_which_reads_variants_does_not_know_are_named(uv: str) -> None:
    view = ("--any-version", "--cuda-index", "http://127.0.0.1/whl", "--require-gpu")
    words = ("--target", "h100@580", *view, "--", uv, "pip", "install", "torch")
    done = run(*words, UV_PREVIEW_FEATURES="wheel-variants")

    assert (done.returncode, done.stdout) == (0, "started\n")
    assert done.stderr.splitlines()[:3] == [
        "warning: --any-version, --cuda-index: without effect, as uv reads variants by itself here",
        "warning: --require-gpu: the machine has a GPU; which build is installed uv decides",
        "hint: --through-view makes uv use the view in place of its preview of variants",
    ]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sudo pip install x", "sudo starts the command without the variables"),
        ("env -i pip install x", "env starts the command without the variables"),
        ("pip install --isolated x", "--isolated makes pip ignore the view"),
        ("env A=1 uv --color never lock", "into uv.lock"),
    ],
)
def test_what_cannot_see_the_view_or_would_keep_it_does_not_start(command: str, words: str) -> None:
    done = run("--target", "h100", "--", *command.split())

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r r.txt",
        "uv run --no-project pip install -r r.txt",
        "env A=1 uv --directory . pip sync r.txt",
        "uv --directory=. pip install -rr.txt",
        "pip-sync r.txt",
    ],
)
def test_a_requirements_file_that_names_an_index_is_found_wherever_it_is_named(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "r.txt").write_text("-i https://x.example/simple/\ntorch\n")
    is_elsewhere = "--directory" in command
    words = command.replace("--directory .", "--directory sub").replace("=.", "=sub").split()
    cwd = tmp_path if is_elsewhere else tmp_path / "sub"
    done = run("--target", "h100", "--", *words, cwd=cwd)

    assert done.returncode == 2
    assert "r.txt, line 1: -i beats every index" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
def test_a_file_that_a_shell_wrote_through_the_view_is_named(tmp_path: Path) -> None:
    script = 'echo "$UV_DEFAULT_INDEX" > uv.lock'
    done = run("--target", "h100@580", "--", "sh", "-c", script, cwd=tmp_path)

    assert done.returncode == 0
    assert f"warning: {tmp_path / 'uv.lock'} now has the address of this" in done.stderr


def test_the_cache_is_cleared_but_for_the_secret(tmp_path: Path) -> None:
    folder = tmp_path / "nvidia-variant-provider"
    (folder / "baked" / "key").mkdir(parents=True)
    (folder / "baked" / "key" / "x.whl").write_bytes(bytes(1_500_000))
    (folder / "secret").write_text("s")
    done = subprocess.run(
        [sys.executable, "-m", "nvidia_variant_provider", "cache", "clear"],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{folder}: 1.5 MB removed\n"
    assert [it.name for it in folder.iterdir()] == ["secret"]


@given(
    st.dictionaries(st.sampled_from([MACHINE, TARGET, GPU, RULES, UV_PREVIEW, "PATH"]), st.text()),
    st.sampled_from([{}, {FORCE_CUDA: "12.8"}, {FORCE_CUDA: "12.8", FORCE_SM_ARCH: "9.0"}]),
)
def test_the_child_environment_changes_only_what_describes_a_machine(
    environ: dict[str, str], forced: dict[str, str]
) -> None:
    child = with_facts(environ, forced)
    described = {MACHINE, TARGET, GPU} if forced else set()

    assert {name: child.get(name) for name in (MACHINE, TARGET, GPU)} == {
        name: None if name in described else environ.get(name) for name in (MACHINE, TARGET, GPU)
    }
    assert (child.get("PATH"), child.get(RULES)) == (environ.get("PATH"), environ.get(RULES))
    assert forced.items() <= child.items()
    assert child.get(UV_PREVIEW) == environ.get(UV_PREVIEW)
