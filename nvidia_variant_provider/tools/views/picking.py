"""What pip takes from a view: the newest version that the target's Python can install.

Source: pip's own finder, to which a property test holds this.
"""

from __future__ import annotations

import sys
from platform import machine
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, parse_tag, sys_tags
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from nvidia_variant_provider.tools.releases.requested import requirement_of
from nvidia_variant_provider.tools.views.model import Interpreter
from nvidia_variant_provider.tools.wheels.platform import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.model import Platform
    from nvidia_variant_provider.tools.views.model import Shown, View


def pick(
    view: View, interpreter: Interpreter, specifier: str = "", *, prereleases: bool = False
) -> Shown | None:
    """Return the file that pip installs; ``None`` if it finds none."""
    wanted = SpecifierSet(specifier)
    places = interpreter.places
    is_pinned = any(
        clause.operator in {"==", "==="} and "*" not in clause.version for clause in wanted
    )
    candidates = [
        (version, place, shown)
        for shown in view.files
        if admits_python(shown.file.requires_python, interpreter.version)
        for version, place in _installable(shown, places)
    ]
    # As pip has it: prereleases count where nothing else is left, and yanked files are something.
    versions = {version for version, _, _ in candidates}
    allowed = set(wanted.filter(versions, prereleases=prereleases or None))
    usable = [candidate for candidate in candidates if candidate[0] in allowed]
    if not (is_pinned and all(shown.file.is_yanked for _, _, shown in usable)):
        usable = [candidate for candidate in usable if not candidate[2].file.is_yanked]

    def rank(candidate: tuple[Version, int, Shown]) -> tuple[Version, int, tuple[int, str]]:
        version, place, shown = candidate
        return version, -place, _build_number(shown)

    best = max(usable, key=rank, default=None)
    return best[2] if best else None


def parse_requirement(text: str) -> tuple[str, str]:
    """Return the project and the specifier of ``torch==2.14.1``; raises ``InvalidValueError``."""
    wanted = requirement_of(text)
    return canonicalize_name(wanted.name), str(wanted.specifier)


def interpreter_for(platform: Platform) -> Interpreter:
    """Return this Python, as it would be on a platform.

    For another processor its name takes the place of this one's in the tags.
    """
    own = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine().lower(), machine().lower())
    other = platform.architecture or "x86_64"
    tags = tuple(sys_tags())
    if own != other:
        tags = tuple(
            Tag(tag.interpreter, tag.abi, tag.platform.replace(own, other)) for tag in tags
        )
    return Interpreter(tags, ".".join(map(str, sys.version_info[:3])))


def _installable(shown: Shown, places: Mapping[Tag, int]) -> Iterator[tuple[Version, int]]:
    """Yield the version of a file and the place of its best tag, if it can be installed."""
    if shown.wheel is None:
        # A source distribution comes after every wheel of its version.
        yield parse_sdist_filename(shown.name)[1], len(places)
        return
    wheel = shown.wheel
    tags = parse_tag(f"{wheel.python}-{wheel.abi}-{wheel.platform}")
    fitting = [places[tag] for tag in tags if tag in places]
    if fitting:
        yield Version(wheel.version), min(fitting)


def _build_number(shown: Shown) -> tuple[int, str]:
    if shown.wheel is None or not shown.wheel.build:
        return -1, ""
    build = parse_wheel_filename(shown.name)[2]
    return (build[0], build[1]) if build else (-1, "")
