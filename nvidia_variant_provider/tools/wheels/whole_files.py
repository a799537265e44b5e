"""Writes files so that nobody ever sees half of one: beside, then renamed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_beside(path: Path, data: bytes) -> None:
    """Write a file under another name in its folder and rename it when it is complete.

    A file that is there is replaced, and its permissions are kept. ``OSError`` names the file
    that was asked for.
    """
    scratch = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}.part")
    try:
        with open(scratch, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(scratch, path.stat().st_mode & 0o777)
        os.replace(scratch, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(scratch).unlink()
        if isinstance(error, OSError):
            words = f"cannot be written: {error.strerror}"
            raise OSError(error.errno, words, str(path)) from error
        raise
