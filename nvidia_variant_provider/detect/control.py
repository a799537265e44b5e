"""The control node of the kernel-mode driver: why it does not open, for a person who asks.

``/dev/nvidiactl`` is opened only where the module is loaded, else the kernel might load it, and
only by the worker, since a sick driver may hold on to whoever opens it.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.child import ChildReply
    from nvidia_variant_provider.detect.files import FileView

API: Final = "open"
NODE: Final = "/dev/nvidiactl"
GROUPS: Final = "/etc/group"
_FOR_ALL: Final = 0o006


@dataclass(frozen=True, slots=True)
class ControlNode:
    """What came of opening the control node: the ``errno``, its mode, and its group."""

    code: int
    mode: int
    group: str

    @property
    def error(self) -> str:
        """The name of the error, such as ``EACCES``; empty if the node opened."""
        return errno.errorcode.get(self.code, "")

    @property
    def is_for_all(self) -> bool:
        """Whether the node lets everyone read and write: then something else refuses."""
        return self.mode & _FOR_ALL == _FOR_ALL


def parse_control(reply: ChildReply, files: FileView) -> ControlNode | None:
    """Read ``errno 13`` and ``node 0o660 44``; ``None`` where the child did not say both."""
    rows = dict(line.partition("\t")[::2] for line in reply.text.splitlines())
    try:
        mode, group = rows["node"].split("\t")
        return ControlNode(int(rows["errno"]), int(mode, 8), name_of_group(files, group))
    except (KeyError, ValueError) as error:
        raise_foreign(error)
        return None


def name_of_group(files: FileView, number: str) -> str:
    """Return the name of a group, or its number where the system has no name for answer."""
    try:
        text = files.read_text(GROUPS)
    except OSError as error:
        raise_foreign(error)
        return number
    rows = (line.split(":") for line in text.splitlines())
    return next((row[0] for row in rows if row[2:3] == [number]), number)
