"""Wheels for surveys: hundreds of tiny ones, some broken, and one that keeps its reader busy."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Final

from tests.wheel_maker import cuda_wheel

TARGETS: Final = ("80 90a 90p", "75 80", "90a", "")
# Every tenth is no wheel at all; the texts of two of them differ, as damage does.
_EVERY: Final = 10


def write_mirror(folder: Path, count: int) -> Path:
    """Write wheels into folders of fifty; one in ten cannot be read."""
    for index in range(count):
        place = folder / f"p{index // 50}"
        place.mkdir(parents=True, exist_ok=True)
        name = f"demo{index}-1.0-py3-none-any.whl"
        if index % _EVERY == _EVERY - 1:
            (place / name).write_bytes(b"PK\x03\x04 cut short" if index % 20 > 9 else b"<html>")
        else:
            cuda_wheel(place, *TARGETS[index % len(TARGETS)].split(), name=name)
    (folder / "notes.txt").write_text("not a wheel, and not asked for")
    return folder


def write_slow_wheel(path: Path, size: int = 0xF0000000) -> Path:
    """Write a wheel with a stored library of some 4 GB of zeros, which takes no room on disk."""
    head = b"\x7fELF\x02\x01\x01".ljust(64, b"\0")
    name = b"demo/slow.so"
    common = struct.pack("<HHHHIIIHH", 0, 0, 0, 0x21, 0, size, size, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<H", 20) + common + name
    entry = b"PK\x01\x02" + struct.pack("<HH", 20, 20) + common
    entry += struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end_at = len(local) + size
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), end_at, 0)
    with path.open("wb") as file:
        file.write(local + head)
        file.seek(end_at)
        file.write(entry + end)
    return path


def wait_for_reader(path: Path, seconds: float = 60.0, *, but: int = 0) -> int:
    """Return the process that has a file open, once there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in _processes():
            if pid != but and _has_open(pid, path):
                return pid
        time.sleep(0.005)
    raise AssertionError(f"nobody opened {path} within {seconds} seconds")


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _has_open(pid: int, path: Path) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        return any(os.readlink(f"{folder}/{number}") == str(path) for number in os.listdir(folder))
    except OSError:
        return False  # It closed a file meanwhile, or has ended: there is another look.


def has_ended(pid: int, seconds: float = 15.0) -> bool:
    """Tell whether a process ends soon; not every first process reaps what is left to it."""
    deadline = time.monotonic() + seconds
    while (running := _is_running(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not running


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def parent_of(pid: int) -> int:
    """Return the parent of a process, 0 if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def children_of(pid: int) -> set[int]:
    """Return the processes that a process started."""
    return {one for one in _processes() if parent_of(one) == pid}
