"""What ``cuobjdump`` lists of a file, in terms that can be compared with ours.

New versions refuse the code of old toolkits and stop there; old versions do not know new targets
and drop their suffixes. So versions are asked from the newest on, and the first that reads the
whole file counts.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.report import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.tools.binaries.report import Library

_ENTRY = re.compile(r"^Fatbin (elf|ptx|nvvm) code:\n=+\narch = sm_(\d+)([af]?)\n", re.MULTILINE)
_KINDS = {"elf": Kind.CUBIN, "ptx": Kind.PTX, "nvvm": Kind.LTO}

Images = Counter[tuple[Kind, int, str]]


# Magic, version and size of a header, as every container of every toolkit starts.
_CONTAINER: Final = bytes.fromhex("50ed55ba01001000")


def listed(chain: Iterable[Path], file: Path | str) -> Images | None:
    """Count what the first version says that reads the file; ``None`` when all gave up."""
    return next((found for one in chain if (found := _listed(one, file)) is not None), None)


def _listed(cuobjdump: Path, file: Path | str) -> Images | None:
    """Count what the plain listing of all sections says."""
    command = [str(cuobjdump), "-all", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode:
        return None
    entries = _ENTRY.finditer(result.stdout)
    return Counter((_KINDS[one[1]], int(one[2]), one[3]) for one in entries)


def listed_one_by_one(chain: Callable[[], Iterable[Path]], file: Path | str) -> Images | None:
    """Cut every container out of a file and count what is listed of each of them.

    So nothing depends on the sections that cuobjdump looks at, nor on the format of the file.
    """
    total: Images = Counter()
    with tempfile.TemporaryDirectory() as folder:
        piece = Path(folder) / "one.fatbin"
        for data in containers(Path(file)):
            piece.write_bytes(data)
            found = listed(chain(), piece)
            if found is None:
                return None
            total += found
    return total


def containers(file: Path) -> Iterator[bytes]:
    """Yield the containers of a file, by their first eight bytes and their size alone."""
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as data:
        at = data.find(_CONTAINER)
        while at >= 0:
            end = at + 16 + int.from_bytes(data[at + 8 : at + 16], "little")
            # An empty one has nothing to list, and cuobjdump takes it for no container.
            if end > at + 16:
                yield data[at:end]
            at = data.find(_CONTAINER, end)


def counted(library: Library) -> Images:
    """Count the images of a library that lie in containers."""
    counts: Images = Counter()
    for tally in library.images:
        counts[tally.image.kind, tally.image.number, tally.image.suffix] += tally.count
    return counts
