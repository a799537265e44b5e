"""What each library of a wheel is there for: only the wheel's own ones, each once, speak for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.report import Role
from nvidia_variant_provider.tools.binaries.vendored import copies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.tools.binaries.report import Library

# Folders of fixtures, and the endings by which builds of one library with less are told apart:
# "libbitsandbytes_cuda118_nocublaslt.so".
_TESTS: Final = re.compile(r"(?:^|/)(?:tests?|testing|test_data|testdata)/", re.IGNORECASE)
_VERSION: Final = re.compile(r"(?<=\.so)(?:\.\d+)+$")
_TWIN: Final = re.compile(r"[-_]no[a-z0-9]+(?=[._-]|$)", re.IGNORECASE)


def assigned(libraries: Iterable[Library], distribution: str) -> tuple[Library, ...]:
    """Give each library its role, in the order of their paths.

    ``distribution`` is the wheel's name, ``""`` where none is known. A role that would leave a
    wheel without any kernels of its own is not given: ``nvidia-cuda-runtime`` is a static archive.
    """
    ordered = sorted(libraries, key=lambda library: library.path)
    copied = copies(ordered, distribution)
    roles = {library.path: Role.COPY if library.path in copied else Role.OWN for library in ordered}
    for role, paths in (
        (Role.TEST, [library.path for library in ordered if _TESTS.search(library.path)]),
        (Role.FOR_LINKING, [library.path for library in ordered if library.form == "archive"]),
        (Role.DUPLICATE, list(_duplicates(ordered))),
        (Role.TWIN, list(_twins(ordered))),
    ):
        own = {path for path, given in roles.items() if given is Role.OWN}
        if any(library.has_kernels for library in ordered if library.path in own - set(paths)):
            roles.update(dict.fromkeys(own & set(paths), role))
    return tuple(replace(library, role=roles[library.path]) for library in ordered)


def _duplicates(libraries: Iterable[Library]) -> Iterator[str]:
    """Yield libraries that are there already: in another folder, or under their name's version.

    Wheels cannot hold links, so that ``libfoo.so``, ``.so.0`` and ``.so.0.6.0`` are three files.
    """
    seen = set()
    for library in libraries:
        name = _VERSION.sub("", library.name)
        content = (name, library.size, library.images, library.bare, library.profiles)
        if library.has_kernels and content in seen:
            yield library.path
        seen.add(content)


def _twins(libraries: Iterable[Library]) -> Iterator[str]:
    """Yield builds of a library without something, which stand beside the whole one."""
    paths = {library.path for library in libraries}
    for path in sorted(paths):
        folder, _, name = path.rpartition("/")
        whole = _TWIN.sub("", name, count=1)
        if whole != name and (f"{folder}/{whole}" if folder else whole) in paths:
            yield path
