"""The list of accepted survivors names what is there; whether they survive, only a run tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import accepted
from tests.mutation.plan import GROUPS, PACKAGE

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = [module for group in GROUPS for module in group.modules]


def test_every_module_is_mutated_once_and_every_path_exists() -> None:
    assert len(set(MODULES)) == len(MODULES)
    for group in GROUPS:
        paths = [f"{PACKAGE}/{module}" for module in group.modules]
        paths += [f"tests/{test}" for test in group.tests]
        for path in paths:
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("module", MODULES)
def test_accepted_lines_are_lines_of_the_module(module: str) -> None:
    source = (ROOT / PACKAGE / module).read_text("utf-8")
    lines = {line.strip() for line in source.splitlines()}

    for name, reason in accepted.read(module).items():
        assert reason, name
        assert name.before in lines, name
        assert name.after not in lines or not name.after, name


def test_accepted_modules_are_mutated() -> None:
    assert {name.module for name in accepted.read()} <= set(MODULES)
