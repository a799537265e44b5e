"""Rewrite ``docs/schemas.md`` and ``docs/schemas/`` from ``schemas/`` and the commands' output.

``--check`` fails if a page has drifted. Every example is real output, held to its schema here
before long lists in it are cut.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import generated  # noqa: E402
import jsonschema  # noqa: E402

from examples.torch.clients import clean_environment  # noqa: E402
from nvidia_variant_provider.tools.cli.main import main  # noqa: E402
from nvidia_variant_provider.tools.demo.releases import write_releases  # noqa: E402
from tests.wheel_maker import files_of_wheel, pack  # noqa: E402 - wheels with our own kernels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TARGET: Final = ROOT / "docs" / "schemas.md"
PAGES: Final = ROOT / "docs" / "schemas"
SCHEMAS: Final = ROOT / "schemas"
KEPT: Final = 3
HEAD: Final = """\
# JSON schemas

Every document that a program can read has a schema (JSON Schema, draft 2020-12) and a number,
`schema_version`. A schema is exact for what its release prints. `schema_version` changes when a
key is removed or changes its meaning. New keys may appear without a new version, so a reader has to
ignore keys that it does not know. The program never validates its own output; the tests do.

Each schema has a page with its keys and an example. In the examples long lists are cut:
`"... 107 more"` stands for what is left out.

