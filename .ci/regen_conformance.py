"""Write the packaged conformance cases from what is authored; ``--check`` fails on drift.

Authored: ``tests/data/conformance/*.json`` and the expectations of ``tests/data/machines/*.json``.
Only property lists and the labels of whole releases are computed here, with this implementation;
docs/conformance.md says what holds those. Every other expectation is copied as a person wrote it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import generated

from nvidia_variant_provider import overrides
from nvidia_variant_provider.rules import RULE_SETS
from nvidia_variant_provider.tools.conformance.serve import reply_to
from nvidia_variant_provider.tools.metadata.document import SCHEMA_850

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
AUTHORED: Final = ROOT / "tests" / "data" / "conformance"
MACHINES: Final = ROOT / "tests" / "data" / "machines"
TARGET: Final = ROOT / "nvidia_variant_provider" / "tools" / "conformance" / "cases"

# The entry that uv recognises and that other clients run.
NVIDIA: Final = {
    "requires": ["nvidia-variant-provider>=0.0.1,<1.0.0"],
    "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
}
# uv has a copy of the old rules and knows these variables only.
UV_KNOWS: Final = {overrides.FORCE_CUDA, overrides.FORCE_SM_ARCH}

Row: TypeAlias = dict[str, Any]

ABOUT: Final = {
    "properties-0": "Rule set 0: what the providers 0.0.x and uv report.",
    "properties-1": "Rule set 1, the default: docs/properties.md, value for value.",
    "errors": "Malformed overrides and machine files: which variable is named.",
    "choices": "Small releases, each with one reason why its label is chosen; written by hand.",
    "targets": "Machines by name (docs/targets.md), each with the facts a person wrote beside it.",
    "releases": "Releases like those of real packages, asked for by many machines.",
    "detection": "Raw observations of recorded machines, and the machine that is to be found.",
}


def groups() -> dict[str, list[Row]]:
    """Return every group with its cases."""
    machines = _authored("machines")
    return {
        "properties-0": [_properties(row, 0) for row in machines],
        "properties-1": [_properties(row, 1) for row in machines],
        "errors": [_error(row) for row in _authored("errors")],
        "choices": [case for row in _authored("choices") for case in _choices(row)],
        "targets": list(_targets(_authored("targets"))),
        "releases": list(_releases(_authored("releases"))),
        "detection": [_detection(path) for path in sorted(MACHINES.glob("*.json"))],
    }


def render(value: object, depth: int = 0) -> str:
    """Return JSON with every list of plain values on one line: a list of 200 is one thought."""
    pad = " " * (depth + 1)
    if isinstance(value, dict) and value:
        inner = [f"{pad}{json.dumps(key)}: {render(it, depth + 1)}" for key, it in value.items()]
        return "{\n" + ",\n".join(inner) + "\n" + " " * depth + "}"
    if isinstance(value, list) and any(isinstance(it, (dict, list)) for it in value):
        inner = [pad + render(it, depth + 1) for it in value]
        return "[\n" + ",\n".join(inner) + "\n" + " " * depth + "]"
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    """Write the files, or compare them."""
    return generated.run(__doc__, render_groups, TARGET.glob("*.json"))


def render_groups() -> dict[Path, str]:
    """Return the text of every file of cases."""
    return {TARGET / f"{group}.json": _document(group, it) for group, it in groups().items()}


def _document(group: str, cases: list[Row]) -> str:
    head = {"schema_version": 1, "group": group, "about": ABOUT[group]}
    return render({**head, "cases": cases}) + "\n"


def _authored(name: str) -> Any:  # noqa: ANN401 - each file has its own form
    return json.loads((AUTHORED / f"{name}.json").read_text("utf-8"))


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _properties(row: Row, rule_set: int) -> Row:
    request = {
        "ask": "properties",
        "machine": _machine(row),
        "environment": {**row.get("environment", {}), overrides.RULES: str(rule_set)},
    }
    by_uv = rule_set == 0 and _uv_can_be_asked(row)
    return {
        "id": f"properties-{rule_set}/{row['id']}",
        "title": row["title"],
        "evidence": "uv" if by_uv else "specification",
        "request": request,
        "expected": {"features": _asked(request)["features"]},
    }


def _targets(authored: Row) -> Iterator[Row]:
    """Yield the cases of named machines; what is expected follows from the facts beside them."""
    for row in authored["machines"]:
        said = row.get("environment", {})
        rules = {name: text for name, text in said.items() if name == overrides.RULES}
        facts = {"ask": "properties", "machine": _machine(row), "environment": rules}
        environment = {overrides.TARGET: row["target"], **said}
        yield {
            "id": f"targets/{row['id']}",
            "title": row["title"],
            "evidence": "hand",
            "request": {"ask": "properties", "machine": None, "environment": environment},
            "expected": {"features": _asked(facts)["features"]},
        }
    for row in authored["errors"]:
        yield {**_error(row), "id": f"targets/error-{row['id']}"}


def _error(row: Row) -> Row:
    request = {
        "ask": "properties",
        "machine": row.get("machine"),
        "environment": row["environment"],
    }
    return {
        "id": f"errors/{row['id']}",
        "title": row["title"],
        "evidence": "hand",
        "request": request,
        "expected": {"error": {"variable": row["variable"]}},
    }


def _choices(row: Row) -> Iterator[Row]:
    labels = {1: row["label"]}
    if "label_of_rule_set_0" in row:
        labels[0] = row["label_of_rule_set_0"]
    for rule_set, label in sorted(labels.items()):
        by_uv = rule_set == 0 and _uv_can_be_asked(row)
        yield {
            "id": f"choices/{row['id']}-{rule_set}",
            "title": row["why"],
            "evidence": "uv" if by_uv else "hand",
            "request": _choice_request(row, row, rule_set),
            "expected": {"label": label},
        }


def _releases(authored: Row) -> Iterator[Row]:
    for name, release in authored["releases"].items():
        for row in authored["machines"]:
            for rule_set in RULE_SETS:
                request = _choice_request(row, release, rule_set)
                yield {
                    "id": f"releases/{name}-{row['id']}-{rule_set}",
                    "title": f"{name} ({release['about']}) on {row['id']}, rule set {rule_set}",
                    "evidence": "variantlib" if rule_set else "uv",
                    "request": request,
                    "expected": {"label": _asked(request)["label"]},
                }


def _detection(path: Path) -> Row:
    record = json.loads(_text(path))
    expected = record["expected"]
    return {
        "id": f"detection/{path.stem}",
        "title": record["about"]["title"],
        "evidence": "record",
        "request": {"ask": "detection", "observed": record["observed"]},
        "expected": {
            "facts": {
                "status": expected["status"],
                "driver_release": expected["driver_release"],
                "cuda_driver_version": expected["cuda_driver_version"],
                "cuda_derived": expected.get("cuda_derived", False),
                "compute_capabilities": expected["compute_capabilities"],
            }
        },
    }


def _choice_request(row: Row, release: Row, rule_set: int) -> Row:
    static = release.get("static", {})
    namespaces = release.get("namespaces", ["nvidia"])
    providers = {
        name: {"static-properties": static[name]} if name in static else NVIDIA
        for name in namespaces
    }
    return {
        "ask": "choice",
        "machine": _machine(row),
        "environment": {**row.get("environment", {}), overrides.RULES: str(rule_set)},
        "metadata": {
            "$schema": SCHEMA_850,
            "default-priorities": {"namespace": namespaces},
            "providers": providers,
            "variants": {label: _stated(it) for label, it in release["variants"].items()},
        },
    }


def _stated(variant: Row) -> Row:
    """Return a variant's properties; those without a namespace are of ``nvidia``."""
    plain = any(isinstance(values, list) for values in variant.values())
    return {"nvidia": variant} if plain else variant


def _machine(row: Row) -> Row | None:
    """Return the machine file of a row; ``None`` where nothing was found."""
    if row["cuda"] is None and not row["gpus"]:
        return None
    gpus = [it if isinstance(it, dict) else {"compute_capability": it} for it in row["gpus"]]
    return {"schema_version": 1, "cuda_driver_version": row["cuda"], "gpus": gpus}


def _uv_can_be_asked(row: Row) -> bool:
    """Tell whether uv's own variables and a stand-in for nvidia-smi can put uv on this machine."""
    said = {name for name, text in row.get("environment", {}).items() if text}
    return said <= UV_KNOWS


def _asked(request: Row) -> Row:
    reply: Row = json.loads(json.dumps(reply_to(json.dumps({"protocol": 1, "id": "", **request}))))
    if not {"features", "label"} & reply.keys():
        sys.exit(f"error: {request}: {reply}")
    return reply


if __name__ == "__main__":
    sys.exit(main())
