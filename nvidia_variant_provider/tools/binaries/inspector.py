"""From a path to what lies there: a wheel, a folder, or one file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import loose, requirements, roles
from nvidia_variant_provider.tools.binaries.archives import archive_of
from nvidia_variant_provider.tools.binaries.findings import UNREADABLE, finding_in
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.binaries.parallel import read_all
from nvidia_variant_provider.tools.binaries.report import Contents, Library
from nvidia_variant_provider.tools.binaries.wheel import SOURCES, read_wheel
from nvidia_variant_provider.tools.files import read_bounded
from nvidia_variant_provider.tools.wheels.archive import Archive
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields
from nvidia_variant_provider.tools.wheels.source import OpenFile
from nvidia_variant_provider.tools.wheels.zip_records import LOCAL_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.binaries.report import Requirement
    from nvidia_variant_provider.tools.binaries.wheel import Progress
    from nvidia_variant_provider.tools.findings.model import Finding

_EXPECTED: Final = "a wheel, a shared object, an archive, a fatbin, a cubin or PTX"
_MAX_FILES: Final = 200_000
_MAX_FINDINGS: Final = 100
_MAX_METADATA: Final = 4 << 20


def inspect_path(
    path: str, *, jobs: int = 1, progress: Progress = lambda _name, _size: None
) -> Contents:
    """Read a wheel, a folder or a file.

    ``progress`` is told each part's name and size once it is read. Raises ``DamagedFileError``
    for a file that is none of these, ``OSError`` for one that cannot be opened.
    """
    if os.path.isdir(path):
        return _read_folder(path, jobs, progress)
    with OpenFile(path) as source:
        head = source.read_at(0, 16)
        is_archive = head.startswith(LOCAL_MAGIC) or path.endswith(".whl")
        if not is_archive and (packing := archive_of(head)):
            raise DamagedFileError(
                f"{path}: packed with {packing}, which is not looked into; expected {_EXPECTED}."
                " Of an sdist build a wheel first: pip wheel --no-deps PATH"
            )
        if is_archive:
            return read_wheel(Archive(source), jobs, progress)
        library = read_library(source)
    if library is None:
        raise DamagedFileError(
            f"{path}: starts with {head[:4].hex() or 'nothing'}, not {_EXPECTED}"
        )
    progress(path, library.size)
    return Contents(path, library.form, (library,))


def _read_folder(path: str, jobs: int, progress: Progress) -> Contents:
    files = list(_files(path))
    names = {file: os.path.relpath(file, path).replace(os.sep, "/") for file in files}

    def read(file: str) -> Library | Finding | None:
        try:
            with OpenFile(file, names[file]) as source:
                progress(source.name, source.size)
                return read_library(source) if source.size else None
        except (DamagedFileError, OSError) as error:
            return finding_in(UNREADABLE, names[file], str(error))

    findings: list[Finding] = []

    marked = roles.assigned(loose.gather(read_all(read, files, jobs, findings)), "")
    return Contents(
        path,
        "folder",
        marked,
        _requirements(files),
        tuple(findings[:_MAX_FINDINGS]),
        cuda_sources=sum(file.endswith(SOURCES) for file in files),
    )


def _files(folder: str) -> Iterator[str]:
    """Yield the files of a folder; links are not followed, so that none is read twice."""
    count = 0
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(root, name)
            if os.path.isfile(file) and not os.path.islink(file):
                count += 1
                if count > _MAX_FILES:
                    raise DamagedFileError(f"{folder}: more than {_MAX_FILES} files")
                yield file


def _requirements(files: list[str]) -> tuple[Requirement, ...]:
    stated: list[Requirement] = []
    for file in files:
        if os.path.basename(file) == "METADATA" and os.path.dirname(file).endswith(".dist-info"):
            metadata = read_bounded(file, _MAX_METADATA)
            stated += requirements.on_cuda(metadata_fields(metadata, "Requires-Dist"))
    return tuple(dict.fromkeys(stated))
