"""The SHA-256 of files, each read once: what was read before and has not changed is remembered.

A file counts as unchanged while name, size, time of modification and inode are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import sha256_of, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

CACHE_NAME: Final = ".nvidia-variant-index-cache.json"
_FORMAT: Final = 1
_MOST_JOBS: Final = 4
# A mirror of 100,000 wheels takes 20 MB.
_MAX_BYTES: Final = 64 << 20
# A file may be written twice within one tick of its clock; the coarsest one ticks every 2 s (FAT).
_SETTLED_NS: Final = 2_000_000_000


class _State(NamedTuple):
    """What tells whether a file is still the one that was read."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> _State:
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


class HashCache:
    """The hashes of a folder's files, kept beside them in a hidden JSON file."""

    def __init__(self, known: Mapping[str, tuple[_State, str]] | None = None) -> None:
        self._known = dict(known or {})
        self._seen: dict[str, tuple[_State, str]] = {}

    @classmethod
    def load(cls, folder: Path) -> HashCache:
        """Read the cache of a folder; an empty one if there is none.

        Raises ``InvalidValueError`` for a file that is not one: the caller may go on without.
        """
        path = folder / CACHE_NAME
        try:
            with open(path, "rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise InvalidValueError(f"{path}: {error.strerror}") from error
        try:
            return cls(_parse(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            message = f"{path}: not a cache of format {_FORMAT}: {error!r:.80}"
            raise InvalidValueError(message) from error

    def save(self, folder: Path) -> None:
        """Write the hashes of the files that this run asked for; the others are gone."""
        files = {name: [*state, digest] for name, (state, digest) in sorted(self._seen.items())}
        document = {"format": _FORMAT, "files": files}
        text = json.dumps(document, separators=(",", ":"))
        write_atomically(folder / CACHE_NAME, text.encode() + b"\n")

    def get(self, path: Path, state: _State) -> str:
        """Return the hash of an unchanged file, or ""."""
        known = self._known.get(path.name)
        if known is None or known[0] != state:
            return ""
        self._seen[path.name] = known
        return known[1]

    def put(self, path: Path, state: _State, digest: str) -> None:
        """Remember a hash, unless the file may have been written to once more in the same tick."""
        if time.time_ns() - state.mtime_ns > _SETTLED_NS:
            self._seen[path.name] = (state, digest)


def _parse(data: bytes) -> dict[str, tuple[_State, str]]:
    document = json.loads(data)
    if document["format"] != _FORMAT:
        raise ValueError(f"format {document['format']!r}")
    known = {}
    for name, (size, mtime_ns, inode, digest) in document["files"].items():
        if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
            raise ValueError(f"a hash of {len(digest)} digits")
        known[name] = (_State(int(size), int(mtime_ns), int(inode)), digest)
    return known


def hash_files(
    paths: Iterable[Path],
    cache: HashCache | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[Path, str]:
    """Return the SHA-256 of each file in hexadecimal; several are read at a time.

    ``progress`` is told of every number of bytes that is done, cached ones included. Raises
    ``InvalidValueError`` for a file that changes while it is read.
    """
    cache, tell = cache or HashCache(), progress or (lambda _size: None)
    paths = tuple(paths)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_JOBS)) as pool:
        digests = pool.map(lambda path: _hash(path, cache, tell), paths)
        return dict(zip(paths, digests, strict=True))


def _hash(path: Path, cache: HashCache, tell: Callable[[int], None]) -> str:
    try:
        state = _State.of(path)
        if known := cache.get(path, state):
            tell(state.size)
            return known
        digest = sha256_of(path, tell)
        is_same = _State.of(path) == state
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error
    if not is_same:
        raise InvalidValueError(f"{path}: changed while it was read")
    cache.put(path, state, digest)
    return digest
