"""A wheel: its members read as streams, several at once, and the requirements it states."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import loose, requirements, roles
from nvidia_variant_provider.tools.binaries.findings import (
    DAMAGED,
    NESTED_ARCHIVE,
    SUSPICIOUS_SIZE,
    UNREADABLE_MEMBER,
    finding_in,
)
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.binaries.parallel import read_all
from nvidia_variant_provider.tools.binaries.report import Contents, Library
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nvidia_variant_provider.tools.binaries.report import Requirement
    from nvidia_variant_provider.tools.findings.model import Finding
    from nvidia_variant_provider.tools.wheels.archive import Archive
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

    Progress = Callable[[str, int], None]

# Machine code packs to a third or so. What shrinks more is no library; up to this many bytes of it
# are read all the same, of one member or of many.
_BOMB_SIZE: Final = 64 << 20
_BOMB_RATIO: Final = 100
_MAX_FINDINGS: Final = 100
_METADATA: Final = re.compile(r"[^/]+\.dist-info/METADATA")
SOURCES: Final = ".cu"
_ARCHIVES: Final = (".whl", ".zip", ".egg", ".jar")
# By far the most members of a wheel, and never anything that a loader could find code in.
_TEXT: Final = (".py", ".pyi", ".pyc", ".h", ".hpp", ".cu", ".cuh", ".txt", ".md", ".json", ".html")


def read_wheel(
    archive: Archive, jobs: int = 1, progress: Progress = lambda _name, _size: None
) -> Contents:
    """Read all members that can hold device code; damage in one does not hide the others."""
    wanted, findings = choose(archive.entries)
    # The largest first, so that no worker is left alone with it at the end.
    wanted.sort(key=lambda member: -member.packed)

    def read(member: Entry) -> Library | Finding | None:
        try:
            library = read_library(archive.open(member))
        except DamagedFileError as error:
            return finding_in(DAMAGED, member.name, str(error))
        finally:
            progress(member.name, member.packed)
        return library

    gathered = loose.gather(read_all(read, wanted, jobs, findings))
    names = (entry.name for entry in archive.entries)
    metadata = next((name for name in names if _METADATA.fullmatch(name)), "")
    # As the folder spells it.
    distribution = metadata.partition("-")[0]
    stated = _read_requirements(archive, metadata, findings)
    return Contents(
        path=archive.file.name,
        form="wheel",
        libraries=roles.assigned(gathered, distribution),
        requirements=stated,
        findings=tuple(dict.fromkeys(findings))[:_MAX_FINDINGS],
        distribution=distribution,
        cuda_sources=sum(entry.name.endswith(SOURCES) for entry in archive.entries),
    )


def choose(members: Iterable[Entry]) -> tuple[list[Entry], list[Finding]]:
    """Sort out what is worth opening, and say what was passed over for a reason."""
    wanted, findings, shrunk = [], [], 0
    for member in members:
        if not member.size or member.name.endswith(("/", *_TEXT)):
            continue
        if member.size > member.packed * _BOMB_RATIO:
            shrunk += member.size
        if member.name.endswith(_ARCHIVES):
            findings.append(finding_in(NESTED_ARCHIVE, member.name, "not looked into"))
        elif not member.is_readable:
            text = f"not readable: method {member.method}, flags {member.flags:#x}"
            findings.append(finding_in(UNREADABLE_MEMBER, member.name, text))
        elif member.size > member.packed * _BOMB_RATIO and shrunk > _BOMB_SIZE:
            text = f"{member.packed} bytes announce to inflate to {member.size}: not read"
            findings.append(finding_in(SUSPICIOUS_SIZE, member.name, text))
        else:
            wanted.append(member)
    return wanted, findings


def _read_requirements(
    archive: Archive, path: str, findings: list[Finding]
) -> tuple[Requirement, ...]:
    """Read what the metadata requires; damage there is one more finding."""
    if not path:
        return ()
    try:
        metadata = archive.read(path)
    except DamagedFileError as error:
        findings.append(finding_in(DAMAGED, path, str(error)))
        return ()
    return requirements.on_cuda(metadata_fields(metadata, "Requires-Dist"))
