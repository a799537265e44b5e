"""The table of installers: every row is whole, and a version stands in its row alone."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

import pytest

from nvidia_variant_provider import rules
from nvidia_variant_provider.tools.installers.table import (
    EXPLAINED,
    INSTALLERS,
    PIP,
    PROVIDER,
    UV,
    Installer,
    Reads,
    by_name,
    by_rules,
)

ROOT = Path(__file__).resolve().parents[3]
# The table, what is written from it, history, and what was seen of a version on a certain day.
MAY_NAME_VERSIONS = (
    "nvidia_variant_provider/tools/installers/table.py",
    "docs/installers.md",
    "CHANGELOG.md",
    "tests/data/",
)

ASKED_FOR = (
    "provider", "uv", "pip", "poetry", "pdm", "pipenv", "pipx", "hatch", "tox", "nox"
)  # fmt: skip

each = pytest.mark.parametrize("installer", INSTALLERS, ids=lambda it: it.name)


def lines_with(text: str) -> list[str]:
    done = subprocess.run(
        ["git", "grep", "-F", "-n", "-I", text],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [it for it in done.stdout.splitlines() if not it.startswith(MAY_NAME_VERSIONS)]


@each
def test_a_row_is_found_by_its_name(installer: Installer) -> None:
    assert by_name(installer.name) is installer


@each
def test_who_reads_variants_has_a_reader_rules_and_a_first_version(installer: Installer) -> None:
    judges = (bool(installer.reader), installer.rules is not None, bool(installer.since))

    assert set(judges) == {installer.reads_variants}


@each
def test_who_has_no_command_of_its_own_names_whom_it_runs(installer: Installer) -> None:
    assert bool(installer.commands) != bool(installer.runs)


def test_the_installers_are_those_that_were_asked_for() -> None:
    assert tuple(installer.name for installer in INSTALLERS) == ASKED_FOR


def test_every_rule_set_predicts_one_installer() -> None:
    assert [by_rules(rule_set) for rule_set in rules.RULE_SETS] == [UV, PROVIDER]


def test_the_installers_that_are_explained_head_the_table() -> None:
    assert INSTALLERS[: len(EXPLAINED)] == EXPLAINED


def test_a_title_says_by_what_an_installer_judges() -> None:
    assert [it.title for it in EXPLAINED] == [
        "this provider (rule set 1)",
        "uv (its own copy, rule set 0)",
        "pip (knows no variants)",
    ]


def test_a_command_reads_as_it_is_typed() -> None:
    texts = {command.text: command.reads for command in UV.commands}

    assert texts["`uv pip compile` without --universal"] is Reads.VARIANTS
    assert texts["`uv lock`"] is Reads.PLAIN


@pytest.mark.parametrize("installer", [UV, PROVIDER], ids=lambda it: it.name)
def test_the_tests_run_the_version_of_the_row(installer: Installer) -> None:
    assert importlib.metadata.version(installer.package) == installer.version


def test_the_version_of_uv_stands_in_its_row_alone() -> None:
    pins = [it for it in lines_with(UV.version) if UV.pin in it]

    # The pins are written by .ci/regen_installers.py, which has a test of its own.
    assert [it for it in lines_with(UV.version) if it not in pins] == []
    assert len(pins) >= 5


def test_pip_is_no_client_of_variants() -> None:
    assert not PIP.reads_variants
