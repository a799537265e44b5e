"""A variable is named after what it holds: pronouns and participles name nothing."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = Path(__file__).resolve().parents[2] / "nvidia_variant_provider"

# Words that say nothing of the value; fields of a class are not meant, as JSON shows them.
BANNED: Final = frozenset({"it", "one", "ones", "that", "this", "thing", "stuff"}) | {
    "found",
    "said",
    "facts",
}

# Where such a word is the true name, and of what.
ALLOWED: Final = {
    # A truth: whether a probe found something, as ``Step`` and the JSON of ``detect`` have it.
    ("detect/cascade.py", "step", "found"),
    ("detect/person.py", "step", "found"),
    # What a note knows by name, as ``Note`` has it.
    ("detect/causes.py", "cause", "facts"),
    ("detect/remedies.py", "_filled", "facts"),
    # Ansible's own word for what it gathers on a host.
    ("tools/inventory/machine_files.py", "ansible", "facts"),
    ("tools/inventory/texts.py", "_json_machine", "facts"),
}


def bound(node: ast.AST) -> str:
    """Return the name that a node binds, of a variable, an argument or an import; else ""."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else ""
    if isinstance(node, ast.ExceptHandler):
        return node.name or ""
    if isinstance(node, ast.alias):
        return node.asname or ""
    return node.arg if isinstance(node, ast.arg) else ""


def bindings(node: ast.AST, within: str = "") -> Iterator[tuple[str, str, int]]:
    """Yield what is bound below a node: the function around it, the name, and the line."""
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.ClassDef) and isinstance(child, ast.AnnAssign):
            continue
        if name := bound(child):
            yield within, name, getattr(child, "lineno", 0)
        yield from bindings(child, child.name if isinstance(child, ast.FunctionDef) else within)


def test_a_variable_is_named_after_what_it_holds() -> None:
    seen = {
        (module, function, name): line
        for path in sorted(PACKAGE.rglob("*.py"))
        for module in [path.relative_to(PACKAGE).as_posix()]
        for function, name, line in bindings(ast.parse(path.read_text("utf-8")))
        if name in BANNED
    }
    nameless = [
        f"{module}:{line}: {name!r} in {function}() says nothing: call it what it is, such as wheel"
        for (module, function, name), line in seen.items()
        if (module, function, name) not in ALLOWED
    ]

    assert nameless == []
    assert set(seen) == ALLOWED, "an exception that no module needs any more"


def test_every_way_to_bind_a_name_is_seen() -> None:
    tree = ast.parse(
        "def f(it, *one, thing=0, **facts):\n"
        "    for a, found in x: pass\n"
        "    with y as that: pass\n"
        "    said = [this for this in (ones := z)]\n"
        "    try: pass\n"
        "    except E as stuff: pass\n"
        "class C:\n"
        "    found: bool\n"
    )

    assert {name for _, name, _ in bindings(tree)} == BANNED | {"a"}
