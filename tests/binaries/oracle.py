"""What ``cuobjdump`` lists of a file, in terms that can be compared with ours."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

from nvidia_variant_provider.binaries.report import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.binaries.report import Library

_ENTRY = re.compile(r"^Fatbin (elf|ptx|nvvm) code:\n=+\narch = sm_(\d+)([af]?)\n", re.MULTILINE)
_KINDS = {"elf": Kind.CUBIN, "ptx": Kind.PTX, "nvvm": Kind.LTO}

Images = Counter[tuple[Kind, int, str]]


def listed(cuobjdump: Path, file: Path | str) -> Images | None:
    """Count what the plain listing of all sections says; ``None`` when it gave up."""
    command = [str(cuobjdump), "-all", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode:
        return None
    entries = _ENTRY.finditer(result.stdout)
    return Counter((_KINDS[one[1]], int(one[2]), one[3]) for one in entries)


def counted(library: Library) -> Images:
    """Count the images of a library that lie in containers."""
    counts: Images = Counter()
    for tally in library.images:
        counts[tally.image.kind, tally.image.number, tally.image.suffix] += tally.count
    return counts
