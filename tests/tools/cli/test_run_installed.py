"""A torch that was installed before stays: ``run`` says so where that is no build for the GPU."""

from __future__ import annotations

import re
import shlex
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
from tests.tools.views.stand_in import cuda_index, main_index

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
        hint = re.search(r"hint: to replace it: nvidia-variant-provider run (.*)", done.output)
        named, _, command = (hint[1] if hint else "").partition(" -- ")
        again = run(named.split(), shlex.split(command), environ)

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
