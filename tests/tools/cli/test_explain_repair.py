"""``explain`` of an index or a folder ends with the command that gets a build for the GPU."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.tools.cli.main import main
from tests.tools.views.clients import PIPS, clean_environment, installed, pip_environment
from tests.tools.views.stand_in import cuda_index, main_index, torch_wheels, variant_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = "nvidia-variant-provider run"
WHEEL = "cp310-abi3-manylinux_2_28_x86_64.whl"


class Indexes(NamedTuple):
    """The addresses of a main index and of per-CUDA indexes."""

    main: str
    cuda: str


@pytest.fixture
def indexes() -> Iterator[Indexes]:
    cpu = {name: data for name, data in torch_wheels(main=False).items() if "+cpu" in name}
    per_cuda = cuda_index()
    for path in ("/whl/cpu/", "/mine/"):
        per_cuda.add_page(path, "torch", cpu, as_html=True)
    with main_index().serving() as main_url, per_cuda.serving() as cuda:
        yield Indexes(f"{main_url}/simple/", f"{cuda}/whl")


@pytest.fixture(scope="module")
def python() -> Path:
    return pip_environment(PIPS[-1])


@pytest.fixture(autouse=True)
def _nobody_s_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, indexes: Indexes) -> None:
    for name, text in clean_environment(tmp_path, PIP_INDEX_URL=indexes.main).items():
        monkeypatch.setenv(name, text)


def remarks(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Return what an explanation says beside its result."""
    main(["explain", *arguments, "--target", "v100@580"])
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if line.startswith(("note: ", "hint: "))]


def test_the_command_names_the_indexes_that_were_asked(
    capsys: pytest.CaptureFixture[str], indexes: Indexes
) -> None:
    cuda = ("--cuda-index", indexes.cuda)
    forms = (
        (indexes.main, "--package", "torch", *cuda),
        (f"{indexes.main}torch/", *cuda),
        ("torch", "--index-url", indexes.main, *cuda),
    )
    ends = [remarks(capsys, *form)[-2:] for form in forms]

    assert ends == 3 * [
        [
            "note: v100@580: torch 2.14.1+cu126 has a build for this GPU:",
            (
                f"hint: {RUN} --target v100@580 --cuda-index {indexes.cuda} -- pip install "
                f"--index-url {indexes.main} torch"
            ),
        ]
    ]


def test_a_folder_of_per_cuda_indexes_leads_to_those_beside_it(
    capsys: pytest.CaptureFixture[str], indexes: Indexes
) -> None:
    assert remarks(capsys, f"{indexes.cuda}/cpu/", "--package", "torch")[-1] == (
        f"hint: {RUN} --target v100@580 --cuda-index {indexes.cuda} -- pip install torch"
    )


def test_an_index_without_a_build_names_those_of_pytorch(
    capsys: pytest.CaptureFixture[str], indexes: Indexes
) -> None:
    index = f"{indexes.cuda.removesuffix('whl')}mine/"

    assert remarks(capsys, index, "--package", "torch") == [
        "note: v100@580: no version there has a build for this GPU; PyTorch has others:",
        (
            f"hint: {RUN} --target v100@580 --cuda-index {TORCH_INDEX} -- pip install "
            f"--index-url {index} torch"
        ),
    ]


@pytest.mark.parametrize(
    ("target", "wheels"),
    [("rtx-5090@580", torch_wheels(main=True)), ("h100@550", variant_wheels())],
)
def test_a_build_that_fits_needs_no_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, target: str, wheels: dict[str, bytes]
) -> None:
    for name, data in wheels.items():
        (tmp_path / name).write_bytes(data)
    main(["explain", str(tmp_path), "--package", "torch", "--target", target])

    assert "hint:" not in capsys.readouterr().err


@pytest.mark.clients
def test_the_command_works_as_it_stands(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, indexes: Indexes, python: Path
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, data in torch_wheels(main=False).items():
        (folder / name).write_bytes(data)
    found = []
    for number, source in enumerate(((indexes.main, "--cuda-index", indexes.cuda), (str(folder),))):
        hint = remarks(capsys, *source, "--package", "torch")[-1].removeprefix("hint: ")
        words = shlex.split(hint)
        site = tmp_path / str(number)
        at = words.index("pip")
        words[at : at + 1] = [str(python), "-m", "pip"]
        command = [sys.executable, "-m", "nvidia_variant_provider", *words[1:]]
        subprocess.run(
            [*command, "--target", str(site)],
            env=clean_environment(tmp_path, PIP_INDEX_URL=indexes.main),
            check=True,
            capture_output=True,
        )
        found.append(installed(site))

    assert found == 2 * [
        {
            "torch": "2.14.1+cu126",
            "typing_extensions": "4.12.0",
            "nvidia_cublas_cu12": "1.126",
        }
    ]
