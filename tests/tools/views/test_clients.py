"""What ``run`` says beside pip and uv: of hidden versions, CPU builds and ``--require-gpu``.

What they install is in test_rows.py.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH
from tests.tools.views.clients import (
    PIPS,
    Done,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.stand_in import cuda_index, main_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux"),
]
NEWEST = PIPS[-1]


class Indexes:
    """Both stand-ins, and an environment for commands that uses them."""

    def __init__(self, main: str, cuda: str, home: Path) -> None:
        self.options = ["--cuda-index", f"{cuda}/whl"]
        self.environ = clean_environment(
            home, PIP_INDEX_URL=f"{main}/simple/", UV_DEFAULT_INDEX=f"{main}/simple/"
        )
        self.home = home

    def run(self, target: str, *command: str | Path, options: tuple[str, ...] = ()) -> Done:
        named = ["--target", target] if target else []
        return run([*named, *self.options, *options], command, self.environ, self.home)


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[Indexes]:
    with main_index().serving() as main, cuda_index().serving() as cuda:
        yield Indexes(main, cuda, tmp_path)


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_hidden_version_that_is_pinned_is_explained_after_the_command(
    indexes: Indexes, tmp_path: Path, tool: str
) -> None:
    python = pip_environment(NEWEST) if tool == "pip" else new_environment(tmp_path / "venv")
    words = (
        [python, "-m", "pip", "install"] if tool == "pip" else [uv_executable(), "pip", "install"]
    )
    more: list[str | Path] = [] if tool == "pip" else ["--python", python]
    done = indexes.run("v100@580", *words, *more, "torch==2.15.0")

    assert done.code == 1
    assert re.search(r"note: torch 2\.15\.0 is not shown: .* 2\.14\.1 \(cu126\)", done.output)
    assert "hint: --any-version" in done.output


def test_a_cpu_build_on_a_machine_with_a_gpu_is_a_warning(indexes: Indexes, tmp_path: Path) -> None:
    done = indexes.run(
        "v100@580", pip_environment(NEWEST), "-m", "pip", "install", "--target", tmp_path / "site",
        "torch", options=("--any-version",),
    )  # fmt: skip

    assert (done.code, installed(tmp_path / "site")["torch"]) == (0, "2.15.0+cpu")
    assert "warning: torch 2.15.0: the CPU build is shown on a machine with a GPU" in done.output


def test_a_gpu_that_no_build_has_code_for_gets_the_cpu_build_and_a_warning(
    indexes: Indexes, tmp_path: Path
) -> None:
    python = new_environment(tmp_path / "venv")
    indexes.environ |= {FORCE_CUDA: "13.2", FORCE_SM_ARCH: "13.0"}
    done = indexes.run("", uv_executable(), "pip", "install", "--python", python, "torch")

    assert (done.code, installed(tmp_path / "venv")) == (
        0,
        {"torch": "2.15.0+cpu", "typing_extensions": "4.12.0"},
    )
    assert "warning: torch 2.15.0: the CPU build is shown on a machine with a GPU" in done.output


def test_require_gpu_refuses_a_project_that_would_end_at_a_cpu_build(
    indexes: Indexes, tmp_path: Path
) -> None:
    python = new_environment(tmp_path / "venv")
    done = indexes.run(
        "v100@470", uv_executable(), "pip", "install", "--python", python, "torch",
        options=("--require-gpu",),
    )  # fmt: skip

    assert done.code == 1
    # uv shows the status line, which has the reason; where the line ends is the terminal's.
    assert "410" in done.output
    assert "no build for this GPU" in done.output
    assert "error: --require-gpu: torch" in done.output


def test_require_gpu_starts_nothing_without_a_gpu(indexes: Indexes) -> None:
    done = indexes.run("", sys.executable, "-c", "print('started')", options=("--require-gpu",))

    assert (done.code, "started" in done.output) == (1, False)
