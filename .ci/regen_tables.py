"""Write ``tables/pci_ids.py`` from ``.ci/tables/nvidia_pci.json``; ``--check`` fails on drift.

``--audit PCI_IDS`` compares the source with a ``pci.ids`` file and lists device ids of known chips
that are missing here, so that a newer snapshot can be worked in.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / ".ci" / "tables" / "nvidia_pci.json"
TARGET = ROOT / "nvidia_variant_provider" / "tables" / "pci_ids.py"

HEADER = '''"""PCI device ids of NVIDIA GPUs, and the compute capability of their chips.

Written by .ci/regen_tables.py from .ci/tables/nvidia_pci.json: edit that, not this.
Source: {source}.
Licence: {licence}.
Capabilities: {capabilities_from}.
"""

from __future__ import annotations

from typing import Final

# chip: (compute capability, integrated, device ids in hexadecimal)
CHIPS: Final[dict[str, tuple[str, bool, str]]] = {{
'''

MIDDLE = """}

# Ranges in which every known id belongs to one chip: (first, last, chip). An id that is not
# listed above but lies in such a range is very likely a new board with that chip.
BLOCKS: Final[tuple[tuple[int, int, str], ...]] = (
"""


def wrap_ids(text: str) -> list[str]:
    """Split a list of ids into string literals that fit the line length."""
    ids = text.split()
    rows = [" ".join(ids[start : start + 16]) for start in range(0, len(ids), 16)]
    last = len(rows) - 1
    return [f'"{row}{"" if index == last else " "}"' for index, row in enumerate(rows)]


def render(source: dict[str, Any]) -> str:
    """Return the module's text."""
    lines = [HEADER.format(**source)]
    for chip, row in source["chips"].items():
        if row["capability"] is None:
            continue
        lines.append(
            f'    "{chip}": (\n        "{row["capability"]}",\n        {row["integrated"]},\n'
        )
        literals = wrap_ids(row["ids"])
        if len(literals) == 1:
            lines.append(f"        {literals[0]},\n")
        else:
            lines.append(
                "        (\n" + "".join(f"            {it}\n" for it in literals) + "        ),\n"
            )
        lines.append("    ),\n")
    lines.append(MIDDLE)
    known = {chip for chip, row in source["chips"].items() if row["capability"] is not None}
    lines.extend(
        f'    (0x{first.upper()}, 0x{last.upper()}, "{chip}"),\n'
        for first, last, chip in source["blocks"]
        if chip in known
    )
    lines.append(")\n")
    return "".join(lines)


def missing(source: dict[str, Any], path: Path) -> list[tuple[str, str]]:
    """Return the ids of a pci.ids file that name a GPU of a known chip and are not in the source.

    The other functions of a board, its audio and USB controllers, are left out.

    Raises ``ValueError`` for a file without NVIDIA.
    """
    vendor = re.search(r"^10de .*\n((?:[\t#].*\n|\n)*)", path.read_text("utf-8"), re.MULTILINE)
    if vendor is None:
        raise ValueError(f"{path}: no vendor 10de in this file")
    listed = {device for row in source["chips"].values() for device in row["ids"].split()}
    return [
        (device, name)
        for device, name in re.findall(r"^\t([0-9a-f]{4})  (.*)$", vendor[1], re.MULTILINE)
        if device not in listed
        and not re.search(r"Audio|USB|UCSI|NVSwitch|Bridge", name)
        and re.sub(r"(GL|GLM|BM|M|B|S)?$", "", name.split()[0]) in source["chips"]
    ]


def audit(source: dict[str, Any], path: Path) -> int:
    """Print the ids that are missing from the source."""
    try:
        found = missing(source, path)
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for device, name in found:
        print(f"{device}  {name}")
    return 1 if found else 0


def main() -> int:
    """Write, check or audit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on drift")
    parser.add_argument("--audit", type=Path, metavar="PCI_IDS", help="a pci.ids file")
    args = parser.parse_args()
    source = json.loads(SOURCE.read_text("utf-8"))
    if args.audit:
        return audit(source, args.audit)
    text = render(source)
    if not args.check:
        TARGET.write_text(text, "utf-8")
        return 0
    if TARGET.read_text("utf-8") == text:
        return 0
    sys.stderr.write(f"error: {TARGET.relative_to(ROOT)} differs: run python .ci/regen_tables.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
