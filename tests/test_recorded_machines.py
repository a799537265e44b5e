"""Every recorded machine is seen as what it is, whatever was recorded and whatever is missing."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider import machine_file
from nvidia_variant_provider.detect.cascade import detect
from nvidia_variant_provider.detect.masking import masker_for
from nvidia_variant_provider.detect.record import RecordingHost
from nvidia_variant_provider.detect.replay import ReplayHost
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.tools.machines.json_model import RecordModel
from tests.recorded import FOLDER, State, load_states, properties, summary

STATES = load_states()
each_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


@each_state
def test_a_recorded_machine_is_seen_as_what_it_is(state: State) -> None:
    wanted = {"cuda_derived": False, **state.expected}

    answer = state.answer()

    found = summary(answer)
    assert found == {key: wanted[key] for key in found}, answer.detection.machine.reason
    codes = {note.code for note in answer.detection.machine.notes}
    assert set(wanted.get("notes", ())) <= codes
    assert set(wanted.get("supported", ())) <= properties(answer)
    assert not set(wanted.get("unsupported", ())) & properties(answer)


@each_state
def test_starting_cuda_to_be_sure_changes_nothing_that_an_installer_gets(state: State) -> None:
    assert state.answer(confirm=False).decision.features == state.answer().decision.features


@each_state
def test_a_state_is_a_valid_record_named_after_its_file(state: State) -> None:
    record = RecordModel.model_validate(state.record)

    assert record.about is not None
    assert (record.about.name, bool(record.about.sources)) == (state.name, True)
    assert record.expected is not None


def test_what_only_a_person_asks_for_is_valid_in_a_record() -> None:
    apis = set()
    for state in STATES:
        recording = RecordingHost(ReplayHost(state.observed))
        detect(recording, confirm=True)
        record = {**state.record, "observed": recording.observed()}
        apis |= {reply.api for reply in RecordModel.model_validate(record).observed.libraries}

    assert {"health", "open"} <= apis


@each_state
def test_a_record_of_a_replay_replays_the_same(state: State) -> None:
    recording = RecordingHost(ReplayHost(state.observed))
    first = detect(recording, confirm=True)

    again = detect(ReplayHost(recording.observed()), confirm=True)

    assert machine_file.dump(again.machine) == machine_file.dump(first.machine)
    assert [step.detail for step in again.trail] == [step.detail for step in first.trail]


@each_state
def test_masking_takes_nothing_away_that_detection_goes_by(state: State) -> None:
    masked = masker_for({"USER": "alice", "HOME": "/home/alice"}, "box").mask(state.observed)

    before = detect(ReplayHost(state.observed), confirm=True).machine
    after = detect(ReplayHost(masked), confirm=True).machine
    assert (after.status, after.cuda, after.capabilities) == (
        before.status,
        before.cuda,
        before.capabilities,
    )
    assert len({gpu.uuid for gpu in after.gpus}) == len({gpu.uuid for gpu in before.gpus})


@each_state
def test_a_status_that_does_not_work_says_why(state: State) -> None:
    machine = state.answer().detection.machine

    assert machine.reason
    assert (
        machine.status in {Status.OK, Status.PINNED} or machine.reason != "driver and GPUs answer"
    )


def test_every_status_occurs_in_the_corpus() -> None:
    assert {state.expected["status"] for state in STATES} == {status.value for status in Status}


def test_the_page_of_machines_has_not_drifted_from_the_records() -> None:
    script = FOLDER.parents[2] / ".ci" / "regen_machines.py"

    assert subprocess.run([sys.executable, str(script), "--check"], check=False).returncode == 0


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.sampled_from(STATES), data=st.data())
def test_whatever_breaks_off_detection_comes_to_an_answer(
    state: State, data: st.DataObject
) -> None:
    observed = _break_off(copy.deepcopy(state.observed), data)

    found = detect(ReplayHost(observed), 10.0, confirm=True)

    # A mistake of ours would be caught, noted and hidden: here it must show.
    assert [note for note in found.machine.notes if note.code == "internal-error"] == []
    assert found.machine.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.sampled_from(STATES), data=st.data())
def test_a_record_is_refused_with_a_word_or_detected_on(state: State, data: st.DataObject) -> None:
    observed = _damage(copy.deepcopy(state.observed), data)

    try:
        host = ReplayHost(observed)
    except InvalidValueError:
        return  # Refused in words; any other exception fails the test.
    found = detect(host, 10.0, confirm=True)

    assert [note.text for note in found.machine.notes if note.code == "internal-error"] == []


def _damage(value: Any, data: st.DataObject) -> Any:  # noqa: ANN401 - any JSON
    """Replace one value somewhere in a JSON document by any other."""
    if isinstance(value, (dict, list)) and value and data.draw(st.integers(0, 9)):
        keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
        key = data.draw(st.sampled_from(keys))
        value[key] = _damage(value[key], data)
        return value
    return data.draw(json_values)


def _break_off(observed: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """Lose files, cut replies short and let children end badly."""
    for path in data.draw(st.lists(st.sampled_from(sorted(observed.get("files", {"": ""}))))):
        observed.get("files", {}).pop(path, None)
    ends = st.sampled_from(["exit 0", "signal 11", "timeout", "too much output", "exit 134"])
    for reply in (*observed.get("libraries", ()), *observed.get("programs", ())):
        reply["lines"] = reply["lines"][: data.draw(st.integers(0, len(reply["lines"])))]
        if data.draw(st.booleans()):
            reply["end"] = data.draw(ends)
    return observed
