"""What every command does alike: streams, exit codes, errors, encodings, colours, help.

A command without a row here fails the first test.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from nvidia_variant_provider.tables import READ
from nvidia_variant_provider.tools.cli import cmd_targets
from nvidia_variant_provider.tools.cli.main import COMMANDS, build_parser, main
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from tests.tools.convert.drafts import torch_29
from tests.tools.lint.releases import read_base, write_release
from tests.wheel_maker import cuda_library, cuda_wheel, make_wheel

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    Words = Callable[[str, str], list[str]]

PROGRAM: Final = "nvidia-variant-provider"
RECORD: Final = Path(__file__).parents[2] / "data/machines/wsl2-linux-driver-shadows.json"
NAMES: Final = [name.replace("_", "-") for name in COMMANDS]
# A name that clears the screen, starts a line, and is neither UTF-8 nor in any small alphabet.
EVIL: Final = "e\x1b[2Jv\ni\u202el\udcff\u4e2d"


class Row(NamedTuple):
    """One command: words that work, its exit code for them, words that cannot work."""

    works: str
    fails: str
    code: int = 0
    # Without an option --json: why no program would read it.
    no_json: str = ""


# {dist}, {plain}, {variant}, {evil_wheel}, {machine}, {out} and {demo} are of ``place``; {evil} is
# a file that is not there.
ROWS: Final = {
    "detect": Row("--verbose --replay {record}", "--replay {evil}"),
    "properties": Row("--machine {machine}", "--machine {evil}"),
    "targets": Row("blackwell", "show {evil}"),
    "run": Row("", "--machine {evil} -- true", no_json="the output is the command's own"),
    "serve": Row("", "--bind {evil}", no_json="it serves until it is stopped"),
    "cache": Row("dir", "{evil}", no_json="people read it"),
    "torch-backend": Row("--no-index --torch 2.14 --machine {machine}", "--machine {evil}"),
    "explain": Row("{dist} --machine {machine}", "{evil}"),
    "coverage": Row("{dist} --inventory {machine}", "{evil}"),
    "inventory": Row("{machine}", "{evil}"),
    "inspect": Row("{evil_wheel}", "{evil}"),
    "verify": Row("{variant}", "{evil}"),
    "survey": Row("summary {results}", "summary {evil}"),
    "tag": Row("{plain} --dry-run --label x", "{evil} --dry-run --label x"),
    "untag": Row("{variant} -o {out} --force", "{evil} -o {out}"),
    "lint": Row("{dist} {variant}", "{evil}"),
    "convert": Row("--to 850 {draft}", "--to 850 {evil}", code=1),
    "index": Row("{dist}", "{evil}"),
    "demo-index": Row("{demo}", "{plain}", no_json="people read it"),
    "code": Row("NVP-NONE", "{evil}"),
    # cat answers a request with the request: every case fails.
    "conformance": Row("--command cat --group errors", "--list {evil}", code=1),
    "completion": Row("bash", "{evil}", no_json="a shell reads it"),
    "help": Row("explain", "{evil}", no_json="people read it"),
    "version": Row("", "{evil}", no_json="people read it"),
}
WORKING: Final = [name for name, row in ROWS.items() if row.works]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Stream(io.TextIOWrapper):
    """A standard stream of an encoding, strict as Python's own stdout; maybe a terminal."""

    def __init__(self, raw: io.BytesIO, encoding: str, *, terminal: bool) -> None:
        super().__init__(raw, encoding=encoding, errors="strict", newline="\n")
        self.raw_bytes = raw
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


class Gone(io.BytesIO):
    """A pipe whose reader has left, until the test is over."""

    left = True

    def write(self, data: object, /) -> int:
        if self.left:
            raise BrokenPipeError(32, "Broken pipe")
        return len(memoryview(data))  # type: ignore[arg-type] # bytes, whatever wrote them


