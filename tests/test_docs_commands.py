"""Every command in a page of the project is run by a test, or marked where its readers see it."""

from __future__ import annotations

import platform
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs_console import LANGUAGES, ROOT, Block, agrees, blocks_of, fences_of
from tests.docs_pages import WORLDS, disagreements

if TYPE_CHECKING:
    from pathlib import Path

# What only a person with other means can run; the mark above a block names it.
NEEDS = {
    "a CUDA Toolkit, torch, and an hour",
    "a cluster",
    "a published release",
    "a quiet machine",
    "an hour",
    "an index with PyTorch's layout",
    "PyTorch's indexes",
    "conda",
    "Docker",
    "jq",
    "your lock file",
    "your project",
}
# Pages whose commands another test, or the gate itself, runs.
ELSEWHERE = {
    "README.md": ("tests/test_readme.py", "tests/test_examples.py", ".ci/run"),
    "docs/convert.md": ("tests/tools/cli/test_convert.py",),
    "docs/explain.md": ("tests/test_docs_explain.py",),
    "docs/releasing.md": ("tests/test_check_tag.py", ".ci/run"),
    "docs/standalone.md": ("tests/contract/test_standalone.py",),
    "docs/targets.md": ("tests/test_docs_targets.py",),
    "docs/which.md": ("tests/tools/conformance/test_javascript.py",),
    "examples/publish/README.md": ("tests/test_examples_publish.py",),
    "examples/torch/README.md": ("tests/test_examples.py",),
}
# The first page installs everything into an environment of its own, as other tests do; Poetry has
# to be installed first; and ``serve`` needs a newer Python than the oldest that is supported.
_SERVES = pytest.mark.skipif(sys.version_info < (3, 11), reason="`serve` needs Python 3.11")
MARKS: dict[str, pytest.MarkDecorator | tuple[pytest.MarkDecorator, ...]] = {
    "installation.md": pytest.mark.deep,
    "how-to/poetry.md": (pytest.mark.deep, _SERVES),
    "how-to/team-server.md": _SERVES,
    "how-to/uv-lock.md": _SERVES,
}
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "tests/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)


def unmarked(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if not block.needs]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_marked(page: str) -> None:
    known = page in ELSEWHERE or page.removeprefix("docs/") in WORLDS or page == "CONTRIBUTING.md"

    assert not unmarked(page) or known, (
        f"{page} has commands that no test runs: give it a world in tests/docs_pages.py, or put "
        "a line such as '*Not run in CI: needs Docker.*' above the block"
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_mark_names_one_of_the_known_needs(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    marks = re.findall(r"^ *\*Not run in CI: needs (.+)\.\*$", text, re.MULTILINE)

    assert set(marks) <= NEEDS
    # A mark that is not right above a block of commands marks nothing.
    assert [block.needs for block in blocks_of(page) if block.needs] == marks


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_blocks_of_commands_only(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    others = [block for block in fences_of(text) if block.language not in LANGUAGES]

    assert [block.text for block in others if re.search(r"^\$ ", block.text, re.MULTILINE)] == []


def test_what_is_said_to_be_run_elsewhere_is_there() -> None:
    assert [page for page in ELSEWHERE if not unmarked(page)] == []
    assert {
        path for paths in ELSEWHERE.values() for path in paths if not (ROOT / path).is_file()
    } == set()
    assert [page for page in WORLDS if not unmarked(f"docs/{page}")] == []


def test_the_commands_of_contributing_name_what_there_is() -> None:
    stages = set(re.findall(r"^stage_(\w+)\(\)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    steps = [step.command for block in unmarked("CONTRIBUTING.md") for step in block.steps]
    # What is named in words counts too: scripts, tests, and the test that fails first.
    words = re.findall(r"(?:\.ci|tests|docs)/[\w./*-]+", page.replace("NAME", "*"))
    cases = re.findall(r"`(?:tests/[\w/]+\.py::)?(test_\w+)", page)
    told = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert [it for it in words if not list(ROOT.glob(it.rstrip(".")))] == []
    assert [name for name in cases if f"def {name}(" not in told] == []
    for command in steps:
        assert not command.startswith(".ci/run") or set(command.split()[1:]) <= stages, command


@pytest.mark.clients
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the pages show names of x86-64 wheels")
@pytest.mark.parametrize(
    "page",
    [pytest.param(name, marks=MARKS.get(name, ())) for name in WORLDS],
)
def test_the_commands_of_a_page_do_what_it_shows(page: str, tmp_path: Path) -> None:
    assert disagreements(page, tmp_path) == []


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (("a", "b"), ("a  ", "b"), True),
        (("a", "...", "d"), ("a", "b", "c", "d"), True),
        (("a", "...", "d"), ("a", "b", "c"), False),
        (("a",), ("a", "b"), False),
        (("a.c",), ("abc",), False),
    ],
)
def test_three_dots_stand_for_any_number_of_lines(
    shown: tuple[str, ...],
    printed: tuple[str, ...],
    same: bool,  # noqa: FBT001 - a table of cases
) -> None:
    assert agrees(shown, printed) is same


def test_a_block_is_read_with_its_mark_its_indent_and_its_continued_lines() -> None:
    text = (
        "*Not run in CI: needs Docker.*\n\n```console\n$ a\n```\n\n1. x\n\n"
        "    ```console\n    $ b <<END\n    > c\n    shown\n    ```\n\n```sh\nd \\\n  e\n# f\n```\n"
    )
    marked, listed, plain = fences_of(text)

    assert marked.needs == "Docker"
    assert [(it.command, it.shown) for it in listed.steps] == [("b <<END\nc", ("shown",))]
    assert [it.command for it in plain.steps] == ["d e"]
