"""Who may import whom, and where the doors to the world are, read from the syntax trees."""

from __future__ import annotations

import ast
import graphlib
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGE: Final = Path(__file__).resolve().parents[2] / "nvidia_variant_provider"
NAME: Final = PACKAGE.name

# What each layer may use of ours, most specific prefix first; a module may use its own layer.
LAYERS: Final = {
    "value_types": set[str](),
    "errors": set[str](),
    "model": {"errors", "value_types"},
    "tables": {"model", "value_types"},
    "rules": {"errors", "model", "tables", "value_types"},
    "detect.worker": set[str](),
    "detect.files": set[str](),
    "detect.gate": {"detect.files"},
    "json_fields": {"errors"},
    "detect": {"errors", "json_fields", "model", "tables", "value_types"},
    "machine_file": {"errors", "json_fields", "model"},
    "targets": {"errors", "model", "tables", "value_types", "rules"},
    "overrides": {"errors", "model", "rules", "value_types"},
    "provider": {
        "errors",
        "model",
        "overrides",
        "rules",
        "detect",
        "machine_file",
        "value_types",
        "targets",
    },
    "plugin": {"errors", "rules", "provider", "detect.files", "detect.gate"},
}
# The same for the tools, from the ground up: the first name below ``tools``, or of the door.
# Whoever adds a package adds its row.
TOOLS: Final = {
    "binaries": {
        "documents",
        "errors",
        "files",
        "findings",
        "model",
        "rules",
        "tables",
        "wheels",
    },
    "conda": {"tables", "value_types"},
    "conformance": {
        "detect",
        "documents",
        "errors",
        "json_fields",
        "machine_file",
        "machines",
        "metadata",
        "model",
        "overrides",
        "provider",
        "rules",
        "tables",
        "targets",
        "torch",
    },
    "convert": {"documents", "errors", "files", "metadata", "releases", "wheels"},
    "coverage": {
        "documents",
        "errors",
        "explain",
        "files",
        "findings",
        "installers",
        "inventory",
        "metadata",
        "model",
        "releases",
        "rules",
        "tables",
        "targets",
        "wheels",
    },
    "demo": {"errors", "files", "index", "metadata", "releases", "tables", "torch", "wheels"},
    "documents": set[str](),
    "explain": {
        "binaries",
        "documents",
        "errors",
        "files",
        "findings",
        "installers",
        "machines",
        "metadata",
        "model",
        "releases",
        "rules",
        "tables",
        "torch",
        "value_types",
        "wheels",
    },
    "files": {"errors"},
    "findings": {"documents", "errors", "parsed", "tables", "value_types"},
    "index": {"documents", "errors", "files", "metadata", "releases", "wheels"},
    "installers": {"errors", "model", "overrides", "parsed", "rules", "tables", "value_types"},
    "inventory": {
        "detect",
        "documents",
        "errors",
        "files",
        "installers",
        "machine_file",
        "model",
        "parsed",
        "tables",
        "targets",
    },
    "lint": {
        "binaries",
        "documents",
        "errors",
        "files",
        "findings",
        "installers",
        "metadata",
        "model",
        "parsed",
        "releases",
        "rules",
        "tables",
        "targets",
        "value_types",
        "wheels",
    },
    "machines": {
        "detect",
        "documents",
        "errors",
        "files",
        "json_fields",
        "machine_file",
        "model",
        "overrides",
        "rules",
        "targets",
    },
    "metadata": {"errors", "parsed", "value_types"},
    "parsed": set[str](),
    "releases": {
        "errors",
        "files",
        "installers",
        "metadata",
        "parsed",
        "value_types",
        "wheels",
    },
    "serve": {"errors", "releases", "views"},
    "survey": {
        "binaries",
        "documents",
        "errors",
        "files",
        "findings",
        "verify",
        "wheels",
    },
    "tagging": {
        "binaries",
        "documents",
        "errors",
        "metadata",
        "model",
        "rules",
        "tables",
        "wheels",
    },
    "torch": {"documents", "errors", "machines", "model", "rules", "tables"},
    "views": {
        "errors",
        "explain",
        "files",
        "installers",
        "metadata",
        "model",
        "releases",
        "tables",
        "targets",
        "torch",
        "value_types",
        "wheels",
    },
    "verify": {
        "binaries",
        "documents",
        "errors",
        "findings",
        "metadata",
        "model",
        "rules",
        "tagging",
        "wheels",
    },
    "wheels": {"errors", "files", "value_types"},
}
# What the tools use beyond the standard library, and where. ``binaries.zstd`` takes the backport of
# zstd by name, where Python has none of its own.
PACKAGES: Final = {
    "certifi": {"releases"},
    "distributed": {"cli", "coverage", "survey"},
    "packaging": {
        "convert",
        "explain",
        "installers",
        "lint",
        "metadata",
        "releases",
        "serve",
        "tagging",
        "verify",
        "views",
        "wheels",
    },
    "pydantic": {
        "binaries",
        "conformance",
        "convert",
        "coverage",
        "documents",
        "explain",
        "findings",
        "index",
        "inventory",
        "lint",
        "machines",
        "survey",
        "tagging",
        "torch",
        "verify",
    },
    "rich": {"cli"},
    "shtab": {"cli"},
    "starlette": {"serve"},
    "tomli": {"parsed"},
    "tomlkit": {"convert", "views"},
    "uvicorn": {"cli"},
    "yaml": {"inventory"},
    "zlib_ng": {"wheels"},
}
# Modules that read, write, run, connect or ask the surroundings.
OUTSIDE_WORLD: Final = frozenset({
    "ctypes", "glob", "http", "importlib", "io", "json", "logging", "mmap", "os", "pathlib",
    "platform", "random", "select", "shutil", "signal", "socket", "ssl", "subprocess", "sys",
    "tempfile", "threading", "time", "urllib",
})  # fmt: skip


