"""How the program ends: readers that leave, full disks, closed streams, Ctrl-C, old locales."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import requires
from pathlib import Path
from typing import Final

import pytest

from nvidia_variant_provider.tools.cli.faults import TOOLS_PACKAGES, is_interrupt
from nvidia_variant_provider.tools.installers.ourselves import install_line
from tests.tools.lint.releases import merge_patch, read_base, write_release

OPTIONAL: Final = {"index": {"providers": {"nvidia": {"optional": True}}}}
COMMAND: Final = (sys.executable, "-m", "nvidia_variant_provider")
RECORD: Final = Path(__file__).parents[2] / "data/machines/wsl2-linux-driver-shadows.json"
SECONDS: Final = 60

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes, signals and devices of Unix")


def shell(line: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which ``provider`` is the program."""
    script = f'provider() {{ "{sys.executable}" -m nvidia_variant_provider "$@"; }}\n{line}'
    return subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PYTHONUNBUFFERED": "", **environ},
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )


@pytest.mark.parametrize("words", ["targets --json", "code", "--help", "properties --all"])
def test_a_reader_that_leaves_ends_it_quietly(words: str) -> None:
    done = shell(f"provider {words} | true; echo ${{PIPESTATUS[0]}}")

    assert (done.stdout, done.stderr) == (b"0\n", b"")


@pytest.mark.parametrize("reader", ["head -1", "grep -q .", "true"])
def test_a_verdict_is_the_same_whoever_reads_it(reader: str, tmp_path: Path) -> None:
    release = write_release(tmp_path, merge_patch(read_base(), OPTIONAL))
    lint = shell(f"provider lint {release} | {reader} >&2; echo ${{PIPESTATUS[0]}}")
    command = f"provider explain {release} --target h100@580 --expect nothing-such"
    explain = shell(f"{command} 2>&1 | {reader} >&2; echo ${{PIPESTATUS[0]}}")

    assert (lint.stdout, explain.stdout) == (b"1\n", b"1\n")


@pytest.mark.parametrize("program", ["nvp", "nvidia-variant-provider", "-m"])
def test_every_way_to_start_it_works(program: str) -> None:
    ways = {"-m": [sys.executable, "-m", "nvidia_variant_provider"]}
    command = ways.get(program, [str(Path(sys.executable).parent / program)])

    shown = subprocess.check_output([*command, "--version"], timeout=SECONDS)
    assert shown.split()[0] == b"nvidia-variant-provider"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", ["targets --json", "code", "help", "--version"])
def test_a_full_disk_is_an_error(words: str) -> None:
    done = shell(f"provider {words} > /dev/full")

    assert done.returncode == 2
    assert b"error: " in done.stderr
    assert done.stderr.endswith(b"standard output: No space left on device\n")
    assert done.stderr.count(b"\n") == 1


def test_closed_streams_are_no_fault() -> None:
    assert shell("provider targets >&-").stderr == b""
    assert shell("provider targets show nothing-such 2>&-").returncode == 2


def test_both_streams_into_a_closed_pipe() -> None:
    done = shell("provider targets show nothing-such 2>&1 | true; echo ${PIPESTATUS[0]}")

    assert (done.stdout, done.stderr) == (b"2\n", b"")


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252:strict"},
    ],
    ids=str,
)
def test_a_tree_is_drawn_in_ascii_where_nothing_else_goes(environ: dict[str, str]) -> None:
    done = shell(f"provider detect --verbose --replay {RECORD}", **environ)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\n  `- cuda\n" in done.stdout


def test_control_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    peer = f"sh -c 'read line; touch {asked}; exec sleep 60'"
    with subprocess.Popen(
        [*COMMAND, "conformance", "--timeout", "60", "--command", peer],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        deadline = time.monotonic() + SECONDS
        while not asked.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=SECONDS)

    assert (child.returncode, out, err) == (130, b"", b"interrupted\n")


# Runs the program as in an environment without the extra ``tools``.
BARE: Final = """
import sys

from nvidia_variant_provider.tools.cli.faults import TOOLS_PACKAGES
from nvidia_variant_provider.tools.cli.main import main


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in TOOLS_PACKAGES | {"pydantic_core"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
sys.exit(main(sys.argv[1:]))
"""


def without_tools(words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE, *words.split()],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


# A width asks for the tables of a terminal, which rich draws where it is.
@pytest.mark.parametrize("columns", ["", "80"])
@pytest.mark.parametrize(
    "words",
    [
        "--help",
        f"detect --json --replay {RECORD}",
        "properties --target gh200@580",
        "targets hopper",
        "code",
        "torch-backend --target h100@580",
        "code NVP-NONE",
    ],
)
def test_what_a_machine_is_can_be_asked_without_the_extra(words: str, columns: str) -> None:
    done = without_tools(words, COLUMNS=columns)

    assert (done.returncode, "error" in done.stderr) == (0, False)
    assert done.stdout


@pytest.mark.parametrize(
    "words",
    ["explain .", "inspect x.whl", "completion bash", "run --target h100@580 -- pip list"],
)
def test_other_commands_name_the_extra_they_need(words: str) -> None:
    done = without_tools(words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f": {install_line('tools')}\n")


def test_every_package_of_the_extra_is_known() -> None:
    named = {
        re.split(r"[^\w]", requirement.lower())[0]
        for requirement in requires("nvidia-variant-provider") or ()
        if "extra == 'tools'" in requirement or 'extra == "tools"' in requirement
    }

    # One is imported by another name than it is installed by.
    assert named - {"pyyaml"} | {"yaml"} == TOOLS_PACKAGES


def test_control_c_that_a_library_made_an_error_of_is_still_an_interrupt() -> None:
    wrapped = ValueError("a schema")
    wrapped.__context__ = TypeError("on the way")
    wrapped.__context__.__context__ = KeyboardInterrupt()

    assert [is_interrupt(error) for error in (wrapped, ValueError("plain"))] == [True, False]
