"""Files and archives have one home each: whoever reads or writes one elsewhere has to say why."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = Path(__file__).resolve().parents[2] / "nvidia_variant_provider"

# Where files may be opened for writing besides ``tools/files.py``, and why.
WRITERS: Final = {
    "tools/files.py": "the one writer",
    "tools/survey/child_main.py": "the pipe to its parent",
    "tools/views/baking.py": "a download that has no other name, in a folder of its own",
    "tools/views/session.py": "a secret, created with its mode or not at all",
    "tools/cli/output.py": "os.devnull in the place of a stream that is closed",
}
ARCHIVES: Final = {"zipfile": set[str]()}
_WRITING: Final = frozenset("wxa+")
_METHODS: Final = frozenset({"write_text", "write_bytes"})
_RENAMES: Final = frozenset({"os.replace", "os.rename", "os.renames"})


def modules() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def calls(module: str) -> Iterator[ast.Call]:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def writes(call: ast.Call) -> bool:
    """Tell whether a call opens a file for writing, or gives a file another name."""
    name = ast.unparse(call.func)
    if name in {"open", "os.fdopen"} or name.endswith(".open"):
        mode = call.args[1] if name in {"open", "os.fdopen"} and len(call.args) > 1 else None
        words = [mode, *(it.value for it in call.keywords if it.arg == "mode")]
        return any(
            isinstance(it, ast.Constant) and _WRITING & set(str(it.value))
            for it in words
            if it is not None
        )
    return name.rpartition(".")[2] in _METHODS or name in _RENAMES


@pytest.mark.parametrize("module", modules())
def test_files_are_written_in_one_place(module: str) -> None:
    found = [call.lineno for call in calls(module) if writes(call)]

    assert found == [] or module in WRITERS, f"{module}: lines {found}: use tools/files.py"


def test_the_exceptions_still_write() -> None:
    assert [it for it in WRITERS if not any(map(writes, calls(it)))] == []


@pytest.mark.parametrize("module", modules())
def test_archives_are_read_by_the_one_reader(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names |= {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }

    assert [it for it in names if it in ARCHIVES and module not in ARCHIVES[it]] == []
