"""The rows of uv and pip in the table of installers, held to the real commands.

Each command gets the same release, on a machine with an H100: variants, and a wheel without a
label. What was chosen is read from what is installed, or from what is locked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import DEADLINE_S, clean_environment, uv_executable
from nvidia_variant_provider.tools.installers.table import PIP, UV, Command, Reads
from tests.tools.lint.releases import read_base, write_release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.clients

BEST, PLAIN = "cuda13.0", ""
PROJECT = """\
[project]
name = "user"
version = "1"
requires-python = ">=3.10"
dependencies = ["demo"]
"""
EMPTY_PROJECT = PROJECT.replace('["demo"]', "[]")
SHOW = "import demo; print(repr(demo.build))"
WANTS = "demo==1.0\n"


def environment(scratch: Path) -> dict[str, str]:
    release = write_release(scratch / "release", read_base())
    return {
        **clean_environment(),
        **dict(UV.switches),
        **dict(zip(UV.facts, ("13.0", "9.0"), strict=True)),
        "HOME": str(scratch),
        "XDG_CONFIG_HOME": str(scratch),
        "UV_CACHE_DIR": str(scratch / "cache"),
        "UV_FIND_LINKS": str(release),
        "UV_NO_INDEX": "1",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON": sys.executable,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": str(release),
        "PIP_NO_INDEX": "1",
    }


def start(
    command: list[str], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def installed(folder: Path) -> str:
    namespace: dict[str, str] = {}
    (module,) = folder.rglob("demo/__init__.py")
    exec(module.read_text("utf-8"), namespace)  # noqa: S102 - one assignment, ours
    return namespace["build"]


def locked(text: str, folder: Path) -> str:
    """Return the label of the one wheel whose name or hash stands in a text."""
    wheels = [*folder.rglob("release/*.whl")]
    hashes = {hashlib.sha256(it.read_bytes()).hexdigest(): it for it in wheels}
    (wheel,) = {it for digest, it in hashes.items() if digest in text or it.name in text}
    return wheel.stem.split("-")[5] if wheel.stem.count("-") == 5 else PLAIN


def into_a_folder(*words: str) -> Callable[[Path, Mapping[str, str]], str]:
    def choose(folder: Path, environ: Mapping[str, str]) -> str:
        (folder / "wanted.txt").write_text(WANTS)
        done = start([uv_executable(), *words, "--target", "there"], folder, environ)
        assert done.returncode == 0, done.stderr
        return installed(folder / "there")

    return choose


def compiled(*words: str) -> Callable[[Path, Mapping[str, str]], str]:
    def choose(folder: Path, environ: Mapping[str, str]) -> str:
        (folder / "wanted.txt").write_text(WANTS)
        command = [uv_executable(), "pip", "compile", "wanted.txt", *words]
        done = start(command, folder, environ)
        return locked(done.stdout, folder) if done.returncode == 0 else done.stderr

    return choose


def in_a_project(text: str, *words: str) -> Callable[[Path, Mapping[str, str]], str]:
    def choose(folder: Path, environ: Mapping[str, str]) -> str:
        (folder / "pyproject.toml").write_text(text)
        done = start([uv_executable(), *words], folder, environ)
        assert done.returncode == 0, done.stderr
        return locked((folder / "uv.lock").read_text("utf-8"), folder)

    return choose


def with_demo(folder: Path, environ: Mapping[str, str]) -> str:
    command = [uv_executable(), "run", "--no-project", "--with", "demo", "python", "-c", SHOW]
    return start(command, folder, environ).stdout.strip().strip("'")


def by_pip(*words: str) -> Callable[[Path, Mapping[str, str]], str]:
    def choose(folder: Path, environ: Mapping[str, str]) -> str:
        tags = ("--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:")
        done = start([sys.executable, "-m", "pip", *words, *tags, "demo"], folder, environ)
        assert done.returncode == 0, done.stderr
        wheels = [*(folder / "there").glob("*.whl")]
        return locked(wheels[0].name, folder) if wheels else installed(folder / "there")

    return choose


UV_COMMANDS: dict[str, Callable[[Path, Mapping[str, str]], str]] = {
    "`uv pip install`": into_a_folder("pip", "install", "demo"),
    "`uv pip sync`": into_a_folder("pip", "sync", "wanted.txt"),
    "`uv pip compile` without --universal": compiled("--generate-hashes"),
    "`uv run --no-project --with`": with_demo,
    "`uv pip compile --universal`": compiled("--generate-hashes", "--universal"),
    "`uv lock`": in_a_project(PROJECT, "lock"),
    "`uv sync`": in_a_project(PROJECT, "sync"),
    "`uv add`": in_a_project(EMPTY_PROJECT, "add", "demo"),
    "`uv run` in a project": in_a_project(PROJECT, "run", "python", "-c", SHOW),
    "`uv pip compile --format pylock.toml`": compiled("--format", "pylock.toml"),
}
PIP_COMMANDS = {
    "`pip install`": by_pip("install", "--target", "there"),
    "`pip download`": by_pip("download", "--dest", "there"),
}


def test_every_command_of_uv_is_run() -> None:
    assert [command.text for command in UV.commands] == list(UV_COMMANDS)


@pytest.mark.parametrize("command", UV.commands, ids=lambda it: it.words)
def test_uv_chooses_what_its_row_says(command: Command, tmp_path: Path) -> None:
    chosen = UV_COMMANDS[command.text](tmp_path, environment(tmp_path))

    if command.reads is Reads.REFUSES:
        assert "variant" in chosen
    else:
        assert chosen == {Reads.VARIANTS: BEST, Reads.PLAIN: PLAIN}[command.reads]


def test_without_its_switch_uv_chooses_the_wheel_without_a_label(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    for name, _ in UV.switches:
        del environ[name]

    assert UV_COMMANDS["`uv pip install`"](tmp_path, environ) == PLAIN


@pytest.mark.parametrize("command", PIP_COMMANDS)
def test_pip_chooses_the_wheel_without_a_label(command: str, tmp_path: Path) -> None:
    known = [it.text for it in PIP.commands if it.reads is Reads.PLAIN]

    assert command in known
    assert PIP_COMMANDS[command](tmp_path, environment(tmp_path)) == PLAIN
