"""A view as files: what every installer reads from any file server, or from the folder itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.releases.pages import parse_page
from nvidia_variant_provider.tools.views.named import machine_named
from nvidia_variant_provider.tools.views.static import check_name, write_view
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
)
from tests.tools.views.stand_in import PYTHON, make_wheel, metadata_of, torch_wheels, variant_wheels
from tests.tools.views.ways import tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = f"torch-2.16.0-{PYTHON}-manylinux_2_28_x86_64.whl"
OTHERS = (
    "typing_extensions-4.12.0-py3-none-any.whl",
    "nvidia_cublas_cu12-1.126-py3-none-any.whl",
    "nvidia_cublas_cu13-1.130-py3-none-any.whl",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    dist.mkdir()
    for name, data in {**variant_wheels(), **{it: make_wheel(it) for it in OTHERS}}.items():
        (dist / name).write_bytes(data)
    return dist


def listed(view: Path) -> dict[str, bytes]:
    """Return what the pages of a view lead to, held to their hashes, sizes and metadata."""
    wheels = {}
    for path in (view / "simple").glob("*/index.json"):
        page = json.loads(path.read_bytes())
        links = parse_page((path.parent / "index.html").read_bytes(), "text/html", "file:///x/y/")
        for entry, link in zip(page["files"], links, strict=True):
            wheel = path.parent / entry["url"]
            data = wheel.read_bytes()
            sidecar = wheel.with_name(f"{wheel.name}.metadata").read_bytes()
            assert entry["hashes"] == {"sha256": hashlib.sha256(data).hexdigest()}
            assert (link.sha256, entry["size"]) == (entry["hashes"]["sha256"], len(data))
            assert sidecar == metadata_of(data)
            wheels[wheel.name] = data
    return wheels


def test_a_view_has_the_best_build_under_its_plain_name(folder: Path) -> None:
    view = write_view(folder, folder, "h100@550", machine_named("h100@550"))
    wheel = listed(view.folder)[NAME]

    assert b"Name: torch\nVersion: 2.16.0\n" in metadata_of(wheel)
    assert b"nvidia-cublas-cu12==1.126; platform_system == 'Linux'" in metadata_of(wheel)


def test_a_view_for_machines_without_a_gpu_is_called_cpu(folder: Path) -> None:
    view = write_view(folder, folder, "cpu", machine_named("cpu"))

    assert b"cublas" not in metadata_of(listed(view.folder)[NAME])


def test_wheels_that_stay_as_they_are_are_links(folder: Path) -> None:
    view = write_view(folder, folder, "h100@550", machine_named("h100@550"))

    (link,) = view.folder.glob(f"files/*/{OTHERS[0]}")

    assert link.samefile(folder / OTHERS[0])


def test_a_second_run_changes_nothing_and_removes_what_is_gone(folder: Path) -> None:
    write_view(folder, folder, "h100@550", machine_named("h100@550"))
    before = {it: it.read_bytes() for it in (folder / "views").rglob("*") if it.is_file()}
    write_view(folder, folder, "h100@550", machine_named("h100@550"))
    after = {it: it.read_bytes() for it in (folder / "views").rglob("*") if it.is_file()}
    (folder / OTHERS[2]).unlink()
    left = write_view(folder, folder, "h100@550", machine_named("h100@550"))

    names = sorted(it.name for it in left.folder.rglob("*") if it.is_file())

    assert before == after
    assert sorted(listed(left.folder)) == [OTHERS[1], NAME, OTHERS[0]]
    assert names.count("index.html") == len(left.projects) + 1
    assert len([it for it in names if it.endswith(".whl")]) == len(left.projects)
    assert b"nvidia-cublas-cu13" not in (left.folder / "simple/index.html").read_bytes()


def test_writing_that_fails_leaves_the_earlier_view_whole(folder: Path) -> None:
    view = write_view(folder, folder, "h100@550", machine_named("h100@550"))
    before = listed(view.folder)
    # torch has new bytes under its old name, and is brought before the last wheel, which is none.
    for name, data in variant_wheels(("typing-extensions",)).items():
        (folder / name).write_bytes(data)
    (folder / OTHERS[0]).unlink()
    (folder / OTHERS[0]).write_bytes(b"no archive")
    with pytest.raises(InvalidValueError, match=OTHERS[0]):
        write_view(folder, folder, "h100@550", machine_named("h100@550"))
    after = listed(view.folder)
    (folder / OTHERS[0]).write_bytes(make_wheel(OTHERS[0]))
    write_view(folder, folder, "h100@550", machine_named("h100@550"))

    assert after == before
    assert listed(view.folder)[NAME] != before[NAME]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="expected a target such as gh200@580"):
        check_name(name)


# A folder with copies of the main index and of PyTorch's indexes.
ALL_BUILDS = {**torch_wheels(main=True), **torch_wheels(main=False)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # No V100 has an Arm processor, and no GH200 an x86 one: there are no wheels for these.
        ("v100@580", ["2.13.0+cu126-x86_64", "2.14.1+cu126-x86_64"]),
        ("gh200@560", ["2.13.0+cu129-aarch64", "2.14.1+cu126-aarch64"]),
        # The wheel without a label is the main index's, for CUDA 13.2: as good as +cu132.
        ("rtx-5090@580", ["2.13.0+cu132-x86_64", "2.14.1+cu132-x86_64", "2.15.0-x86_64"]),
        (
            "h100@550",
            [
                "2.13.0+cu129-aarch64",
                "2.13.0+cu129-x86_64",
                "2.14.1+cu126-aarch64",
                "2.14.1+cu126-x86_64",
            ],
        ),
    ],
)
def test_a_view_has_wheels_for_the_processors_of_its_machine(
    tmp_path: Path, name: str, expected: list[str]
) -> None:
    for wheel, data in ALL_BUILDS.items():
        (tmp_path / wheel).write_bytes(data)
    view = write_view(tmp_path, tmp_path, name, machine_named(name))
    shown = [
        f"{wheel.split('-')[1]}-{wheel.removesuffix('.whl').partition('2_28_')[2]}"
        for wheel in view.projects["torch"]
    ]

    assert sorted(shown) == expected


def test_a_name_of_no_machine_is_refused_before_anything_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    code = main(["index", str(folder), "--view", "h100@550", "gh20@580"])

    assert (code, sorted(folder.iterdir())) == (2, before)
    assert "--view 'gh20@580': expected a target such as" in capsys.readouterr().err


@pytest.mark.clients
@pytest.mark.parametrize(
    "installer", ["uv", PIPS[-1], pytest.param(PIPS[0], marks=pytest.mark.deep)]
)
def test_installers_read_a_view_from_its_folder(
    folder: Path, tmp_path: Path, installer: str
) -> None:
    command = [sys.executable, "-m", "nvidia_variant_provider", "index", str(folder)]
    environ = clean_environment(tmp_path)
    subprocess.run(
        [*command, "--view", "rtx-5090@580"], env=environ, check=True, capture_output=True
    )
    index = f"file://{folder}/views/rtx-5090@580/simple/"
    if installer == "uv":
        python = new_environment(tmp_path / "site")
        words = [str(uv_executable()), "pip", "install", "--python", str(python)]
    else:
        words = [
            str(pip_environment(installer)),
            "-m",
            "pip",
            "install",
            "--target",
            f"{tmp_path}/site",
        ]
    done = subprocess.run(
        [*words, "--index-url", index, "torch"],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path / "site") == {
        "torch": "2.16.0",
        "typing_extensions": "4.12.0",
        "nvidia_cublas_cu13": "1.130",
    }
    assert os.path.exists(folder / "simple" / "torch" / "index.html")


@pytest.mark.clients
@pytest.mark.deep
def test_pdm_reads_a_view_by_an_address_whose_at_is_encoded(folder: Path, tmp_path: Path) -> None:
    name = "rtx-5090@580"
    write_view(folder, folder, name, machine_named(name))
    project = tmp_path / "app"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\n'
        'dependencies = ["torch"]\n[tool.pdm]\ndistribution = false\n'
    )
    with file_server(folder) as address:
        view = f"{address}/views/{name.replace('@', '%40')}/simple/"
        subprocess.run(
            [tool("pdm"), "install"], cwd=project, check=True, capture_output=True,
            env=clean_environment(tmp_path, PDM_PYPI_URL=view),
        )  # fmt: skip

    assert installed(project / ".venv") == {
        "torch": "2.16.0",
        "typing_extensions": "4.12.0",
        "nvidia_cublas_cu13": "1.130",
    }


@contextlib.contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Serve a folder as any file server does."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
