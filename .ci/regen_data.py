"""Write ``docs/data/nvidia-data.json`` from the tables; ``--check`` fails if it has drifted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import generated

from nvidia_variant_provider.tools.conformance.data_model import NvidiaData

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


def main() -> int:
    """Write the document, or compare it."""
    return generated.run(__doc__, lambda: {TARGET: render()})


def _table(rows: list[object]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n ]"


if __name__ == "__main__":
    sys.exit(main())
