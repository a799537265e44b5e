"""Recorded machines, made of real files and compiled libraries, asked through variantlib's loader.

Once below a forged root folder, and, with the right to make one, in a private mount namespace,
where the machine's own loader finds the libraries.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider import machine_file
from nvidia_variant_provider.tools.cli.main import main
from tests.native.asking import SLOWNESS
from tests.native.forge import Forge, why_not
from tests.native.machines import UUIDS
from tests.native.witness import TESTIMONY
from tests.recorded import State, load_states, summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.model import Machine
    from tests.native.build import StandIns

REPOSITORY: Final = Path(__file__).resolve().parents[2]
NAMESPACE: Final = Path(__file__).with_name("namespace.py")
PATIENCE: Final = str(2 * SLOWNESS)

FORGEABLE: Final = [state for state in load_states() if not why_not(state)]
# The namespace is closer to the truth; every third state shows that a folder does as well, which
# is all there is where tests do not run as root. An emulator can enter no namespace.
IS_X86: Final = os.uname().machine == "x86_64"
ROOTED: Final = FORGEABLE[::3] if IS_X86 else FORGEABLE
# The gate asks each state once, and every ninth in both ways.
IN_NAMESPACE: Final = [
    pytest.param(state, marks=pytest.mark.deep if number % 3 == 0 and number % 9 else ())
    for number, state in enumerate(FORGEABLE)
]


def test_enough_states_run_for_real() -> None:
    assert len(FORGEABLE) >= (60 if IS_X86 else 12)
    assert len(ROOTED) >= (25 if IS_X86 else 12)


@pytest.mark.parametrize("state", ROOTED, ids=lambda state: state.name)
def test_below_a_forged_root(state: State, tmp_path: Path, stand_ins: StandIns) -> None:
    root = tmp_path / "root"
    root.mkdir()
    Forge(state, root, stand_ins).make()

    said = _ask(state, tmp_path, [], {"NV_VARIANT_PROVIDER_ROOT": str(root)})

    _assert_as_recorded(said, state)


@pytest.mark.parametrize("state", IN_NAMESPACE, ids=lambda state: state.name)
def test_in_a_private_namespace(state: State, tmp_path: Path, stand_ins: StandIns) -> None:
    if reason := _why_no_namespace():
        pytest.skip(reason)
    root, place = tmp_path / "root", tmp_path / "place"
    root.mkdir()
    place.mkdir()
    Forge(state, root, stand_ins).make()

    said = _ask(state, tmp_path, _enter(root, place), {})

    _assert_as_recorded(said, state)
    assert list(place.iterdir()) == []


def test_a_record_of_real_libraries_replays_the_same_without_their_uuids(
    tmp_path: Path,
    stand_ins: StandIns,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = next(it for it in FORGEABLE if it.name == "mixed-a10-t4")
    root, target = tmp_path / "root", tmp_path / "record.json"
    root.mkdir()
    Forge(_with_uuids(state), root, stand_ins).make()
    monkeypatch.setenv("NV_VARIANT_PROVIDER_ROOT", str(root))

    assert main(["detect", "--json", "--record", str(target)]) == 0
    first = json.loads(capsys.readouterr().out)
    monkeypatch.delenv("NV_VARIANT_PROVIDER_ROOT")
    assert main(["detect", "--json", "--replay", str(target)]) == 0

    assert json.loads(capsys.readouterr().out) == first
    assert [it["compute_capability"] for it in first["gpus"]] == ["8.6", "8.6", "7.5", "7.5"]
    # Only libcuda tells this, so the two libraries' spellings of a UUID still belong together.
    assert {it["integrated"] for it in first["gpus"]} == {False}
    text = target.read_text("utf-8")
    assert not any(uuid[4:] in text or uuid[4:].replace("-", "") in text for uuid in UUIDS)


def _with_uuids(state: State) -> State:
    """Give the GPUs of a state UUIDs that look real, and no address to know them by."""
    text = json.dumps(state.record)
    for number, uuid in enumerate(UUIDS[:4], start=1):
        masked = f"{number:032x}"
        hyphened = "-".join((masked[:8], masked[8:12], masked[12:16], masked[16:20], masked[20:]))
        text = text.replace(f"GPU-{hyphened}", uuid).replace(masked, uuid[4:].replace("-", ""))
    record: dict[str, Any] = json.loads(text)
    for reply in record["observed"]["libraries"]:
        reply["lines"] = [
            f"{line.rpartition(chr(9))[0]}\t" if line.startswith("pci\t") else line
            for line in reply["lines"]
        ]
    return State(state.name, record)


def _assert_as_recorded(said: dict[str, Any], state: State) -> None:
    """Hold an answer to the replay, which another test holds to what is expected."""
    wanted = state.answer(confirm=False)

    if said["machine"] is None:
        # The gate saw no sign of NVIDIA; nothing further was loaded.
        assert state.expected["status"] == "none"
    else:
        assert _facts(machine_file.load(said["machine"])) == summary(wanted)
    features = wanted.decision.features
    assert said["values"] == [[feature.name, list(feature.values)] for feature in features]


def _facts(machine: Machine) -> dict[str, object]:
    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.provider import Answer
    from nvidia_variant_provider.rules import Decision

    return summary(Answer(Detection(machine, ()), Decision(()), 1))


def _ask(
    state: State, scratch: Path, prefix: list[str], settings: Mapping[str, str]
) -> dict[str, Any]:
    """Run ``ask_here`` with the record's environment; nothing may be left on its stderr."""
    kept = {name: text for name, text in os.environ.items() if not _is_telling(name)}
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "tests.native.ask_here"],
        cwd=REPOSITORY,
        env={
            **kept,
            "HOME": str(scratch),
            "PYTHONPATH": str(REPOSITORY),
            "NV_VARIANT_PROVIDER_TIMEOUT": PATIENCE,
            **state.observed.get("environment", {}),
            **settings,
            TESTIMONY: str(scratch / "testimony"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60 * SLOWNESS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _is_telling(name: str) -> bool:
    return name.startswith(("NV_VARIANT_PROVIDER", "CUDA_", "NVIDIA_", "LD_"))


def _enter(root: Path, place: Path) -> list[str]:
    unshare = shutil.which("unshare") or "unshare"
    return [unshare, "-m", sys.executable, str(NAMESPACE), str(root), str(place)]


@functools.cache
def _why_no_namespace() -> str:
    """Return why this process may not make a private namespace; empty if it may."""
    if os.geteuid() != 0:
        return "a private mount namespace needs root"
    if os.path.exists("/proc/driver/nvidia/version"):
        return "this machine has an NVIDIA driver, whose libraries would show through"
    with tempfile.TemporaryDirectory() as folder:
        root, place = Path(folder, "root"), Path(folder, "place")
        root.mkdir()
        place.mkdir()
        done = subprocess.run(
            [*_enter(root, place), sys.executable, "-c", ""],
            capture_output=True,
            text=True,
            check=False,
        )
    return f"no private mount namespace here: {done.stderr.strip()}" if done.returncode else ""