def path_of(module: str) -> Path:
    """Return the file of a module or package."""
    path = PACKAGE.joinpath(*module.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


def modules() -> list[str]:
    return sorted(
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
    )


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text("utf-8"))


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without the parts that only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if is_for_type_checkers(child):
            continue
        yield child
        yield from runtime_nodes(child)


def is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@cache
def imports(module: str) -> set[str]:
    """Return the full names a module imports when it runs, inside functions too."""
    return names_of(module, runtime_nodes(tree_of(module)))


def names_of(module: str, nodes: Iterable[ast.AST]) -> set[str]:
    """Return the full names that the import statements among some nodes name."""
    found = set[str]()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            # "from package import module" names the module, not what the package hands on.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & known_names()
            if names - known_names():
                found.add(node.module or "")
    known = known_names()
    return {it for it in found if not it.startswith(NAME) or it in known}


@cache
def known_names() -> frozenset[str]:
    return frozenset({f"{NAME}.{it}" for it in modules()} | {NAME})


def ours(module: str) -> set[str]:
    return {it.removeprefix(f"{NAME}.") for it in imports(module) if it.startswith(f"{NAME}.")}


def others(module: str) -> set[str]:
    names = {it.partition(".")[0] for it in imports(module)} - {NAME}
    # In its child, the worker finds the file beside it by that file's name alone.
    return names - {"worker_health"} if module == "detect.worker" else names


def layer_of(module: str) -> str | None:
    return next((it for it in sorted(LAYERS, key=len, reverse=True) if is_below(module, it)), None)


def is_below(module: str, layer: str) -> bool:
    return module == layer or module.startswith(f"{layer}.")


HOT_MODULES: Final = [module for module in modules() if layer_of(module)]
TOOL_MODULES: Final = [
    it for it in modules() if is_below(it, "tools") and not is_below(it, "tools.cli")
]


def part_of(module: str) -> str:
    """Return the tool that a module belongs to, or its first name at the door."""
    names = module.removeprefix("tools.").split(".")
    return names[0]


def test_the_layers_name_modules_that_exist() -> None:
    assert [it for it in LAYERS if it not in modules()] == []
    assert len(HOT_MODULES) > 20