"""
FOOT: Final = "\nThese pages are generated from the schemas by `.ci/regen_schemas_page.py`.\n"

# How each example is made: arguments of a command, or a file of the repository.
WHEEL: Final = "demo-1.0-py3-none-any.whl"
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "codes": ("code", "NV214", "--json"),
    "conformance-report": (
        *("conformance", "--group", "targets", "--json"),
        *("--command", f"{sys.executable} -m nvidia_variant_provider conformance --serve"),
    ),
    "conversion": ("convert", "--to", "850", "--json", "old-1.0-variants.json"),
    "coverage": (
        *("coverage", "wheels", "--package", "torch==2.10.0", "--json"),
        *("--target", "b200@570", "--target", "gtx-1080-ti@580"),
    ),
    "detection": ("detect", "--replay", "pascal-new-driver.580.json", "--json"),
    "explanation": (
        *("explain", "wheels", "--package", "torch==2.14.1", "--json"),
        *("--target", "gh200@580"),
    ),
    "index": ("index", "dist", "--json"),
    "inventory": ("inventory", "nodes.json", "--gpu", "a100", "--json"),
    "inspection": ("inspect", WHEEL, "--json"),
    "lint": ("lint", "dist", "--select", "NV409", "--json"),
    "properties": ("properties", "--target", "gh200@580", "--format", "json"),
    "tagging": ("tag", WHEEL, "-o", "dist", "--json"),
    "targets": ("targets", "gb300", "--json"),
    "torch-backend": ("torch-backend", "--torch", "2.14", "--target", "b200@570", "--json"),
    "survey-line": ("survey", "inspect", WHEEL, "--jobs", "1", "-o", "results.jsonl"),
    "survey-summary": ("survey", "summary", "results.jsonl", "--json"),
    "untagging": ("untag", "dist/demo-1.0-py3-none-any-cuda13.5.whl", "-o", "plain", "--json"),
    "verification": ("verify", "dist/demo-1.0-py3-none-any-cuda13.5.whl", "--json"),
}
FILES: Final[Mapping[str, str]] = {
    "conformance-cases": "nvidia_variant_provider/tools/conformance/cases/choices.json",
    "nvidia-data": "docs/data/nvidia-data.json",
    "record": "tests/data/machines/pascal-new-driver.580.json",
}
# An earlier command that a later one needs the files of.
ORDER: Final = ("tagging", "index", "lint", "verification", "survey-line")
OLD_DRAFT: Final = {
    "$schema": "https://variants-schema.wheelnext.dev/v0.0.2.json",
    "default-priorities": {"namespace": ["nvidia"]},
    "providers": {
        "nvidia": {
            "requires": ["nvidia-variant-provider>=0.0.2,<1.0.0"],
            "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
            "plugin-use": "all",
        }
    },
    "variants": {"null": {}, "cu128": {"nvidia": {"sm_arch": ["90_real"]}}},
}


def render() -> dict[Path, str]:
    """Return the pages: an overview, and one for each schema."""
    documents = examples()
    names = sorted(path.name.partition(".")[0] for path in SCHEMAS.glob("*.schema.json"))
    lines = [HEAD, "| schema | `$id` | |\n| --- | --- | --- |\n"]
    schemas = {name: json.loads((SCHEMAS / f"{name}.schema.json").read_text()) for name in names}
    for name, schema in schemas.items():
        lines.append(
            f"| [{name}](schemas/{name}.schema.md) | `{schema['$id']}` | {_said(schema)} |\n"
        )
    pages = {TARGET: "".join([*lines, FOOT])}
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator(schema).validate(documents[name])
        pages[PAGES / f"{name}.schema.md"] = "".join(_page(name, schema, documents[name]))
    return pages


def examples() -> dict[str, Any]:
    """Return a document for each schema, in full."""
    found: dict[str, Any] = {}
    here, environment = Path.cwd(), dict(os.environ)
    with tempfile.TemporaryDirectory() as scratch:
        _prepare(Path(scratch))
        os.chdir(scratch)
        os.environ.clear()
        os.environ.update(clean_environment(), PYTHONPATH=str(ROOT), PIP_CONFIG_FILE=os.devnull)
        try:
            for name in (*ORDER, *(it for it in COMMANDS if it not in ORDER)):
                printed = _printed(COMMANDS[name])
                # A survey writes its lines into a file and prints how far it is.
                lines = Path("results.jsonl").read_text("utf-8") if name == "survey-line" else ""
                found[name] = json.loads((lines or printed).replace(os.getcwd(), "/mirror"))
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(environment)
    for name, path in FILES.items():
        found[name] = json.loads((ROOT / path).read_text("utf-8"))
    # What `detect` prints is a machine file with more beside: the command reads it back.
    machine = json.loads((SCHEMAS / "machine.schema.json").read_text("utf-8"))["properties"]
    found["machine"] = {key: it for key, it in found["detection"].items() if key in machine}
    return found


def _prepare(folder: Path) -> None:
    """Write what the commands are given: releases without code, and a wheel with our kernels."""
    (folder / "wheels").mkdir()
    (folder / "dist").mkdir()
    write_releases(folder / "wheels")
    library = (ROOT / "tests" / "data" / "binaries" / "libaxpy.so").read_bytes()
    wheel = pack(files_of_wheel({"demo/libaxpy.so": library}))
    (folder / WHEEL).write_bytes(wheel)
    os.utime(folder / WHEEL, (0, 0))
    (folder / "plain").mkdir()
    (folder / "old-1.0-variants.json").write_text(json.dumps(OLD_DRAFT))
    shutil.copy(ROOT / FILES["record"], folder)
    nodes = ROOT / "tests" / "data" / "inventory" / "s28-gres-untyped-sockets.json"
    shutil.copy(nodes, folder / "nodes.json")


def _printed(arguments: tuple[str, ...]) -> str:
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        code = main(arguments)
    if not out.getvalue() and code:
        raise SystemExit(f"{' '.join(arguments)}: exit code {code}: {said.getvalue()}")
    return out.getvalue()


def _page(name: str, schema: dict[str, Any], document: object) -> Iterator[str]:
    yield f"# {name}\n\n{_said(schema)}\n\n"
    version = schema["properties"]["schema_version"].get("const")
    yield f"[{name}.schema.json](../../schemas/{name}.schema.json), `schema_version` {version}. "
    yield f"{_origin(name)} [All schemas](../schemas.md) says what changes a version.\n\n"
    yield from _fields(schema)
    for part, inner in schema.get("$defs", {}).items():
        yield f"## {part}\n\n"
        if inner.get("description"):
            yield f"{_text(inner['description'])}\n\n"
        yield from _fields(inner)
    text = json.dumps(cut(document), indent=2, ensure_ascii=False)
    yield f"## An example\n\n```json\n{text}\n```\n"


def _origin(name: str) -> str:
    if name == "machine":
        return "The example is the beginning of what `detect --json` prints."
    if name not in COMMANDS:
        return f"The example is `{FILES[name]}`."
    words = " ".join(COMMANDS[name]).partition(" --command")[0]
    return f"The example is what `nvidia-variant-provider {words}` prints."


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    if "properties" not in schema:
        yield f"{_type(schema).capitalize()}.\n\n"
        return
    required = set(schema.get("required", ()))
    yield "| key | type | |\n| --- | --- | --- |\n"
    for key, field in schema["properties"].items():
        remarks = [_text(field.get("description", ""))]
        if field.get("examples"):
            remarks.append("for example " + ", ".join(_code(it) for it in field["examples"]))
        if key not in required:
            remarks.append("may be left out")
        yield f"| `{key}` | {_type(field)} | {'; '.join(filter(None, remarks))} |\n"
    yield "\n"


def _type(field: dict[str, Any]) -> str:
    """Return the type of a field in words, with links to the parts of the schema."""
    if "$ref" in field:
        part = field["$ref"].rpartition("/")[2]
        return f"[{part}](#{part.lower()})"
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        return ", ".join(_code(it) for it in field["enum"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            return " or ".join(dict.fromkeys(_type(it) for it in field[union]))
    return _container(field)


def _container(field: dict[str, Any]) -> str:
    kind = field.get("type", "anything")
    if kind == "array":
        items = field.get("items") or {"anyOf": field.get("prefixItems") or [{}]}
        return f"list of {_type(items)}"
    values = field.get("additionalProperties")
    if kind == "object" and isinstance(values, dict):
        return f"object of {_type(values)}"
    return str(kind)


def _said(schema: dict[str, Any]) -> str:
    return _text(schema.get("description", ""))


def _text(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|").replace("<", "&lt;")


def _code(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`".replace("|", "\\|")


def cut(value: object) -> object:
    """Return the value with at most three entries of every long list, and of every long mapping."""
    if isinstance(value, list):
        kept = 1 if value and isinstance(value[0], dict) and len(value) > KEPT else KEPT
        if len(value) <= kept + 1:
            return [cut(it) for it in value]
        return [*(cut(it) for it in value[:kept]), f"... {len(value) - kept} more"]
    if isinstance(value, dict):
        entries = list(value.items())
        long = len(entries) > 8 * KEPT
        shown = {key: cut(it) for key, it in entries[: KEPT if long else None]}
        return shown | ({"...": f"{len(entries) - KEPT} more"} if long else {})
    return value


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, render, PAGES.glob("*.md")))
