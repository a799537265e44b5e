"""Numbers of GPUs, drivers, toolkits, libraries and status codes stand in the tables alone."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.tables.driver_branches import BRANCHES
from nvidia_variant_provider.tables.products import CAPABILITIES
from tests.contract.test_layers import modules, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Values that are built from a literal: ``CudaVersion(13, 0)``.
VALUES: Final = frozenset({
    "CudaVersion", "CudaVersion.parse", "CudaVersion.from_encoded", "ComputeCapability",
    "ComputeCapability.parse", "ComputeCapability.from_number", "DriverRelease",
    "DriverRelease.parse", "SmArch.parse",
})  # fmt: skip
# A constant with such a word in its name is about the field.
WORDS: Final = re.compile(
    r"CUDA|NVML|DRIVER|BRANCH|CAPABILIT|ARCH(S|$|_)|ISA(S|_|$)|TOOLKIT|HYBRID|PTX|JETPACK|GENERATION"
)
TEXTS: Final = re.compile(
    r"\d{2,3}[af]?_(real|virtual)|sm_\d+[af]?|cu\d{2,3}|cuda-?\d+(\.\d+)?|\d{2}\.\d{1,2}"
    r"|\d{3}\.\d+(\.\d+)?"
)
CAPABILITY_TEXTS: Final = frozenset(str(row.capability) for row in CAPABILITIES)
KNOWN: Final = frozenset(
    {branch for branch, _ in BRANCHES} | {row.capability.number for row in CAPABILITIES}
)

# What may stand elsewhere, and why.
ALLOWED: Final[dict[str, set[str]]] = {
    # The vocabulary of the namespace: how far its values reach, not what exists.
    "rules.catalogue": {"CUDA_MAJORS", "CUDA_MINORS", "OLDEST_CUDA", "NEWEST_CUDA"}
    | {"CAPABILITY_MAJORS", "CAPABILITY_MINORS", "NEWEST_CAPABILITY"},
    # The catalogue of the provider 0.0.x, which this module repeats as it is.
    "rules.version0": {"OLDEST_CAPABILITY", "ComputeCapability(5, 0)"},
    # A version of pip.
    "tools.installers.table": {"'26.3'"},
    # Status codes of NVML and CUDA.
    "detect.diagnosis": {"NVML_NO_PERMISSION", "NVML_OPERATING_SYSTEM", "NVML_MISMATCH"}
    | {"NVML_GPU_NOT_FOUND", "CUDA_NO_DEVICE", "CUDA_NOT_READY", "CUDA_NOT_NOW"},
    # The child process that asks the libraries imports nothing of ours.
    "detect.worker": {"NVML_FUNCTION_NOT_FOUND", "CUDA_NOT_FOUND"}
    | {"CU_CAPABILITY_MAJOR", "CU_CAPABILITY_MINOR"},
}


def literals_of(module: str) -> set[str]:
    """Return the literals of the field in a module, by the name they have or as written."""
    tree = tree_of(module)
    shown = set(_shown(tree))
    nodes = [node for node in ast.walk(tree) if id(node) not in shown]
    named = {_constant(it) for it in nodes if isinstance(it, (ast.Assign, ast.AnnAssign))}
    return named - {""} | {ast.unparse(node) for node in nodes if _is_of_the_field(node)}


def _is_of_the_field(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in VALUES and _is_literal(node)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return len(_known(node)) > 1
    # A number of the program is an int; a text of such a form is a version.
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_text(node.value)


def _is_text(text: str) -> bool:
    return TEXTS.fullmatch(text) is not None or text in CAPABILITY_TEXTS


def _shown(tree: ast.Module) -> Iterator[int]:
    """Yield what is only shown: the examples of a field in a schema."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "examples":
            yield from (id(inner) for inner in ast.walk(node))


def _constant(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    name = target.id if isinstance(target, ast.Name) else ""
    # Limits on input are ours: ``_MAX_MAJOR`` bounds what a driver may say.
    about = name.isupper() and WORDS.search(name) and not name.lstrip("_").startswith("MAX_")
    return name if about and node.value is not None and _has_numbers(node.value) else ""


def _has_numbers(node: ast.AST) -> bool:
    return any(isinstance(it, ast.Constant) and type(it.value) is int for it in ast.walk(node))


def _is_literal(node: ast.Call) -> bool:
    return bool(node.args) and all(isinstance(it, ast.Constant) for it in node.args)


def _known(node: ast.Tuple | ast.List | ast.Set) -> set[int]:
    values = [it.value for it in node.elts if isinstance(it, ast.Constant)]
    return {value for value in values if type(value) is int} & KNOWN


@pytest.mark.parametrize("module", [it for it in modules() if not it.startswith("tables")])
def test_a_number_of_the_field_stands_in_the_tables(module: str) -> None:
    assert literals_of(module) == ALLOWED.get(module, set())


def test_the_exceptions_are_modules() -> None:
    assert ALLOWED.keys() - set(modules()) == set()
