"""The text for an issue: what it holds, and that it names nobody."""

from __future__ import annotations

import getpass
import json
import os

import pytest

from nvidia_variant_provider.detect.masking import masker_for
from nvidia_variant_provider.tools.cli import main
from nvidia_variant_provider.tools.cli.cmd_detect import render as render_machine
from nvidia_variant_provider.tools.machines.report import describe_torch, render
from tests.recorded import State, load_states
from tests.strategies import machine

STATES = {state.name: state for state in load_states()}


def test_the_command_prints_versions_and_every_probe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "alice-of-the-lab")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/home/alice-of-the-lab/lib")

    main.main(["detect", "--report"])

    text = capsys.readouterr().out
    named = ("provider", "Python", "pip", "uv", "CUDA Toolkit", "torch", "container", "status")
    lines = text.splitlines()
    assert lines[0] == "### nvidia-variant-provider detect --report"
    assert [name for name in named if not any(line.startswith(name) for line in lines)] == []
    assert "alice" not in text
    assert "trail" in text


@pytest.mark.parametrize("name", ["mixed-a10-t4", "one-gpu-lost", "mig-uuid"])
def test_identities_of_gpus_are_masked(name: str) -> None:
    observed = json.dumps(STATES[name].observed)
    observed = observed.replace("00000000-0000-0000", "f15ae561-21b1-6003")
    real = State(name, {"observed": json.loads(observed)})
    answer = real.answer()
    masker = masker_for({"USER": getpass.getuser()}, os.uname().nodename)

    text = "\n".join(render(answer, render_machine(answer, verbose=True), masker))

    assert any("f15ae561" in gpu.uuid for gpu in answer.detection.machine.gpus)
    assert "f15ae561" not in text


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("2.9.1+cu128", "2.9.1+cu128 (CUDA 12.8: the driver supports it)"),
        ("2.9.1+cu130", "2.9.1+cu130 (CUDA 13.0: needs a driver for CUDA 13.0)"),
        ("2.9.1+cpu", "2.9.1+cpu (the CPU build)"),
        ("2.9.1", "2.9.1 (its version does not say for which CUDA)"),
        ("2.9.1+cu990", "2.9.1+cu990 (CUDA 99.0: needs a driver for CUDA 99.0)"),
    ],
)
def test_a_torch_is_described_by_its_version(version: str, words: str) -> None:
    assert describe_torch(version, machine("12.8", "9.0")) == words
