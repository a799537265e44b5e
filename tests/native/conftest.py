"""Fixtures for machines that are forged in a folder and probed by the real code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.native.asking import BUSY_SECONDS, SLOWNESS, Asked, Surroundings, ask
from tests.native.machines import ForgedMachine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.native.build import StandIns

SECONDS = 1.5 * SLOWNESS


class Ask(Protocol):
    """Ask the plugin about the forged machine; keywords are our variables without prefix."""

    def __call__(self, **variables: str) -> Asked: ...


@pytest.fixture
def machine(tmp_path: Path, stand_ins: StandIns) -> ForgedMachine:
    """Return an empty machine."""
    root = tmp_path / "root"
    root.mkdir()
    return ForgedMachine(root, stand_ins)


@pytest.fixture
def h100(machine: ForgedMachine) -> ForgedMachine:
    """Return a machine with driver R580 loaded and one H100 plugged in, without libraries."""
    machine.add_driver()
    machine.add_pci_gpu()
    return machine


@pytest.fixture
def ask_plugin(
    machine: ForgedMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ask]:
    """Return a function that asks; whatever it does must leave no process and no file behind."""
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    around = Surroundings((machine.root, tmp_path / "home", working))

    def asked(**variables: str) -> Asked:
        around.remember()
        settings = {"ROOT": str(machine.root), "TIMEOUT": str(SECONDS)}
        reply = ask(monkeypatch, tmp_path, **{**settings, **variables})

        assert around.new_processes() == set()
        assert around.new_files() == set()
        # The deadline and a tenth, and what a busy machine needs to start an interpreter.
        assert reply.seconds <= float(variables.get("TIMEOUT", SECONDS)) * 1.1 + BUSY_SECONDS
        assert "internal" not in {step.probe for step in reply.detection.trail}
        return reply

    yield asked
    for pid in around.new_processes():
        os.kill(pid, 9)
