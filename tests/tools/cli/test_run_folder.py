"""A folder of per-CUDA indexes that a command names is used, and ``run`` says what is wrong."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.tools.cli.run_failures import Ran
from nvidia_variant_provider.tools.cli.run_folder import FolderWords, words_of_folder
from nvidia_variant_provider.tools.installers.named_folder import NamedFolder, named_folder
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import Upstream
from nvidia_variant_provider.tools.views.upstream_settings import families_for, settings_for
from tests.tools.views.clients import (
    PIPS,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import StandIn, add_folders, add_others, cuda_index, main_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "https://index.example/whl"


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in clean_environment(tmp_path).items():
        monkeypatch.setenv(name, text)


@pytest.fixture(scope="module")
def whl() -> Iterator[str]:
    """Serve per-CUDA indexes; give the address above the folders."""
    index = cuda_index()
    with index.serving() as address:
        yield f"{address}/whl"


@pytest.mark.parametrize(
    ("command", "rest"),
    [
        (f"pip install --index-url {BASE}/cu128 torch", "pip install torch"),
        (f"pip install torch --index-url={BASE}/cpu/", "pip install torch"),
        (f"python -m pip install -i {BASE}/rocm6.3 torch", "python -m pip install torch"),
        (f"uv pip install torch --index {BASE}/cu128", "uv pip install torch"),
        (f"uv pip install torch --extra-index-url {BASE}/cu128", "uv pip install torch"),
        # pip puts an extra index together with the others, and the best of all is shown.
        (f"pip install torch --extra-index-url {BASE}/cu128", None),
        (f"pip install torch --index-url {BASE}", None),
        (f"pip install torch --index-url {BASE}/cu128/torch", None),
        ("uv pip install --torch-backend=auto torch", None),
        ("pip install torch", None),
    ],
)
def test_a_folder_is_known_by_its_address(command: str, rest: str | None) -> None:
    folder = named_folder(command.split(), "", {})

    assert (folder and (folder.base, " ".join(folder.command))) == (rest and (BASE, rest))


def test_uv_s_option_names_a_folder_of_pytorch_s_index() -> None:
    command = "uv pip install --torch-backend cu126 torch"

    assert named_folder(command.split(), "", {}) == NamedFolder(
        TORCH_INDEX, "cu126", ("uv", "pip", "install", "torch")
    )


def test_a_folder_that_is_configured_counts_and_an_option_does_without_it() -> None:
    folder = named_folder(["pip", "install", "torch"], f"{BASE}/cu128", {})

    assert folder is not None
    assert folder.address == f"{BASE}/cu128"
    assert folder.command[:4] == ("pip", "install", "torch", "--index-url")


def said_of(folder: NamedFolder, target: str, asked_for: str = "") -> FolderWords | None:
    wanted = Wanted(machine(target))
    service = ViewService(Upstream(Fetcher({}), ()), lambda: wanted)
    ran = Ran(("pip", "install", f"torch{asked_for}"))
    return words_of_folder(folder, ran, service)


COMMAND = ("pip", "install", "torch")
CPU = "has CPU builds alone, and this machine has a GPU"


@pytest.mark.parametrize(
    ("target", "label", "asked_for", "words", "instead"),
    [
        ("h100@580", "cu132", "", "", ""),
        ("h100@580", "cu130", "", "", ""),
        ("h100@580", "cu126", "", "ends with torch 2.14.1", "for torch 2.15.0 cu132, "),
        ("h100@580", "cu126", "==2.14.1", "", ""),
        ("h100@580", "cpu", "", CPU, "for torch 2.15.0 cu132, which fits this machine: "),
        ("v100@580", "cpu", "", CPU, "for torch 2.14.1 cu126, "),
        ("k80@470", "cpu", "", CPU, ""),
        (
            "v100@580",
            "cu130",
            "",
            "has no torch 2.15.0 for this GPU: no device code for 7.0",
            "for torch 2.14.1 cu126, ",
        ),
        ("h100@550", "cu130", "==2.13.0", "has no torch 2.13.0 for this GPU: CUDA 13.0 needs",
         "for torch 2.13.0 cu129, "),
        # No build of 2.15.0 is for both; of 2.14.1 one is.
        ("v100+h100@580", "cu130", "", "", ""),
        ("v100+h100@580", "cu130", "==2.14.1", "for some of the GPUs: 90_real runs on 9.0; ",
         "for torch 2.14.1 cu126, "),
        ("h100@580", "rocm6.3", "", "has builds for GPUs of AMD", "for torch 2.15.0 cu132, "),
        ("", "cu130", "", "has builds for CUDA with its libraries, and no GPU is usable here",
         "for torch 2.15.0 the CPU build: "),
        ("", "cpu", "", "", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_folder_and_what_to_type_instead(
    whl: str, target: str, label: str, asked_for: str, words: str, instead: str
) -> None:
    said = said_of(NamedFolder(whl, label, COMMAND), target, asked_for)

    assert (said is not None) == bool(words)
    if said is not None:
        assert said.text.startswith(f"{whl}/{label} ")
        assert words in said.text
        assert said.hint.startswith(instead)
        assert bool(said.hint) == bool(instead)


def test_where_the_index_does_not_answer_the_table_says_what_it_has() -> None:
    folder = NamedFolder("http://me:secret@127.0.0.1:9/whl", "cu130", COMMAND)
    said = said_of(folder, "v100@580")

    assert said is not None
    assert said.text.startswith("http://127.0.0.1:9/whl/cu130 has no torch 2.15.0 for this GPU")
    assert said.hint == (
        "for torch 2.14.1 cu126, which fits this machine: nvidia-variant-provider run "
        "--cuda-index http://127.0.0.1:9/whl -- pip install torch"
    )


@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("uv pip install torch", 1),
        (f"uv pip install torch --index {BASE}/cu128", 0),
        (f"pip install torch --extra-index-url {BASE}/cu128", 1),
        (f"pip install torch --index-url {BASE}/cu128", 0),
    ],
)
def test_beside_a_folder_that_decides_no_other_is_asked(
    tmp_path: Path, command: str, count: int
) -> None:
    settings = settings_for(command.split(), clean_environment(tmp_path), str(tmp_path))

    assert len(families_for(settings, Fetcher({}), (), ())) == count


def whole_index() -> StandIn:
    """Return per-CUDA indexes with a page in each folder, and copies of what torch requires."""
    index = cuda_index()
    add_folders(index)
    others = StandIn()
    add_others(others)
    index.bodies.update(others.bodies)
    folders = {path.split("/")[2] for path in index.bodies if path.endswith(".whl")}
    for path, body in others.bodies.items():
        if path.startswith("/simple/"):
            index.bodies.update({f"/whl/{it}{path[7:]}": body for it in folders})
    return index


@pytest.mark.clients
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
@pytest.mark.parametrize(
    ("tool", "option", "label", "before"),
    [
        ("pip", "--index-url", "cu130", "2.15.0+cu130"),
        ("pip", "--index-url", "cpu", "2.15.0+cpu"),
        ("uv", "--index", "cu130", "2.15.0+cu130"),
    ],
)
def test_the_folder_that_is_named_is_used_and_the_command_of_the_hint_gets_the_build_that_fits(
    tmp_path: Path, tool: str, option: str, label: str, before: str
) -> None:
    python = new_environment(tmp_path / "venv")
    pip: list[str | Path] = [pip_environment(PIPS[-1]), "-m", "pip", "--python", python, "install"]
    uv: list[str | Path] = [uv_executable(), "pip", "install", "--python", python]
    with main_index().serving() as main, whole_index().serving() as cuda:
        environ = clean_environment(
            tmp_path, PIP_INDEX_URL=f"{main}/simple/", UV_DEFAULT_INDEX=f"{main}/simple/"
        )
        words = [*(pip if tool == "pip" else uv), "torch", option, f"{cuda}/whl/{label}"]
        done = run(["--target", "v100@580"], words, environ)
        first = installed(tmp_path / "venv")["torch"]
        hint = re.search(r"hint: for torch .*?: nvidia-variant-provider run (.*)", done.output)
        options, _, command = (hint[1] if hint else "").partition(" -- ")
        anew = "--force-reinstall" if tool == "pip" else "--reinstall"
        again = run(options.split(), [*shlex.split(command), anew], environ)

    assert (done.code, first) == (0, before), done.output
    assert done.output.count("warning: ") == 1
    assert f"warning: {cuda}/whl/{label} has " in done.output
    assert (again.code, installed(tmp_path / "venv")["torch"]) == (0, "2.14.1+cu126"), again.output


@pytest.mark.clients
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
@pytest.mark.parametrize(
    ("option", "settings"),
    [("--torch-backend=auto", ""), ("", '[pip]\ntorch-backend = "auto"\n')],
    ids=["option", "uv.toml"],
)
def test_uv_s_automatic_choice_is_left_to_the_view(
    tmp_path: Path, option: str, settings: str
) -> None:
    python = new_environment(tmp_path / "venv")
    (tmp_path / "uv.toml").write_text(settings)
    with main_index().serving() as main, cuda_index().serving() as cuda:
        environ = clean_environment(tmp_path, UV_DEFAULT_INDEX=f"{main}/simple/")
        environ.pop("UV_NO_CONFIG")
        command: list[str | Path] = [uv_executable(), "pip", "install", "--python", python, "torch"]
        done = run(
            ["--target", "v100@580", "--cuda-index", f"{cuda}/whl"],
            [*command, *([option] if option else [])],
            environ,
            tmp_path,
        )

    assert (done.code, installed(tmp_path / "venv").get("torch")) == (
        0,
        "2.14.1+cu126",
    ), done.output
