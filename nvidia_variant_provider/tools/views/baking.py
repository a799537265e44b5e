"""Wheels with variant markers in METADATA, made readable for installers of today, and kept.

The markers are answered for the wheel's label and the wheel is written anew: the same bytes for
the same wheel, label and version of this baker.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import sha256_of, write_atomically
from nvidia_variant_provider.tools.metadata.bake import bake
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError, changed_since
from nvidia_variant_provider.tools.views.upstream import local_path
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.tools.wheels.writer import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.views.model import Shown
    from nvidia_variant_provider.tools.views.upstream import Upstream

# Part of a baked wheel's address: a baker that writes other bytes gets another one.
BAKER: Final = "1"
DEFAULT_LIMIT: Final = 20 * 1024**3
_FOLDER: Final = "baked"
_SCRATCH: Final = ".part"
_DAY_S: Final = 86_400.0
_MAX_METADATA: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Baked:
    """A wheel's METADATA as it is served, and whether that differs from the original."""

    metadata: bytes = field(repr=False)
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A wheel that was baked: where it lies, its hash and size."""

    path: Path
    sha256: str
    size: int


def key_of(shown: Shown) -> str:
    """Return the part of an address that changes whenever the content behind it may."""
    file = shown.file
    identity = "\0".join((file.url, file.sha256, str(file.size), shown.bake_for, BAKER))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


class Bakery:
    """Bakes on demand, once for all who ask; ``limit`` bounds what is kept, in bytes."""

    def __init__(self, folder: Path, upstream: Upstream, limit: int = DEFAULT_LIMIT) -> None:
        """Keep wheels in a folder of the caches."""
        self._folder = folder / _FOLDER
        self._upstream = upstream
        self._limit = limit
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._scratch: set[Path] = set()
        self._is_closed = False

    def metadata(self, shown: Shown, properties: Properties) -> Baked | None:
        """Return METADATA for a wheel's label; ``None`` where only the wheel itself has it.

        Raises ``UpstreamError``, and ``InvalidValueError`` for markers that cannot be answered.
        """
        original = self._original(shown)
        if original is None:
            return None
        done = bake(original, shown.bake_for, properties, shown.file.name)
        return Baked(done.metadata, bool(done.changes))

    def _original(self, shown: Shown) -> bytes | None:
        file = shown.file
        if file.core_metadata is not None:
            data = self._upstream.read(f"{file.url}.metadata", _MAX_METADATA)
            if file.core_metadata and hashlib.sha256(data).hexdigest() != file.core_metadata:
                raise changed_since(f"{file.name}.metadata")
            return data
        if urlsplit(file.url).scheme != "file":
            return None
        with OpenWheel(local_path(file.url)) as wheel:
            return wheel.metadata

    def kept(self, shown: Shown) -> Kept | None:
        """Return a wheel that was baked before."""
        path = self._folder / key_of(shown) / shown.name
        try:
            sha256 = path.with_name("sha256").read_text("ascii")
            return Kept(path, sha256, path.stat().st_size)
        except (OSError, ValueError):
            return None

    def wheel(self, shown: Shown, properties: Properties) -> Kept:
        """Return a wheel, baked now if it was not before.

        Raises ``UpstreamError``, ``InvalidValueError``, and ``OSError`` for a full disk.
        """
        key = key_of(shown)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            kept = self.kept(shown)
            if kept is not None:
                os.utime(kept.path)
                return kept
            return self._bake(shown, properties, self._folder / key)

    def close(self) -> None:
        """Remove what is half-written; whoever still writes it fails."""
        with self._lock:
            self._is_closed = True
            scratch = list(self._scratch)
        for folder in scratch:
            _remove(folder)

    def _bake(self, shown: Shown, properties: Properties, folder: Path) -> Kept:
        target = folder / shown.name
        with self._scratch_in(folder) as scratch:
            new = scratch / "new" / shown.name
            with (
                self._source(shown, scratch) as source,
                _named_without(scratch),
                OpenWheel(source) as wheel,
            ):
                done = bake(wheel.metadata, shown.bake_for, properties, shown.file.name)
                changed = {wheel.metadata_path: done.metadata}
                # A hash that was right makes it needless to read every member once more.
                rewrite(wheel, new, changed, wheel.signatures, check=not shown.file.sha256)
            sha256 = sha256_of(new)
            write_atomically(folder / "sha256", sha256.encode("ascii"))
            new.replace(target)
        self._trim(folder)
        return Kept(target, sha256, target.stat().st_size)

    @contextlib.contextmanager
    def _scratch_in(self, folder: Path) -> Iterator[Path]:
        """Give a folder for what is half-written; of runs that were killed it removes theirs."""
        for left in self._folder.glob(f"*/*{_SCRATCH}"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _DAY_S:
                    _remove(left)
        scratch = folder / f".{os.urandom(4).hex()}{_SCRATCH}"
        with self._lock:
            if self._is_closed:
                raise UpstreamError(f"{folder.name}: not written, as the command has ended")
            scratch.mkdir(parents=True)
            self._scratch.add(scratch)
        try:
            yield scratch
        finally:
            _remove(scratch)
            with self._lock:
                self._scratch.discard(scratch)

    @contextlib.contextmanager
    def _source(self, shown: Shown, scratch: Path) -> Iterator[Path]:
        """Give the original wheel as a file, its hash checked."""
        url, expected = shown.file.url, shown.file.sha256
        if urlsplit(url).scheme == "file":
            yield Path(local_path(url))
            return
        part = scratch / shown.file.name
        digest, left = hashlib.sha256(), shown.file.size or self._limit
        with self._upstream.fetcher.stream(url) as pieces, open(part, "xb") as file:
            for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise changed_since(shown.file.name, "more bytes")
                digest.update(piece)
                file.write(piece)
        if expected and digest.hexdigest() != expected:
            raise changed_since(shown.file.name)
        yield part

    def _trim(self, newest: Path) -> None:
        """Remove the wheels that were not used for longest until the rest is within the limit."""
        wheels = []
        for path in self._folder.glob("*/*.whl"):
            with contextlib.suppress(OSError):
                status = path.stat()
                wheels.append((status.st_mtime, status.st_size, path.parent))
        total = sum(size for _, size, _ in wheels)
        for _, size, folder in sorted(wheels):
            if total <= self._limit:
                return
            if folder != newest:
                for path in folder.iterdir():
                    path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    folder.rmdir()
                total -= size


@contextlib.contextmanager
def _named_without(scratch: Path) -> Iterator[None]:
    """Name a wheel in errors without a folder that nobody knows, and that is gone by then."""
    try:
        yield
    except InvalidValueError as error:
        raise InvalidValueError(str(error).replace(f"{scratch}{os.sep}", "")) from error


def _remove(scratch: Path) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    # The folder of the wheel, if there is no wheel.
    with contextlib.suppress(OSError):
        scratch.parent.rmdir()
