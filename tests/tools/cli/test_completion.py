"""``completion``: the real shells, asked as a person asks them, with the TAB key."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.tools.cli.main import COMMANDS, build_parser, main

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM: Final = "nvidia-variant-provider"
SECONDS: Final = 30
READY: Final = "@ready@"
# What each shell is told first: load the script; on Ctrl-X, print the line between < and >.
SETUP: Final = {
    "bash": 'bind -x \'"\\C-x": echo "<$READLINE_LINE>"\'; source {folder}/script.bash',
    "zsh": (
        "fpath+={folder}; autoload -U compinit; compinit -u -D; "
        "show() {{ print -r -- \"<$BUFFER>\" }}; zle -N show; bindkey '^X' show"
    ),
}
COMMAND_LINE: Final = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
}
CASES: Final = [
    pytest.param("cov", "coverage", id="command"),
    pytest.param("torch", "torch-backend", id="command-of-two-words"),
    pytest.param("detect --repl", "detect --replay", id="option"),
    pytest.param("properties --format docker", "properties --format dockerfile", id="choice"),
    pytest.param("explain --target gb30", "explain --target gb300", id="target"),
    pytest.param("targets show gb30", "targets show gb300", id="target-to-show"),
    pytest.param("lint some-wh", "lint some-wheels/", id="folder-where-files-are-taken"),
    pytest.param("tag -o some-wh", "tag -o some-wheels/", id="folder"),
    pytest.param("detect --replay rec", "detect --replay record.json", id="file"),
    pytest.param("inspect a.whl some-wh", "inspect a.whl some-wheels/", id="second-file"),
    pytest.param("code NVP-GPU", "code NVP-GPU-NO-DRIVER", id="code"),
    pytest.param("completion fi", "completion fish", id="shell"),
]


def needs(shell: str) -> str:
    """Return the path of a shell; a test without it skips."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with a file and a folder to complete, and the script of every shell."""
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == 0
        name = f"_{PROGRAM}" if shell == "zsh" else f"script.{shell}"
        (tmp_path / name).write_text(capsys.readouterr().out)
    (tmp_path / "work" / "some-wheels").mkdir(parents=True)
    (tmp_path / "work" / "record.json").write_text("{}")
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="a terminal of Unix")
@pytest.mark.parametrize(("typed", "expected"), CASES)
@pytest.mark.parametrize("shell", COMMAND_LINE)
def test_tab_completes(shell: str, typed: str, expected: str, folder: Path) -> None:
    needs(shell)
    setup = SETUP[shell].format(folder=folder)

    line = press_tab(COMMAND_LINE[shell], setup, f"{PROGRAM} {typed}", folder / "work")

    assert line == f"{PROGRAM} {expected}"


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_fish_completes(typed: str, expected: str, folder: Path) -> None:
    shell = needs("fish")
    asked = f"source {folder / 'script.fish'}; complete -C '{PROGRAM} {typed}'"
    done = subprocess.run(
        [shell, "--no-config", "-c", asked],
        cwd=folder / "work",
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )

    offered = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert offered == [expected.rpartition(" ")[2]]


def test_every_command_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    script = capsys.readouterr().out

    start = "_shtab_nvidia_variant_provider_subparsers=("
    (offered,) = [line for line in script.splitlines() if line.startswith(start)]
    names = offered.partition("(")[2].rstrip(")").split()
    assert names == [it.replace("_", "-") for it in COMMANDS]


def test_making_a_script_leaves_other_parsers_alone(capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "zsh"])

    args = build_parser().parse_args(["targets", "neither-a-name-nor-show"])
    assert args.words == ["neither-a-name-nor-show"]
    assert capsys.readouterr().err == ""


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "PS1": ""}


def press_tab(command: Sequence[str], setup: str, typed: str, folder: Path) -> str:
    """Type into an interactive shell, press TAB, and return the line that stands there then."""
    import pty

    master, slave = pty.openpty()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as shell:
        os.close(slave)
        try:
            # The word is put together by the shell: its echo of what is typed is no answer.
            send(master, f"{setup}\necho {READY[:3]}''{READY[3:]}\n")
            read_until(master, READY, READY)
            send(master, f"{typed}\t\x18")
            return read_until(master, f"<{PROGRAM}", ">").rpartition("<")[2].rstrip("> ")
        finally:
            shell.kill()
            os.close(master)


def send(master: int, text: str) -> None:
    os.write(master, text.encode())


def read_until(master: int, start: str, end: str) -> str:
    """Return what a terminal shows up to ``end`` behind ``start``."""
    seen, deadline = "", time.monotonic() + SECONDS
    while start not in seen or end not in seen.partition(start)[2] + start:
        assert time.monotonic() < deadline, f"no {start!r} in {seen!r}"
        if select.select([master], [], [], 0.2)[0]:
            seen += os.read(master, 4096).decode(errors="replace")
    before, _, rest = seen.partition(start)
    return before[-1:] + start + rest.partition(end)[0] + end
