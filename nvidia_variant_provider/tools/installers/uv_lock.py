"""Whether a uv.lock still has what its project asks for, as far as its own text tells.

uv writes what a project required when it was locked beside the project's entry, under
``[package.metadata]``. With UV_FROZEN, which a view needs, uv does not compare them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.parsed import mapping, parse_toml, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.specifiers import SpecifierSet

_MOST_BYTES: Final = 16 << 20
_ENTRY: Final = "[[package]]"
_SOURCE: Final = r'^source = \{{ (?:virtual|editable|directory) = "{folder}" \}}$'
_EXTRA: Final = "extra =="
_PLAIN: Final = frozenset({"name", "extras", "marker", "specifier"})


def out_of_date(lock: str, project: str) -> str:
    """Say what of a pyproject.toml is not in a uv.lock: ``torch<3``; "" if all is, or unknown.

    Both are paths. Dependencies of groups and extras are not compared.
    """
    locked = _locked(lock, os.path.dirname(project))
    stated = mapping(_toml(_read(project)).get("project"))
    if locked is None or "dependencies" in texts(stated.get("dynamic")):
        return ""
    asked: dict[str, set[SpecifierSet]] = {}
    for name, versions in _asked(stated):
        asked.setdefault(name, set()).add(versions)
    for name, wanted in asked.items():
        if locked.get(name, set()) not in (None, wanted):
            return f"pyproject.toml asks for {', '.join(f'{name}{some}' for some in wanted)}"
    gone = sorted(set(locked) - set(asked))
    return f"pyproject.toml no longer asks for {gone[0]}" if gone else ""


def _locked(lock: str, folder: str) -> Mapping[str, set[SpecifierSet] | None] | None:
    """Return what a project asked for when it was locked; the versions are ``None`` if unsaid.

    A project may ask for several versions of another one, by markers.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    place = os.path.relpath(folder, os.path.dirname(lock)).replace(os.sep, "/")
    source = re.compile(_SOURCE.format(folder=re.escape(place)), re.MULTILINE)
    entry = next((text for text in _read(lock).split(_ENTRY) if source.search(text)), "")
    packages = _toml(f"{_ENTRY}{entry}").get("package")
    package = mapping(packages[0]) if isinstance(packages, list) else {}
    required = mapping(package.get("metadata")).get("requires-dist", [])
    if not entry or not isinstance(required, list):
        return None
    locked: dict[str, set[SpecifierSet] | None] = {}
    for each in map(mapping, required):
        if _EXTRA in str(each.get("marker", "")):
            continue
        name = str(each.get("name"))
        try:
            versions = SpecifierSet(str(each.get("specifier", "")))
        except InvalidSpecifier:
            return None
        others = locked.get(name, set())
        is_plain = others is not None and _PLAIN.issuperset(each)
        locked[name] = {*others, versions} if others is not None and is_plain else None
    return locked


def _asked(project: Mapping[str, object]) -> Iterator[tuple[str, SpecifierSet]]:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for text in texts(project.get("dependencies")):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if _EXTRA not in str(requirement.marker):
            yield canonicalize_name(requirement.name), requirement.specifier


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return ""


def _toml(text: str) -> Mapping[str, object]:
    try:
        return parse_toml(text.encode())
    except (ValueError, RecursionError):
        return {}
