"""pip and uv through a view end in the build that the view's own words name, with dependencies."""

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
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux"),
]
NEWEST = PIPS[-1]
TYPING = {"typing_extensions": "4.12.0"}
# Target, torch and torchvision, the library of its CUDA.
X86 = [
    ("", "2.15.0+cpu", "0.30.0+cpu", {}),
    ("gtx-1080-ti@580", "2.14.1+cu126", "0.29.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    ("v100@570", "2.14.1+cu126", "0.29.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    ("h100@550", "2.14.1+cu126", "0.29.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    ("rtx-5090@570", "2.13.0+cu129", "0.28.0+cu129", {"nvidia_cublas_cu12": "1.129"}),
    ("rtx-5090@580", "2.15.0", "0.30.0", {"nvidia_cublas_cu13": "1.132"}),
    ("a10+t4@580", "2.15.0", "0.30.0", {"nvidia_cublas_cu13": "1.132"}),
    # Newer than every build; code for sm_100 runs on it.
    ("sm_107@615", "2.15.0", "0.30.0", {"nvidia_cublas_cu13": "1.132"}),
]
ARM = [
    ("gh200@550", "2.14.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    ("gb200@580", "2.15.0", {"nvidia_cublas_cu13": "1.132"}),
    ("dgx-spark@580", "2.15.0", {"nvidia_cublas_cu13": "1.132"}),
]
# What runs in the gate; the rest is for `.ci/run deep`.
QUICK = {"", "gtx-1080-ti@580", "rtx-5090@570"}


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


def deep_unless_quick(rows: Sequence[tuple[object, ...]]) -> list[object]:
    return [
        pytest.param(*row, marks=[] if row[0] in QUICK else [pytest.mark.deep], id=str(row[0]))
        for row in rows
    ]


@pytest.mark.parametrize("version", [pytest.param(it, marks=pytest.mark.deep) for it in PIPS[:-1]])
@pytest.mark.parametrize(("target", "torch", "vision", "library"), X86, ids=str)
def test_older_pips_install_the_build_that_fits(
    indexes: Indexes, tmp_path: Path, version: str, target: str, torch: str, vision: str,
    library: dict[str, str],
) -> None:  # fmt: skip
    done = install(indexes, target, pip_environment(version), tmp_path / "site")

    assert (done.code, installed(tmp_path / "site")) == (
        0,
        {"torch": torch, "torchvision": vision, **TYPING, **library},
    ), done.output


@pytest.mark.parametrize(("target", "torch", "vision", "library"), deep_unless_quick(X86))
def test_pip_installs_the_build_that_fits(
    indexes: Indexes, tmp_path: Path, target: str, torch: str, vision: str, library: dict[str, str]
) -> None:
    done = install(indexes, target, pip_environment(NEWEST), tmp_path / "site")

    assert (done.code, installed(tmp_path / "site")) == (
        0,
        {"torch": torch, "torchvision": vision, **TYPING, **library},
    ), done.output


def install(indexes: Indexes, target: str, python: Path, site: Path) -> Done:
    return indexes.run(
        target, python, "-m", "pip", "install", "--target", site, "torch", "torchvision"
    )


@pytest.mark.parametrize(("target", "torch", "vision", "library"), deep_unless_quick(X86))
def test_uv_without_preview_installs_the_build_that_fits(
    indexes: Indexes, tmp_path: Path, target: str, torch: str, vision: str, library: dict[str, str]
) -> None:
    python = new_environment(tmp_path / "venv")
    done = indexes.run(
        target, uv_executable(), "pip", "install", "--python", python, "torch", "torchvision"
    )

    assert (done.code, installed(tmp_path / "venv")) == (
        0,
        {"torch": torch, "torchvision": vision, **TYPING, **library},
    ), done.output


@pytest.mark.parametrize(("target", "torch", "library"), deep_unless_quick(ARM))
def test_pip_installs_for_another_processor(
    indexes: Indexes, tmp_path: Path, target: str, torch: str, library: dict[str, str]
) -> None:
    done = indexes.run(
        target, pip_environment(NEWEST), "-m", "pip", "install", "--target", tmp_path / "site",
        "--platform", "manylinux_2_28_aarch64", "--only-binary", ":all:", "torch",
    )  # fmt: skip

    assert (done.code, installed(tmp_path / "site")) == (
        0,
        {"torch": torch, **TYPING, **library},
    ), done.output


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

    assert (done.code, installed(tmp_path / "venv")) == (0, {"torch": "2.15.0+cpu", **TYPING})
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