def start(
    words: Sequence[str],
    *,
    encoding: str = "utf-8",
    terminal: bool = False,
    raw: io.BytesIO | None = None,
) -> Done:
    """Run a command in this process, on streams of its own."""
    out = Stream(raw or io.BytesIO(), encoding, terminal=terminal)
    err = Stream(io.BytesIO(), encoding, terminal=terminal)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    if isinstance(raw, Gone):
        raw.left = False
    return Done(code, out.text(), err.text())


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Words:
    """Return the words of a command's row, with its places filled in."""
    folder = tmp_path_factory.mktemp("habits")
    gpu = {"compute_capability": "9.0", "name": f"H100 {EVIL}".replace("\udcff", "")}
    machine = {
        "status": "ok",
        "cuda_driver_version": "12.8",
        "platform": {"system": "linux", "architecture": "x86_64"},
        "gpus": [gpu],
    }
    (folder / "machine.json").write_text(json.dumps(machine), "utf-8")
    (folder / "torch-2.9.0-variants.json").write_text(json.dumps(torch_29()), "utf-8")
    evil_wheel = {f"demo/{EVIL.replace(chr(0xDCFF), '')}.so": cuda_library("80", "90")}
    (folder / "evil").mkdir()
    features = {"sm_arch": ("80_real", "90_real"), "cuda_version_lower_bound": ("12.0",)}
    metadata = build_variant("cuda12.4", features)
    places = {
        "{record}": RECORD,
        "{machine}": folder / "machine.json",
        "{draft}": folder / "torch-2.9.0-variants.json",
        "{dist}": write_release(folder / "dist", read_base()),
        "{plain}": cuda_wheel(folder, "80", "90"),
        "{evil_wheel}": make_wheel(folder / "evil", evil_wheel),
        "{variant}": write_variant(cuda_wheel(folder, "80", "90"), folder, metadata)[0],
        "{out}": folder / "out",
        "{demo}": folder / "demo",
        "{results}": folder / "results.jsonl",
        "{evil}": f"{EVIL}-1.0-py3-none-any-x.whl",
    }
    (folder / "out").mkdir()
    survey = ["survey", "inspect", str(folder / "evil"), "--jobs", "1"]
    assert start([*survey, "-o", str(folder / "results.jsonl")]).code == 0

    def fill(name: str, text: str) -> list[str]:
        return [name, *(str(places.get(word, word)) for word in text.split())]

    return fill


def test_every_command_has_a_row() -> None:
    assert list(ROWS) == NAMES


@pytest.mark.parametrize("name", WORKING)
def test_data_is_on_stdout_and_remarks_are_on_stderr(name: str, words: Words) -> None:
    done = start(words(name, ROWS[name].works))

    assert done.code == ROWS[name].code
    assert done.out.strip()
    said = ("warning: ", "note: ", "hint: ")
    assert [it for it in done.err.splitlines() if not it.startswith(said)] == []


