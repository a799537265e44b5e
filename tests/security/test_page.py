"""The page of the threat model names a test for each promise, and every test of this folder."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from nvidia_variant_provider.tables.cuda_indexes import FAMILY
from tests.security import page

HERE: Final = Path(__file__).parent


def functions_of(path: Path) -> set[str]:
    """Return the test functions of a module."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        it.name for it in tree.body if isinstance(it, ast.FunctionDef) and it.name[:5] == "test_"
    }


@pytest.mark.parametrize(
    ("promise", "tests"), page.promises(), ids=[promise for promise, _ in page.promises()]
)
def test_a_promise_is_held_by_tests_that_exist(promise: str, tests: list[str]) -> None:
    assert promise
    assert tests
    for test in tests:
        path, _, name = test.partition("::")
        assert name in functions_of(page.ROOT / path), test


def test_every_test_of_this_folder_is_on_the_page() -> None:
    named = {test for _, tests in page.promises() for test in tests}
    about_workflows = {HERE / "test_workflows.py", Path(__file__)}
    here = {
        f"tests/security/{path.name}::{name}"
        for path in set(HERE.glob("test_*.py")) - about_workflows
        for name in functions_of(path)
    }

    assert here - named == set()


def test_the_projects_that_a_view_asks_elsewhere_are_listed() -> None:
    listed = f"{', '.join(FAMILY[:-1])} and {FAMILY[-1]}"

    assert f"for ten projects alone: {listed}." in page.TEXT
    assert len(FAMILY) == 10


def test_the_page_promises_enough() -> None:
    assert len(page.promises()) >= 30
    assert len(page.paths_that_are_read()) >= 12
