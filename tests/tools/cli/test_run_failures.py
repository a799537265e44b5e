"""After a command that failed ``run`` says which versions it hid, and whose hashes are others."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.installers.requirements_files import requires_hashes
from tests.tools.views.clients import (
    PIPS,
    Done,
    clean_environment,
    installed,
    new_environment,
    pip_environment,
    run,
)
from tests.tools.views.stand_in import (
    LINUX,
    PYTHON,
    StandIn,
    cuda_index,
    main_index,
    variant_index,
    variant_wheels,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
REWRITTEN = f"torch-2.16.0-{PYTHON}-{LINUX}.whl is written anew for this view"


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def requirements(index: StandIn, torch: str) -> str:
    """Return a file with the hashes of an index, and one for torch."""
    wheels = {path.rpartition("/")[2]: data for path, (_, data) in index.bodies.items()}
    others = {
        "typing-extensions==4.12.0": wheels["typing_extensions-4.12.0-py3-none-any.whl"],
        "nvidia-cublas-cu12==1.126": wheels["nvidia_cublas_cu12-1.126-py3-none-any.whl"],
    }
    lines = [f"{name} --hash=sha256:{sha256_of(data)}" for name, data in others.items()]
    return "\n".join([*lines, f"torch==2.16.0 --hash=sha256:{torch}"])


def install(tool: str, folder: Path, url: str, *words: str, options: Sequence[str] = ()) -> Done:
    python = pip_environment(PIPS[-1]) if tool == "pip" else new_environment(folder / "site")
    command: list[str | Path] = (
        [python, "-m", "pip", "install", "--target", folder / "site"]
        if tool == "pip"
        else [uv_executable(), "pip", "install", "--python", python]
    )
    environ = clean_environment(folder, PIP_INDEX_URL=url, UV_DEFAULT_INDEX=url)
    return run(options, [*command, *words], environ, folder)


@pytest.mark.clients
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_hash_of_the_index_fails_for_a_rewritten_wheel_and_the_hash_that_run_names_works(
    tmp_path: Path, tool: str
) -> None:
    index = variant_index()
    original = variant_wheels()[f"torch-2.16.0-{PYTHON}-{LINUX}-cuda12.6.whl"]
    file = tmp_path / "torch.txt"
    options = ["--target", "h100@550"]
    words = ["--require-hashes", "-r", "torch.txt"]
    with index.serving() as main:
        file.write_text(requirements(index, sha256_of(original)))
        before = install(tool, tmp_path, f"{main}/simple/", *words, options=options)
        stated = re.search(r"--hash=sha256:([0-9a-f]{64})", before.output.partition(REWRITTEN)[2])
        file.write_text(requirements(index, stated[1] if stated else ""))
        after = install(tool, tmp_path, f"{main}/simple/", *words, options=options)

    assert (before.code != 0, REWRITTEN in before.output, stated is not None) == (True, True, True)
    assert "hint: require the hash of the view" in before.output
    assert (after.code, installed(tmp_path / "site")) == (
        0,
        {"torch": "2.16.0", "typing_extensions": "4.12.0", "nvidia_cublas_cu12": "1.126"},
    ), after.output
    assert REWRITTEN not in after.output


@pytest.mark.clients
@pytest.mark.parametrize("tool", ["pip", "uv"])
@pytest.mark.parametrize(
    ("asked_for", "hidden"),
    [("torch==2.15.0", ["2.15.0"]), ("torch>=2.15", ["2.15.0"]), ("torch==9", [])],
)
def test_a_pin_of_a_hidden_version_names_the_version_to_ask_for(
    tmp_path: Path, tool: str, asked_for: str, hidden: list[str]
) -> None:
    with main_index().serving() as main, cuda_index().serving() as cuda:
        options = ["--target", "v100@580", "--cuda-index", f"{cuda}/whl"]
        done = install(tool, tmp_path, f"{main}/simple/", asked_for, options=options)
    named = re.findall(
        r"note: torch (\S+) is not shown: .*; (\S+) \((\w+)\) has a build", done.output
    )
    hints = re.findall(r"hint: (ask for .*|--any-version shows all: .*)", done.output)

    assert (done.code, named) == (1, [(it, "2.14.1", "cu126") for it in hidden])
    assert [it.split()[0] for it in hints] == (["ask", "--any-version"] if hidden else [])
    assert [it for it in hints if it.startswith("ask")] == ["ask for torch==2.14.1"] * len(hidden)


@pytest.mark.parametrize(
    ("words", "environ", "checks"),
    [
        ("pip install torch", {}, False),
        ("pip install --require-hashes -r none.txt", {}, True),
        ("pip install -r with.txt", {}, True),
        ("pip install --requirement=with.txt", {}, True),
        ("pip install -rwithout.txt", {}, False),
        ("uv pip sync without.txt", {"UV_REQUIRE_HASHES": "1"}, True),
        ("pip install torch", {"PIP_REQUIRE_HASHES": "true"}, True),
    ],
)
def test_a_command_that_checks_hashes_is_known(
    tmp_path: Path,
    words: str,
    environ: dict[str, str],
    checks: bool,  # noqa: FBT001 - a parameter
) -> None:
    (tmp_path / "with.txt").write_text("torch==1.0 \\\n  --hash=sha256:00\n")
    (tmp_path / "without.txt").write_text("torch==1.0\n")

    assert requires_hashes(words.split(), environ, str(tmp_path)) is checks


@pytest.mark.clients
def test_nothing_hidden_is_blamed_where_the_command_leaves_out_all_wheels(tmp_path: Path) -> None:
    with main_index().serving() as main, cuda_index().serving() as cuda:
        words = ["--no-deps", "--no-binary", "torch", "torch"]
        options = ["--target", "v100@580", "--cuda-index", f"{cuda}/whl"]
        done = install("uv", tmp_path, f"{main}/simple/", *words, options=options)

    assert done.code
    assert "--any-version" not in done.output
