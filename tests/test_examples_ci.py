"""The CI matrices in examples/ci are valid, and our commands in them are understood."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.main import build_parser
from nvidia_variant_provider.tools.parsed import parse_toml
from tests.docs_console import fences_of
from tests.tools.binaries import downloads

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "examples" / "ci"
SCHEMAS: Final = {"github-actions.yml": "github-workflows", "gitlab-ci.yml": "gitlab-ci"}
_COMMAND: Final = re.compile(r"nvidia-variant-provider (\w[^\n#]*)")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_matrix_fits_the_schema_of_its_service(name: str) -> None:
    command = [str(Path(sys.executable).with_name("check-jsonschema"))]
    command += ["--builtin-schema", f"vendor.{SCHEMAS[name]}", "--data-transform", "gitlab-ci"]
    done = subprocess.run(
        [*command, str(FOLDER / name)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SCHEMAS)
def test_our_commands_in_a_matrix_are_understood(name: str) -> None:
    commands = _COMMAND.findall((FOLDER / name).read_text("utf-8"))

    assert len(commands) >= 2
    for command in commands:
        # A shell's default of a variable that is unset: the option is there, or it is not.
        plain = re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", command)
        assert build_parser().parse_args(shlex.split(plain)).command == plain.split()[0]


def test_every_matrix_is_listed() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")

    assert {path.name for path in FOLDER.glob("*.yml")} == SCHEMAS.keys()
    assert all(f"]({name})" in readme for name in SCHEMAS)


@pytest.mark.wheels
def test_the_table_of_cibuildwheel_fits_the_schema_of_its_release() -> None:
    page = (ROOT / "docs" / "how-to" / "packaging.md").read_text("utf-8")
    (table,) = (block.text for block in fences_of(page) if "[tool.cibuildwheel]" in block.text)
    release = re.search(r"cibuildwheel (\d+\.\d+\.\d+)", page)
    assert release is not None
    wheel = downloads.wheel(f"cibuildwheel=={release[1]}", "linux_x86_64")
    with zipfile.ZipFile(wheel) as archive:
        schema = json.loads(archive.read("cibuildwheel/resources/cibuildwheel.schema.json"))
    settings = parse_toml(table.encode())["tool"]["cibuildwheel"]

    jsonschema.validate(settings, schema)
    assert set(settings["linux"]) <= set(schema["properties"]["linux"]["properties"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(settings | {"no-such-option": "x"}, schema)
