"""A wheel, opened once and handed on to whoever reads its metadata or code, or rewrites it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.wheels.archive import Archive
from nvidia_variant_provider.tools.wheels.dist_info import (
    VARIANT_JSON,
    check_metadata,
    check_wheel_version,
    find_dist_info,
)
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.record import SIGNATURES, RecordFile

if TYPE_CHECKING:
    from typing_extensions import Self


class OpenWheel:
    """A wheel: its name, its archive, and the files that say what it is.

    Opening reads the archive's directory; each property reads its file when it is first asked for,
    and raises ``MetadataError`` or ``DamagedFileError`` naming the wheel. Use in ``with``.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file.

        Raises ``InvalidValueError`` for a name that is no wheel's, ``DamagedFileError`` for what is
        no archive, and ``OSError``.
        """
        self.path = Path(path)
        self.name = WheelName.parse(self.path.name)
        self.archive = Archive(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.archive.file.close()

    @cached_property
    def dist_info(self) -> str:
        """The name of the wheel's own folder, for example ``torch-2.14.1.dist-info``."""
        names = (entry.name for entry in self.archive.entries)
        return find_dist_info(names, self.name, str(self.path))

    @cached_property
    def metadata(self) -> bytes:
        """The content of METADATA, which is of this project and version."""
        data = self.read("METADATA")
        check_metadata(data, self.name, f"{self.path}!{self.metadata_path}")
        return data

    @property
    def metadata_path(self) -> str:
        """Where METADATA is in the wheel."""
        return f"{self.dist_info}/METADATA"

    @property
    def variant_path(self) -> str:
        """Where ``variant.json`` is in the wheel, or would be."""
        return f"{self.dist_info}/{VARIANT_JSON}"

    @cached_property
    def variant_json(self) -> bytes | None:
        """The content of ``variant.json``; ``None`` if there is none."""
        return self.read(VARIANT_JSON) if self.variant_path in self.archive else None

    @property
    def variant_source(self) -> str:
        """The name of ``variant.json`` in messages: ``x.whl!x-1.dist-info/variant.json``."""
        return f"{self.path}!{self.variant_path}"

    @property
    def record_path(self) -> str:
        """Where RECORD is in the wheel."""
        return f"{self.dist_info}/RECORD"

    @cached_property
    def record(self) -> RecordFile:
        """RECORD, which lists the members of the archive, each with its size."""
        data, name = self.read("RECORD"), str(self.path)
        files = {entry.name: entry.size for entry in self.archive.entries if not entry.is_folder}
        record = RecordFile.parse(self.record_path, data, name, len(files) + len(SIGNATURES))
        record.check(files, name)
        return record

    @property
    def signatures(self) -> tuple[str, ...]:
        """The signatures of RECORD in this wheel; no change leaves them valid."""
        names = (f"{self.dist_info}/{name}" for name in SIGNATURES)
        return tuple(name for name in names if name in self.archive)

    def read(self, name: str) -> bytes:
        """Return the content of a file in the wheel's ``.dist-info``."""
        return self.archive.read(f"{self.dist_info}/{name}")

    def check(self) -> None:
        """Check that pip and uv would install the wheel and that no two readers see two wheels.

        The contents of its members are not read. Raises ``InvalidValueError`` naming what is wrong.
        """
        _ = self.archive.layout, self.metadata, self.record
        check_wheel_version(self.read("WHEEL"), f"{self.path}!{self.dist_info}/WHEEL")
