"""Rewrite ``schemas/*.schema.json`` from the models; ``--check`` only says what has drifted."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Final

from nvidia_variant_provider.records import SCHEMAS

FOLDER: Final = Path(__file__).parent.parent / "schemas"


def render_schema(name: str, where: str) -> str:
    """Return the text of one schema file; ``where`` is ``"module:Model"``."""
    module, _, model = where.partition(":")
    schema = getattr(importlib.import_module(module), model).model_json_schema(mode="serialization")
    # A version with a default is written all the same: readers may rely on it.
    version = [
        name for name in ("schema_version", "record_version") if name in schema["properties"]
    ]
    schema["required"] = list(dict.fromkeys([*version, *schema.get("required", [])]))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    head["$id"] = f"urn:nvidia-variant-provider:schema:{name}"
    # A model that names its own ``$id`` (with its version, say) wins.
    return json.dumps(head | schema, indent=2) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Write the files, or compare them; return 1 when ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    check = parser.parse_args(argv).check
    wanted = {
        FOLDER / f"{name}.schema.json": render_schema(name, at) for name, at in SCHEMAS.items()
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    stale += sorted(set(FOLDER.glob("*.schema.json")) - set(wanted))
    for path in stale:
        print(f"{'differs' if check else 'written'}: {path.name}", file=sys.stderr)
        if not check and path in wanted:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(wanted[path])
        elif not check:
            path.unlink()
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
