"""The corpus: recorded machines with what detection must make of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.overrides import read_overrides
from nvidia_variant_provider.provider import decide_for, find_machine

if TYPE_CHECKING:
    from nvidia_variant_provider.provider import Answer

FOLDER: Final = Path(__file__).parent / "data" / "machines"


@dataclass(frozen=True, slots=True)
class State:
    """One state of a machine: a record with ``about`` and ``expected``."""

    name: str
    record: dict[str, Any]

    @property
    def observed(self) -> dict[str, Any]:
        """The raw observations."""
        observed: dict[str, Any] = self.record["observed"]
        return observed

    @property
    def expected(self) -> dict[str, Any]:
        """What detection must make of them."""
        expected: dict[str, Any] = self.record["expected"]
        return expected

    def answer(self, *, confirm: bool = True) -> Answer:
        """Detect on this machine and apply the rules."""
        host = ReplayHost(self.observed)
        settings = read_overrides(host.environ)
        return decide_for(find_machine(host, settings, confirm=confirm), settings)


def load_states() -> list[State]:
    """Return every state, grouped as the files say, in the order of their names."""
    paths = sorted(FOLDER.glob("*.json"))
    states = [State(path.stem, json.loads(path.read_text("utf-8"))) for path in paths]
    return sorted(states, key=lambda state: (state.record["about"]["group"], state.name))


def summary(answer: Answer) -> dict[str, object]:
    """Return the facts of an answer in the form of ``expected``."""
    machine = answer.detection.machine
    return {
        "status": machine.status.value,
        "driver_release": str(machine.driver_release) if machine.driver_release else None,
        "cuda_driver_version": str(machine.cuda) if machine.cuda else None,
        "cuda_derived": machine.cuda_derived,
        "compute_capabilities": [str(found) for found in machine.capabilities],
    }


def properties(answer: Answer) -> set[str]:
    """Return every property an installer gets, as ``"feature :: value"``."""
    return {
        f"{feature.name} :: {value}"
        for feature in answer.decision.features
        for value in feature.values
    }
