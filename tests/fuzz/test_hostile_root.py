"""Detection on folders in which every file can be anything: noise, a folder, a FIFO, a loop."""

# ruff: noqa: PT017 - whether there is an error is not known beforehand
from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.errors import OverrideError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH, GPU, MACHINE, ROOT, RULES
from nvidia_variant_provider.overrides import TIMEOUT as TIMEOUT_VARIABLE
from nvidia_variant_provider.provider import answer
from tests.fuzz.targets import assert_sound
from tests.native.build import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PCI: Final = "sys/bus/pci/devices/0000:01:00.0"
# What detection looks at, and what should be there.
FILES: Final = {
    "sys/module/nvidia/version": b"580.65.06\n",
    "proc/driver/nvidia/version": b"NVRM version: NVIDIA UNIX Kernel Module  580.65.06  x\n",
    f"{PCI}/vendor": b"0x10de\n",
    f"{PCI}/class": b"0x030200\n",
    f"{PCI}/device": b"0x2330\n",
    f"{PCI}/driver": b"",
    f"{PCI}/power/runtime_status": b"active\n",
    "dev/nvidia0": b"",
    "dev/nvidiactl": b"",
    "dev/dxg": b"",
    "dev/nvmap": b"",
    "etc/nv_tegra_release": b"# R36 (release), REVISION: 4.3\n",
    "proc/device-tree/compatible": b"nvidia,p3737\0nvidia,tegra234\0",
    "proc/device-tree/model": b"NVIDIA Jetson AGX Orin\0",
    f"{FOLDER}/libnvidia-ml.so.1": b"\x7fELF\2\1\1" + bytes(57),
    f"{FOLDER}/libcuda.so.1": b"",
    "usr/bin/nvidia-smi": b"#!/no/such/interpreter\n",
}
FAULTS: Final = (
    "absent",
    "good",
    "good",
    "noise",
    "folder",
    "fifo",
    "loop",
    "dangling",
    "huge",
    "out",
)

plans = st.fixed_dictionaries(
    {path: st.tuples(st.sampled_from(FAULTS), st.binary(max_size=80)) for path in FILES}
)


def place(root: Path, path: str, fault: str, noise: bytes) -> None:
    target = root / path
    if fault == "absent" or not prepare(target.parent):
        return
    if fault == "folder":
        target.mkdir(exist_ok=True)
    elif fault == "fifo":
        os.mkfifo(target)
    elif fault == "loop":
        target.symlink_to(target.name)
    elif fault == "dangling":
        target.symlink_to("/no/such/place")
    elif fault == "out":
        target.symlink_to("/../../../etc/passwd")
    else:
        target.write_bytes(FILES[path] if fault == "good" else noise)
        if fault == "huge":
            os.truncate(target, 1 << 36)


def prepare(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True


@settings(max_examples=120, deadline=None)
@given(plan=plans)
@example(plan=dict.fromkeys(FILES, ("good", b"")))
@example(plan=dict.fromkeys(FILES, ("folder", b"")))
@example(plan=dict.fromkeys(FILES, ("fifo", b"")))
@example(plan=dict.fromkeys(FILES, ("loop", b"")))
@example(plan=dict.fromkeys(FILES, ("huge", b"\0\xff" * 40)))
@example(plan=dict.fromkeys(FILES, ("out", b"")))
def test_whatever_lies_there_detection_answers(plan: Mapping[str, tuple[str, bytes]]) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        for path, (fault, noise) in plan.items():
            place(root, path, fault, noise)
        found = answer({ROOT: str(root), TIMEOUT_VARIABLE: "5"}).detection
    finally:
        shutil.rmtree(root)

    assert "internal" not in {step.probe for step in found.trail}
    assert_sound(found.machine)


@pytest.fixture
def forbidden_root() -> Iterator[Path]:
    """Give up being root over a machine whose every file is closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        for path in FILES:
            place(root, path, "good", b"")
            (root / path).chmod(0)
        root.chmod(0o755)
        Path(folder).chmod(0o755)
        os.seteuid(65534)
        try:
            yield root
        finally:
            os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_files_that_may_not_be_read_are_reasons(forbidden_root: Path) -> None:
    found = answer({ROOT: str(forbidden_root), TIMEOUT_VARIABLE: "5"}).detection

    kernel = next(step for step in found.trail if step.probe == "kernel")
    assert "denied" in kernel.detail
    assert "internal" not in {step.probe for step in found.trail}
    assert found.machine.status is not Status.OK


@pytest.mark.parametrize(
    "name", [FORCE_CUDA, FORCE_SM_ARCH, MACHINE, RULES, GPU, TIMEOUT_VARIABLE, ROOT]
)
@pytest.mark.parametrize(
    "text",
    ["9" * 100_000, "GPU-" + "f" * 100_000, " ", "\udcff\udcfe", "/\n", "٣.٣", "-1", "nan", "1e5"],
    ids=["digits", "UUID", "blank", "not UTF-8", "line", "other digits", "negative", "nan", "1e5"],
)
def test_no_text_of_a_variable_does_worse_than_a_clear_error(name: str, text: str) -> None:
    try:
        found = answer({ROOT: "/no/such/root", name: text}).detection
    except OverrideError as error:
        assert error.variable == name
        assert str(error).startswith(f"{name}=")
        assert len(str(error)) < 300
        return
    assert name in {ROOT, GPU, MACHINE}
    assert found.machine.status is Status.NONE


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b"\xff\xfe\0", b"nul", b"9" * 10_000, b'{"gpus": 1}', b"[]",
     b'{"gpus": [' + b"{}," * 300 + b"{}]}", b'{"cuda_driver_version": 13.0}',
     b'{"cuda_driver_version": "580.65.06"}', b" " * 2_000_000],
    ids=range(12),
)  # fmt: skip
def test_a_bad_machine_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "machine.json"
    path.write_bytes(content)

    with pytest.raises(OverrideError, match="machine"):
        answer({MACHINE: str(path)})


@pytest.mark.parametrize("kind", ["absent", "folder", "fifo", "loop"])
def test_a_machine_file_that_is_none_is_a_clear_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "machine.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path.name)

    with pytest.raises(OverrideError, match="expected a readable file"):
        answer({MACHINE: str(path)})
