from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels.file_range import copy_range
from nvidia_variant_provider.tools.wheels.source import OpenFile

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 100


def test_a_range_is_appended(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(DATA)

    with OpenFile(tmp_path / "old") as old, open(tmp_path / "new", "wb") as new:
        new.write(b"before")
        copy_range(old, new, 100, 20_000)
        new.write(b"after")

    assert (tmp_path / "new").read_bytes() == b"before" + DATA[100:20_100] + b"after"


def test_what_the_kernel_refuses_is_copied_by_hand(tmp_path: Path) -> None:
    """Linux copies ranges between files only; a pipe holds 64 KB."""
    (tmp_path / "old").write_bytes(DATA)
    reader, writer = os.pipe()

    with OpenFile(tmp_path / "old") as old, open(writer, "wb") as new:
        copy_range(old, new, 100, 20_000)
    with open(reader, "rb") as pipe:
        copied = pipe.read()

    assert copied == DATA[100:20_100]


def test_a_file_that_became_shorter_is_told(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(DATA)

    with (
        OpenFile(tmp_path / "old") as old,
        open(tmp_path / "new", "wb") as new,
        pytest.raises(DamagedFileError, match="became shorter"),
    ):
        copy_range(old, new, 0, len(DATA) + 1)
