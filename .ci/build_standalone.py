"""Build the hot path as one file for vendoring: ``dist/nvidia_variant_provider-<version>.pyz``.

Beside it lie its SHA-256 and its bill of materials (CycloneDX 1.6). The archive holds what
``plugin`` imports, directly or not, but for product names (docs/standalone.md). Building twice
gives the same bytes, on any machine: members are sorted, stored uncompressed (deflate differs
between zlib builds) and carry no time.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bill import PACKAGE, ROOT, VERSION, bill_of_materials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENTRY: Final = Path(__file__).with_name("standalone_main.py")
# Started as a program of its own, so no import leads to it.
WORKER: Final = f"{PACKAGE}.detect.worker"

# What only a person asks for: product names, why a device node does not open, and advice.
FOR_PEOPLE: Final = (
    f"{PACKAGE}.targets",
    *(
        f"{PACKAGE}.detect.{name}"
        for name in ("person", "control", "clues", "health", "refine", "remedies")
    ),
)

# Zip files start counting the days here; 0o644 is in the upper half of the attributes.
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
MODE: Final = 0o100644 << 16
SHEBANG: Final = b"#!/usr/bin/env python3\n"


def main(argv: list[str] | None = None) -> int:
    """Write the archive, its hash and its bill of materials."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--outdir", type=Path, default=ROOT / "dist", help="default: dist/")
    folder = parser.parse_args(argv).outdir
    members = gather()
    archive = pack(members)
    digest = hashlib.sha256(archive).hexdigest()
    name = f"{PACKAGE}-{VERSION}.pyz"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(archive)
    (folder / f"{name}.sha256").write_text(f"{digest}  {name}\n", "ascii")
    description = f"{name}: the variant provider's hot path as one file"
    bill = bill_of_materials(description, digest, members)
    (folder / f"{name}.cdx.json").write_text(bill, "utf-8")
    print(f"{digest}  {folder / name}")
    return 0


def gather() -> dict[str, bytes]:
    """Return the members of the archive by name: the closure of the plugin's imports."""
    seen: set[str] = set()
    waiting = [f"{PACKAGE}.plugin", WORKER]
    while waiting:
        module = waiting.pop()
        if module.startswith(FOR_PEOPLE):
            continue
        if module not in seen and _path_of(module):
            seen.add(module)
            waiting += [*_parents(module), *_imports(module)]
    paths = [path for module in seen if (path := _path_of(module))]
    members = {path.relative_to(ROOT).as_posix(): _source(path) for path in paths}
    members["__main__.py"] = _source(ENTRY)
    # Every copy has to carry the licences of what is inside.
    for path in (ROOT / "LICENSE", *(ROOT / "LICENSES").iterdir()):
        members[f"{PACKAGE}/{path.relative_to(ROOT).as_posix()}"] = _source(path)
    return dict(sorted(members.items()))


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the bytes of the archive."""
    buffer = io.BytesIO()
    buffer.write(SHEBANG)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3
            info.external_attr = MODE
            archive.writestr(info, content)
    return buffer.getvalue()


def _source(path: Path) -> bytes:
    """Return a text file as it is in the repository, whatever a checkout did to its line ends."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def _path_of(module: str) -> Path | None:
    """Return the file of one of our modules; ``None`` for a name inside a module."""
    base = ROOT / Path(*module.split("."))
    found = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in found if path.is_file()), None)


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


def _imports(module: str) -> Iterator[str]:
    """Yield the names of ours that a module imports at run time, wherever in it."""
    path = _path_of(module)
    waiting: list[ast.AST] = [ast.parse(path.read_bytes())] if path else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (it.name for it in node.names if it.name.startswith(PACKAGE))
        waiting += ast.iter_child_nodes(node)


if __name__ == "__main__":
    sys.exit(main())
