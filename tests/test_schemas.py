"""The schema files are what the models say."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import jsonschema
import pytest

from nvidia_variant_provider.tools.documents import SCHEMAS

ROOT: Final = Path(__file__).parent.parent


def test_no_file_has_drifted_from_its_model() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "regen_schemas.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_valid_and_names_its_version(name: str) -> None:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    module, _, model = SCHEMAS[name].partition(":")

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith(f"urn:nvidia-variant-provider:schema:{name}")
    assert len({"schema_version", "record_version"} & set(schema["required"])) == 1
    assert getattr(importlib.import_module(module), model).__doc__
