"""A torch that was installed before stays: ``run`` says so where that is no build for the GPU."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.stand_in import LINUX, PYTHON, cuda_index, main_index

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux"),
]


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_what_the_warning_says_to_type_replaces_the_cpu_build_and_what_is_beside_it(
    tmp_path: Path, tool: str
) -> None:
    python = new_environment(tmp_path / "venv")
    pip: list[str | Path] = [
        pip_environment(PIPS[-1]),
        "-m",
        "pip",
        "--python",
        tmp_path / "venv",
        "install",
    ]
    uv: list[str | Path] = [uv_executable(), "pip", "install", "--python", python]
    install = pip if tool == "pip" else uv
    with main_index().serving() as main, cuda_index().serving() as cuda:
        environ = clean_environment(
            tmp_path, PIP_INDEX_URL=f"{main}/simple/", UV_DEFAULT_INDEX=f"{main}/simple/"
        )
        options = ["--cuda-index", f"{cuda}/whl"]
        on_v100 = [*options, "--target", "v100@580"]
        first = run(options, [*install, "torch", "torchvision"], environ)
        before = installed(tmp_path / "venv")
        done = run(on_v100, [*install, "torch"], environ)
        stays = installed(tmp_path / "venv")
        hint = re.search(
            r"hint: to replace it: nvidia-variant-provider run (.*) -- (.*)", done.output
        )
        again = run(
            shlex.split(hint[1]) if hint else [],
            shlex.split(hint[2]) if hint else ["false"],
            environ,
        )

    assert (first.code, before["torch"], first.output.count("stays")) == (0, "2.15.0+cpu", 0)
    assert (done.code, stays) == (0, before)
    assert (
        "warning: torch 2.15.0+cpu was installed before and stays, and is no build for this GPU"
        in done.output
    )
    assert (again.code, installed(tmp_path / "venv")) == (
        0,
        {
            "torch": "2.14.1+cu126",
            "torchvision": "0.29.1+cu126",
            "typing_extensions": "4.12.0",
            "nvidia_cublas_cu12": "1.126",
        },
    ), again.output
    assert "stays" not in again.output


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--require-gpu",), 1)])
def test_a_lock_that_decides_for_a_build_which_does_not_run_is_named(
    tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.10"\n'
        'dependencies = ["torch"]\n'
    )
    with main_index().serving() as main:
        environ = clean_environment(tmp_path, UV_DEFAULT_INDEX=f"{main}/simple/")
        lock = [uv_executable(), "lock", "--quiet", "--directory", str(tmp_path)]
        subprocess.run(lock, env=environ, check=True)
        done = run(
            ["--target", "v100@580", *options],
            [uv_executable(), "sync", "--quiet", "--no-install-project"],
            environ,
            tmp_path,
        )

    assert done.code == code, done.output
    assert (
        "uv.lock decides, and its torch is no build for this GPU: torch==2.15.0: no device code for"
        " 7.0" in done.output
    )


def test_a_build_that_stays_is_an_error_where_a_gpu_is_required(tmp_path: Path) -> None:
    python = new_environment(tmp_path / "venv")
    install = [uv_executable(), "pip", "install", "--python", str(python), "torch"]
    with main_index().serving() as main, cuda_index().serving() as cuda:
        environ = clean_environment(tmp_path, UV_DEFAULT_INDEX=f"{main}/simple/")
        options = ["--cuda-index", f"{cuda}/whl"]
        run(options, install, environ)
        done = run([*options, "--target", "v100@580", "--require-gpu"], install, environ)

    assert done.code == 1
    assert "--require-gpu: torch 2.15.0+cpu was installed before and stays" in done.output


def test_a_wheel_that_is_named_by_its_address_is_judged(tmp_path: Path) -> None:
    python = new_environment(tmp_path / "venv")
    with main_index().serving() as main, cuda_index().serving() as cuda:
        environ = clean_environment(tmp_path, UV_DEFAULT_INDEX=f"{main}/simple/")
        wheel = f"{cuda}/whl/cu130/torch-2.14.1%2Bcu130-{PYTHON}-{LINUX}.whl"
        command: list[str | Path] = [uv_executable(), "pip", "install", "--python", python, wheel]
        done = run(["--target", "v100@580", "--require-gpu"], command, environ)

    assert (done.code, installed(tmp_path / "venv")["torch"]) == (1, "2.14.1+cu130")
    assert (
        "error: --require-gpu: torch 2.14.1+cu130 was installed past the view, and is no build for"
        " this GPU: no device code for 7.0" in done.output
    )
