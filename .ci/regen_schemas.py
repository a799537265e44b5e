"""Rewrite ``schemas/*.schema.json`` from the models; ``--check`` only says what has drifted."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Final

import generated

from nvidia_variant_provider.tools.documents import SCHEMAS

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
    head["$id"] = f"urn:nvidia-variant-provider:schema:{name}:1"
    return json.dumps(head | schema, indent=2) + "\n"


def main() -> int:
    """Write the files, or compare them."""
    return generated.run(__doc__, render_schemas, FOLDER.glob("*.schema.json"))


def render_schemas() -> dict[Path, str]:
    """Return the text of every schema file."""
    return {FOLDER / f"{name}.schema.json": render_schema(name, at) for name, at in SCHEMAS.items()}


if __name__ == "__main__":
    sys.exit(main())
