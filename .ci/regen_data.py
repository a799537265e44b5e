"""Write ``docs/data/nvidia-data.json`` from the tables; ``--check`` fails if it has drifted."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from nvidia_variant_provider.records.data import NvidiaData

ROOT: Final = Path(__file__).resolve().parent.parent
PCI: Final = ROOT / ".ci" / "tables" / "nvidia_pci.json"
TARGET: Final = ROOT / "docs" / "data" / "nvidia-data.json"


def render() -> str:
    """Return the document: an entry of a table a line, so that a change shows as one."""
    pci = json.loads(PCI.read_text("utf-8"))
    document = NvidiaData.build(pci["source"], pci["licence"]).model_dump(mode="json")
    parts = []
    for key, value in document.items():
        rows = value if isinstance(value, list) else None
        body = json.dumps(value) if rows is None else _table(rows)
        parts.append(f" {json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(argv: list[str] | None = None) -> int:
    """Write the file, or compare it; return 1 when ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    check = parser.parse_args(argv).check
    text = render()
    if TARGET.exists() and TARGET.read_text("utf-8") == text:
        return 0
    if check:
        sys.stderr.write(f"error: {TARGET.relative_to(ROOT)} differs: run {Path(__file__).name}\n")
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, "utf-8")
    return 0


def _table(rows: list[object]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n ]"


if __name__ == "__main__":
    sys.exit(main())
