"""What NVML tells of GPUs that answer it and do not compute; asked only for a person.

The fabric of NVLink, confidential computing and the compute mode explain why CUDA does not start.
Asked in a child of its own, after everything that an installer needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.child import ChildReply

API: Final = "health"
# nvml.h: the states of a GPU's registration with the fabric.
FABRIC_NOT_STARTED: Final = 1
FABRIC_IN_PROGRESS: Final = 2
FABRIC_COMPLETED: Final = 3
MODE_PROHIBITED: Final = 2


@dataclass(frozen=True, slots=True)
class Health:
    """What NVML says; ``None`` and empty where it does not know the question.

    ``confidential`` tells that confidential computing is on, ``ready`` that the GPUs take work
    under it; ``fabric`` holds each GPU's state and error, ``modes`` the compute modes, ``remapped``
    whether rows of memory wait for a reset or could not be replaced.
    """

    confidential: bool = False
    ready: bool | None = None
    fabric: tuple[tuple[int, int], ...] = ()
    modes: tuple[int, ...] = ()
    pending_rows: tuple[int, ...] = ()
    failed_rows: tuple[int, ...] = ()

    @property
    def fabric_waits(self) -> bool:
        """Whether a GPU waits for the fabric manager."""
        return any(state in {FABRIC_NOT_STARTED, FABRIC_IN_PROGRESS} for state, _ in self.fabric)

    @property
    def fabric_failed(self) -> bool:
        """Whether the fabric manager is done with a GPU and says that it failed."""
        return any(state == FABRIC_COMPLETED and error for state, error in self.fabric)


def parse_health(reply: ChildReply) -> Health | None:
    """Read lines such as ``cc 0 1``, ``fabric 0 0 2 0``: a word, an index, a code, values.

    ``None`` where the library said nothing of all this.
    """
    words: dict[str, list[tuple[int, ...]]] = {}
    for line in reply.text.splitlines():
        word, *fields = line.split("\t")
        try:
            numbers = tuple(map(int, fields))
        except ValueError as error:
            raise_foreign(error)
            continue
        words.setdefault(word, []).append(numbers)
    if not words.get("init") or words["init"][0] != (0,):
        return None
    rows = [(row[0], *row[2:4]) for row in _sound(words, "rows", 4)]
    return Health(
        confidential=any(row[1:2] == (1,) for row in words.get("cc", ()) if row[:1] == (0,)),
        ready=next((row[1] == 1 for row in words.get("ready", ()) if row[0] == 0), None),
        fabric=tuple((row[2], row[3]) for row in _sound(words, "fabric", 4)),
        modes=tuple(row[2] for row in _sound(words, "mode", 3)),
        pending_rows=tuple(index for index, pending, _ in rows if pending),
        failed_rows=tuple(index for index, _, failed in rows if failed),
    )


def _sound(
    words: dict[str, list[tuple[int, ...]]], word: str, length: int
) -> list[tuple[int, ...]]:
    """Return the rows of a word that a GPU answered: index, code 0, values."""
    return [row for row in words.get(word, ()) if len(row) == length and row[1] == 0]