@pytest.mark.parametrize("name", WORKING)
def test_json_is_one_document_in_ascii(name: str, words: Words) -> None:
    row = ROWS[name]
    if row.no_json:
        assert "--json" not in help_of(name)
        return
    done = start([*words(name, row.works), "--json"])

    assert done.code == row.code
    assert isinstance(json.loads(done.out), dict)
    assert done.out.isascii()


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_work_is_code_2_and_one_line(name: str, words: Words) -> None:
    done = start(words(name, ROWS[name].fails))

    assert (done.code, done.out) == (2, "")
    said = done.err.splitlines()[-1]
    assert said.startswith(f"{PROGRAM} {name}: error: ")
    assert done.err.startswith(("usage: ", said))


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_code_2_in_the_same_form(name: str) -> None:
    done = start([name, "--no-such-option"])

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"usage: {PROGRAM} {name} ")
    assert done.err.splitlines()[-1] == (
        f"{PROGRAM} {name}: error: unknown option '--no-such-option'"
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932", "utf-8"])
@pytest.mark.parametrize("name", NAMES)
def test_any_encoding_will_do(name: str, encoding: str, words: Words) -> None:
    row = ROWS[name]
    done = [start(words(name, row.fails), encoding=encoding)]
    if row.works:
        done.append(start(words(name, row.works), encoding=encoding))

    assert [it.code for it in done] == [2, row.code][: len(done)]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_foreign_reaches_the_terminal_as_it_is(name: str, words: Words) -> None:
    row = ROWS[name]
    done = [start(words(name, it)) for it in (row.fails, row.works) if it]

    for text in (it for one in done for it in (one.out, one.err)):
        strange = {letter for letter in text if not letter.isprintable()}
        # A script for a shell may be indented as it likes.
        assert strange <= {"\n"} | ({"\t"} if name == "completion" else set())


@pytest.mark.parametrize("name", WORKING)
def test_a_dumb_terminal_gets_no_escapes_and_NO_COLOR_no_colours(  # noqa: N802 - its name
    name: str, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = words(name, ROWS[name].works)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    plain = start(given, terminal=True).out
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    dumb = start(given, terminal=True).out

    # What is left are letters in bold, slanted or underlined; colours have two digits.
    assert [it for it in re.findall(r"\x1b\[([0-9;]*)m", plain) if len(it) > 1] == []
    assert "\x1b" not in dumb


@pytest.mark.parametrize("name", WORKING)
def test_in_a_pipe_the_terminal_does_not_matter(
    name: str, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    seen = set()
    for term in ("dumb", "xterm-256color", ""):
        monkeypatch.setenv("TERM", term)
        seen.add(start(words(name, ROWS[name].works)).out)

    assert len(seen) == 1
    assert "\x1b" not in seen.pop()


# What is read by programs, applied or pasted keeps its lines on every terminal.
VERBATIM: Final = {"completion", "convert"}


@pytest.mark.parametrize("name", [name for name in WORKING if name not in VERBATIM])
@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_nothing_is_wider_unless_it_is_one_word_or_command(
    name: str, columns: int, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    done = start(words(name, ROWS[name].works), terminal=True)
    wide = [
        line
        for line in (done.out + done.err).splitlines()
        if len(line) > columns and len(line.split()) > 1
    ]

    assert [line for line in wide if PROGRAM not in line and "pip install" not in line] == []


@pytest.mark.parametrize("name", [name for name in WORKING if name not in VERBATIM])
def test_in_a_pipe_no_line_ends_in_blanks_and_few_stand_in_a_row(
    name: str, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = start(words(name, ROWS[name].works)).out.splitlines()

    assert [line for line in lines if line != line.rstrip()] == []
    assert [line for line in lines if " " * 33 in line.strip()] == []


@pytest.mark.parametrize("name", WORKING)
def test_a_reader_that_leaves_does_not_change_the_verdict(name: str, words: Words) -> None:
    done = start(words(name, ROWS[name].works), raw=Gone())

    assert (done.code, "error" in done.err) == (ROWS[name].code, False)


@pytest.mark.parametrize("name", NAMES)
def test_help_has_examples_and_exit_codes(name: str) -> None:
    text = help_of(name)

    assert re.search(r"^examples:\n  \S", text, flags=re.MULTILINE)
    assert re.search(r"^exit codes:\n  \d", text, flags=re.MULTILINE)
    assert re.findall(r"^  ([0-2])\b", text.partition("exit codes:")[2], flags=re.MULTILINE)[-1:]
    assert max(map(len, text.partition("examples:")[2].splitlines())) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_help_are_understood(name: str) -> None:
    examples = help_of(name).partition("examples:\n")[2].partition("\n\n")[0]
    commands = re.findall(rf"{PROGRAM} .*", examples.replace("\\\n", " "))

    parser = build_parser()
    for command in commands:
        # What a pipe, a redirection or a column of words leaves of the line.
        line = re.split(r" [|>&] ?|\)|  +(?=[a-z])", command)[0]
        parser.parse_args(shlex.split(line)[1:])
    assert any(name in command for command in commands)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lnt dist", "error: unknown command 'lnt'; did you mean lint?"),
        ("torch_backend", "error: unknown command 'torch_backend'; did you mean torch-backend?"),
        ("frobnicate", "error: unknown command 'frobnicate'; there are detect, properties"),
        ("help lnt", "help: error: unknown command 'lnt'; did you mean lint?"),
        ("lint --jsn", "lint: error: unknown option '--jsn'; did you mean --json?"),
        ("lint --sele NV2", "lint: error: unknown option '--sele'; did you mean --select?"),
        ("verify --tresh=5", "verify: error: unknown option '--tresh'; did you mean --threshold?"),
        ("lint --output-format sarf", "unknown value 'sarf'; did you mean sarif?"),
        ("lint --output-format x", "unknown value 'x'; there are text, json, github"),
        ("survey sumary x", "unknown value 'sumary'; did you mean summary?"),
        ("survey summary --jsn x", "survey summary: error: unknown option '--jsn'"),
        ("version now", "version: error: unexpected argument 'now'"),
    ],
)
def test_what_was_perhaps_meant_is_named(typed: str, said: str) -> None:
    done = start(typed.split())

    assert (done.code, done.out) == (2, "")
    assert said in done.err.splitlines()[-1]


@pytest.mark.parametrize("typed", ["", "--help", "help"])
def test_the_program_shows_its_commands(typed: str) -> None:
    done = start(typed.split())

    assert (done.code, done.err) == (0, "")
    assert [name for name in NAMES if f"\n    {name}" not in done.out] == []


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_is_what_the_command_prints(name: str) -> None:
    assert start(["help", name]) == start([name, "--help"])


def test_the_version_of_program_and_python_is_told() -> None:
    from nvidia_variant_provider import __version__

    done = start(["version"])
    form = rf"{PROGRAM} {re.escape(__version__)} \(tables of {READ}, \w+ 3\.\S+\)\n"

    assert done.code == 0
    assert re.fullmatch(form, done.out)


def test_the_version_is_told() -> None:
    from nvidia_variant_provider import __version__

    said = f"{PROGRAM} {__version__} (tables of {READ})\n"

    assert start(["--version"]) == (0, said, "")


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_fault_of_ours_asks_for_a_report(debug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: argparse.Namespace) -> int:
        return len(cmd_targets._row(None)) + 1  # type: ignore[arg-type] # noqa: SLF001 - a fault

    monkeypatch.setattr(cmd_targets, "run", run)
    monkeypatch.setenv("NV_VARIANT_PROVIDER_DEBUG", debug)
    done = start(["targets"])

    assert (done.code, done.out) == (2, "")
    said = done.err.splitlines()[-1]
    assert said.startswith(f"{PROGRAM} targets: error: unexpected AttributeError: ")
    assert "(cli/cmd_targets.py:" in said
    assert "detect --record FILE" in said
    assert ("Traceback" in done.err) == bool(debug)


def help_of(name: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        return start([name, "--help"]).out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lint {folder}/dst", "{folder}/dst: no such file or folder; did you mean {folder}/dist?"),
        ("index {folder}/x", "{folder}/x: no such file or folder; {folder} has "),
        ("explain {folder}/x.whl", "no such file or folder; {folder} has demo-1.0-py3-none-any"),
        ("coverage {folder}/none/x", "x: no such file or folder; neither is there a folder"),
        ("convert {folder}/x.json", "no such file or folder; {folder} has machine.json, torch-2"),
        ("inspect {folder}/x.whl", "no such file or folder; {folder} has demo-1.0-py3-none-any"),
        ("tag {folder}/x.whl --dry-run", "no such file or folder; {folder} has demo-1.0-py3-"),
        ("untag {folder}/x.whl -o {folder}", "no such file or folder; {folder} has demo-1.0"),
        ("verify {folder}/x.whl", "no such file or folder; {folder} has demo-1.0-py3-none-any"),
        ("explain {dist} --package demo==2", "no wheel of demo==2; there is demo==1.0"),
        ("explain --installed pydantc", "pydantc: not installed here; did you mean pydantic?"),
        ("explain --installed torch --path {folder}/x", "{folder}/x: no such file or folder"),
    ],
)
def test_not_found_names_what_is_there(typed: str, said: str, words: Words) -> None:
    dist = Path(words("explain", "{dist}")[1])
    folder = str(dist.parent)
    done = start(typed.format(folder=folder, dist=dist).split())

    assert (done.code, done.out) == (2, "")
    assert said.format(folder=folder) in done.err.splitlines()[-1]