@pytest.mark.parametrize("module", HOT_MODULES)
def test_a_module_imports_only_layers_below_its_own(module: str) -> None:
    layer = layer_of(module)
    assert layer is not None
    allowed = LAYERS[layer] | {layer}

    beyond = [it for it in ours(module) if not any(is_below(it, other) for other in allowed)]
    # A package is imported by importing what is in it.
    assert [it for it in beyond if not any(is_below(other, it) for other in allowed)] == []


@pytest.mark.parametrize("module", HOT_MODULES)
def test_what_installers_load_needs_the_standard_library_only(module: str) -> None:
    assert others(module) - sys.stdlib_module_names - {"winreg"} == set()


@pytest.mark.parametrize(
    "module",
    [it for it in HOT_MODULES if it.partition(".")[0] in {"errors", "model", "tables", "rules"}],
)
def test_values_and_rules_do_not_touch_the_world(module: str) -> None:
    assert others(module) & OUTSIDE_WORLD == set()


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("ctypes", {"detect.worker", "detect.worker_health"}),
        ("subprocess", {"detect.popen"}),
        ("threading", {"detect.popen"}),
        ("winreg", {"detect.gate"}),
        ("socket", set()),
        ("urllib", set()),
        ("importlib", set()),
        ("logging", set()),
        ("tempfile", set()),
        ("pathlib", set()),
    ],
)
def test_a_door_to_the_world_stands_in_one_place(name: str, where: set[str]) -> None:
    assert {it for it in HOT_MODULES if name in others(it)} == where


OPENING: Final = {"open", "os.open", "io.open", "os.fdopen"}


def test_files_are_opened_in_two_modules_only() -> None:
    def opens(module: str) -> bool:
        return any(
            isinstance(node, ast.Call)
            and {ast.unparse(it) for it in (node.func, *node.args)} & OPENING
            for node in runtime_nodes(tree_of(module))
        )

    assert {it for it in HOT_MODULES if opens(it)} == {"detect.files", "detect.worker"}


def test_nothing_is_evaluated() -> None:
    forbidden = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
    calls = {
        (module, ast.unparse(node.func))
        for module in HOT_MODULES
        for node in runtime_nodes(tree_of(module))
        if isinstance(node, ast.Call)
    }

    assert {it for it in calls if it[1] in forbidden} == set()


def test_every_module_has_a_layer() -> None:
    elsewhere = {it for it in modules() if not is_below(it, "tools.cli")}

    assert elsewhere - {"__init__", "__main__"} == {*HOT_MODULES, *TOOL_MODULES}
    assert {part_of(it) for it in TOOL_MODULES} - {"tools"} == TOOLS.keys()


@pytest.mark.parametrize("module", HOT_MODULES)
def test_the_door_does_not_import_the_tools(module: str) -> None:
    assert {it for it in ours(module) if is_below(it, "tools")} == set()


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_imports_what_its_row_says(tool: str) -> None:
    used = {
        part_of(it)
        for module in TOOL_MODULES
        if part_of(module) == tool
        for it in ours(module)
        if it != "tools"
    }

    # Both ways: a row that allows more than is used would hide the next wrong import.
    assert used - {tool} == TOOLS[tool]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_of_others_is_used_where_its_row_says(package: str) -> None:
    users = {part_of(it) for it in modules() if package in others(it)}

    assert users == PACKAGES[package]


def test_no_other_package_is_used() -> None:
    used = {it for module in modules() for it in others(module)}

    # ``tomllib`` is of the standard library from Python 3.11 on.
    assert used - sys.stdlib_module_names - {"winreg", "tomllib"} == PACKAGES.keys()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {
            it.removeprefix(f"{NAME}.")
            for it in names_of(module, ast.walk(tree_of(module)))
            if it.startswith(f"{NAME}.") and it in known_names()
        }
        - {module}
        for module in modules()
    }

    # Raises an error that names the circle.
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(graph)


def test_the_command_line_is_imported_by_nothing_but_its_start() -> None:
    users = {it for it in modules() if any(is_below(name, "tools.cli") for name in ours(it))}

    assert {it for it in users if not is_below(it, "tools.cli")} == {"__main__"}
