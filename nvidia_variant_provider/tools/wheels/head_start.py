"""Copying begun before it is known what will change: most of a wheel stays as it is.

The start of a program and its modules takes as long as copying some hundred megabytes inside the
kernel, so both go on at once. Whoever writes the wheel keeps the bytes that are right.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Self

# As much as a copy that is not wanted any more goes on for.
_STEP: Final = 32 << 20


class HeadStart:
    """A hidden copy of a file in a folder, made in a thread; gone at the end unless it was taken.

    Where the system cannot copy inside the kernel, and where anything fails, there is no copy or
    a short one: the writer of the wheel meets the same fault and tells it.
    """

    def __init__(self, source: str, folder: str) -> None:
        name = os.path.basename(source)
        self.path = os.path.join(folder, f".{name[:200]}.{os.urandom(4).hex()}.part")
        self._source = source
        self._wanted = True
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wanted = False
        self._thread.join()
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def wait(self) -> bool:
        """Wait until the copy is made; tell whether there is one."""
        self._thread.join()
        return os.path.isfile(self.path)

    def _copy(self) -> None:
        if not hasattr(os, "copy_file_range"):
            return
        with (
            contextlib.suppress(OSError),
            open(self._source, "rb", buffering=0) as old,
            open(self.path, "xb", buffering=0) as new,
        ):
            at = 0
            while self._wanted:
                count = os.copy_file_range(old.fileno(), new.fileno(), _STEP, at)
                if not count:
                    return
                at += count
