"""RECORD, the list of a wheel's files with their hashes: held to the archive, and amended."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# Their hashes cannot be in the file that they sign.
SIGNATURES: Final = ("RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True, slots=True)
class RecordFile:
    """The rows of a RECORD in their order, path first, and how its lines end."""

    path: str
    rows: tuple[tuple[str, str, str], ...]
    newline: str = "\n"

    @classmethod
    def parse(cls, path: str, data: bytes, source: str, most: int) -> RecordFile:
        """Read the file; ``path`` is its own place in the wheel, ``source`` is for messages.

        ``most`` is how many rows there can be: a short file can inflate to millions of them. Raises
        ``DamagedFileError``.
        """
        where = f"{source}: {path}"
        rows: dict[str, tuple[str, str, str]] = {}
        try:
            # Decoded line by line: the whole text could take four times as much memory.
            lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
            for row in csv.reader(lines, strict=True):
                listed, digest, size = _three(row, where)
                if listed in rows:
                    raise DamagedFileError(f"{where}: {listed!r:.120} is listed twice")
                if len(rows) == most:
                    raise DamagedFileError(f"{where}: more rows than the {most} there are files")
                rows[listed] = (listed, digest, size)
        except (UnicodeDecodeError, csv.Error) as error:
            raise DamagedFileError(f"{where}: {error}; expected CSV in UTF-8") from error
        is_dos = data.partition(b"\n")[0].endswith(b"\r")
        return cls(path, tuple(rows.values()), "\r\n" if is_dos else "\n")

    def check(self, sizes: Mapping[str, int], source: str) -> None:
        """Compare the rows with the archive's files and their sizes."""
        unlisted = {self.path, *(f"{self.path}{name[6:]}" for name in SIGNATURES)}
        listed = {path: size for path, _, size in self.rows if path not in unlisted}
        where = f"{source}: {self.path}"
        if missing := sorted(set(sizes) - unlisted - set(listed)):
            raise DamagedFileError(f"{where}: does not list {missing[0]!r:.200}, which is there")
        if absent := sorted(set(listed) - set(sizes)):
            raise DamagedFileError(f"{where}: lists {absent[0]!r:.200}, which is not there")
        for path, size in listed.items():
            if size and size != str(sizes[path]):
                raise DamagedFileError(
                    f"{where}: {path!r:.200} has {sizes[path]} bytes, not {size[:20]!r}"
                )

    def amend(self, replace: Mapping[str, bytes], remove: Collection[str]) -> RecordFile:
        """Return the rows after members were replaced, added (before RECORD's own) or removed."""
        rows = []
        listed = {row[0] for row in self.rows}
        added = [(path, *_hash(replace[path])) for path in sorted(set(replace) - listed)]
        for row in self.rows if self.path in listed else (*self.rows, (self.path, "", "")):
            path = row[0]
            if path == self.path:
                rows += [*added, row]
            elif path in replace:
                rows.append((path, *_hash(replace[path])))
            elif path not in remove:
                rows.append(row)
        return RecordFile(self.path, tuple(rows), self.newline)

    def moved(self, folders: Mapping[str, str]) -> RecordFile:
        """Return the rows after folders at the top got the names that ``folders`` has for them."""
        rows = tuple((moved(path, folders), digest, size) for path, digest, size in self.rows)
        return RecordFile(moved(self.path, folders), rows, self.newline)

    def to_bytes(self) -> bytes:
        """Write the file."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=self.newline).writerows(self.rows)
        return text.getvalue().encode()


def moved(path: str, folders: Mapping[str, str]) -> str:
    """Return a path whose first folder has the name that ``folders`` has for it."""
    folder, slash, rest = path.partition("/")
    return f"{folders.get(folder, folder)}{slash}{rest}" if slash else path


def _three(row: list[str], where: str) -> list[str]:
    if len(row) != 3:  # noqa: PLR2004 - path, hash, size
        raise DamagedFileError(f"{where}: {row!r:.120}; expected a path, a hash and a size")
    return row


def _hash(data: bytes) -> tuple[str, str]:
    # OpenSSL is loaded only to write a RECORD; most tools only read one.
    import hashlib

    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(data))
