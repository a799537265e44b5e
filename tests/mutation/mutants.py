"""Makes the mutants of a module with the operators of cosmic-ray, in memory.

A mutant is named by what a reader sees, so that its name survives every shift of lines: the
module, the function, and the changed line before and after.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cosmic_ray.ast
import cosmic_ray.mutating
import cosmic_ray.plugins

from tests.mutation.accepted import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

# One mutant for each way in which a comparison or an operation is mistaken, not one for each
# operator that Python has: eleven mutants of one "+" say the same eleven times.
_COMPARISONS: Final = {
    "Eq": ("NotEq",),
    "NotEq": ("Eq",),
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
}
_BINARY: Final = {
    "Add": "Sub",
    "Sub": "Add",
    "Mul": "FloorDiv",
    "FloorDiv": "Mul",
    "Div": "Mul",
    "Mod": "Mul",
    "LShift": "RShift",
    "RShift": "LShift",
    "BitAnd": "BitOr",
    "BitOr": "BitAnd",
}
OPERATORS: Final = (
    *(f"ReplaceComparisonOperator_{old}_{new}" for old, it in _COMPARISONS.items() for new in it),
    *(f"ReplaceBinaryOperator_{old}_{new}" for old, new in _BINARY.items()),
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Invert",
    "ReplaceUnaryOperator_Delete_Not",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed module: its name, the line that changed, and its whole source."""

    name: Name
    line: int
    source: str


def mutants_of(module: str, source: str, tables: frozenset[str]) -> tuple[Mutant, ...]:
    """Return the mutants of a module in the order of its lines, those without effect left out.

    ``tables`` names variables of the module that hold sourced data: they are not mutated.
    """
    tree = ast.parse(source)
    silent, places = _without_effect(tree, tables), _functions(tree)
    found: dict[str, Mutant] = {}
    plain = ast.dump(tree)
    for line, column, changed in _changed(source):
        if any(start <= (line, column) < end for start, end in silent):
            continue
        if _meaning(changed) not in {None, plain}:
            within = next((name for first, last, name in places if first <= line <= last), "")
            before, after = _difference(source, changed)
            name = Name(module, within or "<module>", before, after)
            found.setdefault(changed, Mutant(name, line, changed))
    return tuple(sorted(found.values(), key=lambda mutant: mutant.line))


def _meaning(source: str) -> str | None:
    """Return what the source means; ``None`` where an operator took a bare ``*`` for a sum."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return None


def _changed(source: str) -> Iterator[tuple[int, int, str]]:
    """Yield each change that an operator can make: its place and the changed source."""
    for operator_name in OPERATORS:
        operator = cosmic_ray.plugins.get_operator(f"core/{operator_name}")()
        positions = [
            start
            for node in cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(source))
            for start, _ in operator.mutation_positions(node)
        ]
        for occurrence, (line, column) in enumerate(positions):
            changed = cosmic_ray.mutating.mutate_code(source, operator, occurrence)
            if changed is not None:
                yield line, column, changed


_Place = tuple[int, int]


def _without_effect(tree: ast.Module, tables: frozenset[str]) -> list[tuple[_Place, _Place]]:
    """Return the stretches that never run, annotations for example, and the tables."""
    nodes: list[ast.expr | ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") in tables:
            nodes.append(node)
        elif isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation is not None:
            nodes.append(node.annotation)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
            nodes.append(node.returns)
        elif isinstance(node, (ast.If, ast.ClassDef)) and _is_for_type_checkers(node):
            nodes.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in nodes
    ]


def _is_for_type_checkers(node: ast.If | ast.ClassDef) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return "Protocol" in map(ast.unparse, node.bases)


def _functions(tree: ast.Module) -> list[tuple[int, int, str]]:
    """Return the lines and the qualified name of each function and class, the inner ones first."""
    found: list[tuple[int, int, str]] = []

    def collect(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                collect(child, f"{name}.")
                first = min([child.lineno, *(it.lineno for it in child.decorator_list)])
                found.append((first, child.end_lineno or 0, name))

    collect(tree, "")
    return found


def _difference(source: str, changed: str) -> tuple[str, str]:
    before: list[str] = []
    after: list[str] = []
    for line in difflib.ndiff(source.splitlines(), changed.splitlines()):
        if line.startswith("- "):
            before.append(_tidy(line))
        elif line.startswith("+ "):
            after.append(_tidy(line))
    return " ".join(filter(None, before)), " ".join(filter(None, after))


def _tidy(line: str) -> str:
    """Return a line without the mark of its difference and the blanks that operators leave."""
    return re.sub(r"(?<=[(\[]) +", "", line[2:].strip())
