"""A wheel: its members read as streams, several at once, and the requirements it states."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import loose, requirements, roles, zipdir
from nvidia_variant_provider.tools.binaries.findings import (
    DAMAGED,
    NESTED_ARCHIVE,
    SUSPICIOUS_SIZE,
    UNREADABLE_MEMBER,
    finding,
)
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.binaries.parallel import mapped
from nvidia_variant_provider.tools.binaries.report import Contents, Library
from nvidia_variant_provider.tools.findings.model import Finding
from nvidia_variant_provider.tools.wheels.source import FileSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.tools.binaries.report import Requirement
    from nvidia_variant_provider.tools.binaries.zipdir import Member

    Progress = Callable[[str, int], None]

# Machine code packs to a third or so; a member of this size that shrinks more is no library.
_BOMB_SIZE: Final = 64 << 20
_BOMB_RATIO: Final = 100
_MAX_FINDINGS: Final = 100
_METADATA: Final = re.compile(r"[^/]+\.dist-info/METADATA")
_MAX_METADATA: Final = 4 << 20
# Archives that start like ordinary zip files and may hold some members as they are.
_ARCHIVES: Final = (".whl", ".zip", ".egg", ".jar")
# By far the most members of a wheel, and never anything that a loader could find code in.
_TEXT: Final = (".py", ".pyi", ".pyc", ".h", ".hpp", ".cuh", ".txt", ".md", ".json", ".html")


def read_wheel(path: str, name: str, jobs: int, progress: Progress) -> Contents:
    """Read all members that can hold device code; damage in one does not hide the others."""
    file = FileSource(path, name)
    members = tuple(zipdir.read_members(file))
    _check_total(file, members)
    wanted, findings = choose(members)
    # The largest first, so that no worker is left alone with it at the end.
    wanted.sort(key=lambda member: -member.packed)

    def read(member: Member) -> Library | Finding | None:
        try:
            library = read_library(zipdir.open_member(path, file, member))
        except DamagedFileError as error:
            return finding(DAMAGED, member.name, str(error))
        finally:
            progress(member.name, member.packed)
        return library

    def libraries() -> Iterator[Library]:
        for result in mapped(read, wanted, jobs):
            if isinstance(result, Finding):
                findings.append(result)
            elif result is not None:
                yield result

    gathered = loose.gather(libraries())
    stated = _read_requirements(path, file, members, findings)
    distribution = distribution_of(members)
    return Contents(
        path=name,
        form="wheel",
        libraries=roles.assigned(gathered, distribution),
        requirements=stated,
        findings=tuple(dict.fromkeys(findings))[:_MAX_FINDINGS],
        distribution=distribution,
    )


def distribution_of(members: Iterable[Member]) -> str:
    """Return the distribution's name as the ``.dist-info`` folder spells it, or nothing."""
    for member in members:
        if _METADATA.fullmatch(member.name):
            return member.name.partition("-")[0]
    return ""


def _check_total(file: FileSource, members: tuple[Member, ...]) -> None:
    """Refuse members that share their bytes: that is how small archives become huge."""
    total = sum(member.packed for member in members)
    if total > file.size:
        raise DamagedFileError(
            f"{file.name}: its members have {total} packed bytes, the file only {file.size}"
        )


def choose(members: tuple[Member, ...]) -> tuple[list[Member], list[Finding]]:
    """Sort out what is worth opening, and say what was passed over for a reason."""
    wanted, findings = [], []
    for member in members:
        if not member.size or member.name.endswith(("/", *_TEXT)):
            continue
        if member.name.endswith(_ARCHIVES):
            findings.append(finding(NESTED_ARCHIVE, member.name, "not looked into"))
        elif not member.is_readable:
            text = f"not readable: method {member.method}, flags {member.flags:#x}"
            findings.append(finding(UNREADABLE_MEMBER, member.name, text))
        elif member.size > max(_BOMB_SIZE, member.packed * _BOMB_RATIO):
            text = f"{member.packed} bytes announce to inflate to {member.size}: not read"
            findings.append(finding(SUSPICIOUS_SIZE, member.name, text))
        else:
            wanted.append(member)
    return wanted, findings


def _read_requirements(
    path: str, file: FileSource, members: tuple[Member, ...], findings: list[Finding]
) -> tuple[Requirement, ...]:
    """Read what the metadata requires; damage there is one more finding."""
    found = (one for one in members if _METADATA.fullmatch(one.name) and one.is_readable)
    member = next(found, None)
    if member is None:
        return ()
    try:
        text = zipdir.open_member(path, file, member).read_at(0, _MAX_METADATA)
    except DamagedFileError as error:
        findings.append(finding(DAMAGED, member.name, str(error)))
        return ()
    return requirements.parse_metadata(text.decode("utf-8", "replace"))
