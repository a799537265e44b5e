"""``cli.output``: tables, widths, and what becomes of letters that a stream cannot hold."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.tools.cli import coverage_text, output

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS: Final = ("variant", "why")
LONG: Final = "nvidia_very_long_library_name_" * 4
ROWS: Final = (("cuda13.0", f"{LONG} and [bold]more[/bold]"), ("null", "fits every machine"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, **environ: str) -> str:
    for variable in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "stdout", stream)
    output.emit_table(COLUMNS, ROWS, title="a title of [these] words")
    return stream.getvalue()


def test_in_a_pipe_a_table_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table(monkeypatch, io.StringIO()).splitlines() == [
        "a title of [these] words",
        "variant   why",
        f"cuda13.0  {LONG} and [bold]more[/bold]",
        "null      fits every machine",
    ]


def test_in_a_pipe_a_long_cell_does_not_push_the_others_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    output.emit_table(("a", "b", "c"), [("x" * 300, "1", ""), ("y", "2", "why")])

    assert capsys.readouterr().out.splitlines() == [
        f"{'a':32}  b  c",
        f"{'x' * 300}  1",
        f"{'y':32}  2  why",
    ]


def test_on_a_terminal_sentences_wrap_at_words_and_nothing_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "dumb")
    output.emit_toned([(None, f"a sentence of words, then {LONG}")])

    shown = stream.getvalue()
    assert shown.splitlines() == ["a sentence of words,", "  then", f"  {LONG}"]


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_colours_mean_something_where_there_are_any(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, coloured: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    output.emit_toned([(output.Tone.BAD, "a hole")])

    expected = "\x1b[31ma hole\x1b[0m\n" if coloured else "a hole\n"
    assert stream.getvalue() == expected


@pytest.mark.parametrize("columns", [60, 200])
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_table_is_as_wide_as_the_columns(
    columns: int, stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = table(monkeypatch, stream(), COLUMNS=str(columns), TERM="dumb")

    assert max(map(len, text.splitlines())) <= columns
    # Folded, but whole.
    letters = "".join(line[10:] for line in text.splitlines()[4:]).replace(" ", "")
    assert f"{LONG}and[bold]more[/bold]" in letters


def test_colours_can_be_forced_into_a_pipe_and_fold_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output.emit_toned([(output.Tone.WARNING, f"seen {LONG}")])

    text = stream.getvalue()
    assert text == f"\x1b[33mseen {LONG}\x1b[0m\n"


def test_a_terminal_shows_bold_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1m" in table(monkeypatch, Terminal(), TERM="xterm-256color", COLUMNS="80")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("C:\\Windows\\System32\\nvcuda.dll", "C:\\Windows\\System32\\nvcuda.dll"),
        ("\\\\server\\share\\x.whl", "\\\\server\\share\\x.whl"),
        ("Grüße 中文.whl", "Grüße 中文.whl"),
        ("a\nb", "a\\nb"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("caf\udce9.whl", "caf\\udce9.whl"),
        ("tab\there", "tab\\there"),
    ],
    ids=ascii,
)
def test_a_line_is_one_line_and_moves_no_cursor(text: str, shown: str) -> None:
    assert output.one_line(text) == shown


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "├─ € 中 …\n"),
        ("ascii", "|- \\u20ac \\u4e2d ...\n"),
        ("cp1252", "|- € \\u4e2d …\n"),
        ("latin-1", "|- \\u20ac \\u4e2d ...\n"),
    ],
)
def test_letters_that_an_encoding_lacks_are_spelled(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, newline="\n"))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    output.prepare_streams()
    output.emit_lines(["├─ € 中 …"])
    sys.stdout.flush()

    assert raw.getvalue().decode(encoding) == shown


@pytest.mark.parametrize(
    ("rows", "lines"), [([], []), ([("a", "b"), ("ccc", "")], ["a    b", "ccc"])]
)
def test_rows_without_a_heading_are_aligned(
    rows: Sequence[tuple[str, str]], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output.emit_table((), rows)

    assert capsys.readouterr().out.splitlines() == lines


def test_csv_cells_hold_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    coverage_text.emit_csv(("name", "count"), [("H100\x1b[2J, 80 GB", 2)])

    assert capsys.readouterr().out == 'name,count\n"H100\\x1b[2J, 80 GB",2\n'
