"""What stays behind where the plugin has run: nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.native.asking import REPOSITORY
from tests.native.machines import ForgedMachine
from tests.security.test_system_calls import ASK, MACHINES, crashing
from tests.security.traced import run_traced

if TYPE_CHECKING:
    from pathlib import Path

    from tests.native.build import StandIns


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return everything in a folder: kind and rights, time of change, size, content."""
    found: dict[str, tuple[object, ...]] = {}
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            path = os.path.join(parent, name)
            about = os.lstat(path)
            digest = ""
            if name in files and not os.path.islink(path):
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            found[path] = (about.st_mode, about.st_mtime_ns, about.st_size, digest)
    return found


def test_nothing_is_left_behind_in_any_folder(tmp_path: Path, stand_ins: StandIns) -> None:
    machine = ForgedMachine(tmp_path / "root", stand_ins)
    crashing(machine)
    folders = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "work")}
    for folder in folders.values():
        folder.mkdir()
    before, devices = snapshot(tmp_path), set(os.listdir("/dev"))

    done = subprocess.run(
        [sys.executable, "-B", "-c", ASK],
        cwd=folders["work"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "NV_VARIANT_PROVIDER_ROOT": str(machine.root),
            **{name: str(folder) for name, folder in folders.items()},
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == MACHINES["crashing"][1]
    assert snapshot(tmp_path) == before
    assert set(os.listdir("/dev")) == devices


def test_with_a_machine_file_the_machine_is_not_looked_at(
    tmp_path: Path, stand_ins: StandIns
) -> None:
    machine = ForgedMachine(tmp_path / "root", stand_ins)
    crashing(machine)
    file = tmp_path / "file" / "machine.json"
    file.parent.mkdir()
    gpus = [{"compute_capability": "12.0"}]
    file.write_text(json.dumps({"cuda_driver_version": "12.8", "gpus": gpus}), "utf-8")

    traced = run_traced(
        tmp_path,
        ["-c", ASK],
        NV_VARIANT_PROVIDER_ROOT=str(machine.root),
        NV_VARIANT_PROVIDER_MACHINE=str(file),
    )

    assert json.loads(traced.output) == ["12.8", "15.20", "120a_real"]
    assert traced.opened(machine.root) == []
    assert traced.opened(file.parent) == ["/machine.json"]
    assert traced.started == []
