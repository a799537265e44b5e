"""Converts files: reads every one first, so that a refusal leaves all of them as they are."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.beside import write_beside
from nvidia_variant_provider.convert.document import Conversion, ConversionRefusedError, convert
from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.lint.sources import INDEX_SUFFIX, MAX_FILES, parse_document
from nvidia_variant_provider.lint.subject import Kind
from nvidia_variant_provider.metadata.document import WHEEL_METADATA_NAME
from nvidia_variant_provider.metadata.reading import MAX_BYTES
from nvidia_variant_provider.wheels.name import WheelName
from nvidia_variant_provider.wheels.rewrite import WheelArchive, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvidia_variant_provider.metadata.model import Specification

_REQUIRES: Final = re.compile(r"(?m)^Requires-Dist:.*variant_label.*$")


@dataclass(frozen=True, slots=True)
class Planned:
    """One file with its conversion; ``member`` is the file within a wheel, "" for a JSON file.

    ``target`` is the file's new name: a wheel whose label changes is renamed.
    """

    path: Path
    member: str
    target: Path
    before: bytes
    conversion: Conversion

    @property
    def source(self) -> str:
        """The name for messages: ``x.whl!x-1.dist-info/variant.json``."""
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    @property
    def is_changed(self) -> bool:
        """Tell whether there is anything to write; a current file keeps its bytes."""
        return bool(self.conversion.changes)

    @property
    def after(self) -> bytes:
        """The converted text, or the text as it was."""
        return self.conversion.metadata.to_json().encode() if self.is_changed else self.before

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff, without line ends; both sides sorted alike."""
        # The old text is brought into the new one's form, or every line would differ.
        old = json.dumps(json.loads(self.before), indent=4, sort_keys=True).splitlines()
        new = self.after.decode().splitlines()
        yield from difflib.unified_diff(old, new, self.source, str(self.target), lineterm="", n=2)

    def write(self) -> None:
        """Write the file in place, under its new name if it has one."""
        if not self.is_changed:
            return
        if not self.member:
            write_beside(self.path, self.after)
            return
        rewrite(self.path, self.target, {self.member: self.after})
        if self.target != self.path:
            self.path.unlink()


def plan(paths: Iterable[str], target: Specification) -> tuple[Planned, ...]:
    """Convert files and folders in memory; raises ``MetadataError`` and ``InvalidValueError``."""
    planned = [_planned(path, target) for path in _files(paths)]
    names = Counter(it.target for it in planned)
    for it in planned:
        if it.target != it.path and (it.target.exists() or names[it.target] > 1):
            raise InvalidValueError(f"{it.path}: becomes {it.target.name}, which is there already")
    return tuple(planned)


def write(planned: Sequence[Planned]) -> None:
    """Write everything that changes: the wheels first, as the files of releases point at them."""
    for it in sorted(planned, key=lambda it: not it.member):
        it.write()


def _files(paths: Iterable[str]) -> Iterator[Path]:
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found = sorted(it for it in path.iterdir() if _is_wanted(it))
            if not found or len(found) > MAX_FILES:
                form = f"1 to {MAX_FILES} variant wheels or *{INDEX_SUFFIX}"
                raise InvalidValueError(f"{path}: seen {len(found)} of them, expected {form}")
            yield from found
        elif not path.is_file():
            raise InvalidValueError(f"{path}: no such file or folder")
        else:
            yield path


def _is_wanted(path: Path) -> bool:
    if path.suffix == ".whl":
        return bool(WheelName.parse(path.name).label)
    return path.name.endswith(INDEX_SUFFIX)


def _planned(path: Path, target: Specification) -> Planned:
    if path.suffix == ".whl":
        return _planned_wheel(path, target)
    if path.suffix != ".json":
        raise InvalidValueError(f"{path}: expected a JSON file, a wheel or a folder")
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    return Planned(path, "", path, data, _converted(data, str(path), target))


def _planned_wheel(path: Path, target: Specification) -> Planned:
    name = WheelName.parse(path.name)
    archive = WheelArchive(path)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    if member not in archive:
        raise InvalidValueError(f"{path}: has no {WHEEL_METADATA_NAME}")
    data = archive.read(member)
    planned = Planned(path, member, path, data, _converted(data, f"{path}!{member}", target))
    new_label = planned.conversion.renamed.get(name.label)
    if new_label is None:
        return planned
    _refuse_markers(planned, archive)
    return replace(planned, target=path.with_name(str(replace(name, label=new_label))))


def _converted(data: bytes, source: str, target: Specification) -> Conversion:
    document = parse_document(data, source, Kind.RELEASE)
    if document.broken is not None:
        expected = "a JSON object in UTF-8, every key once"
        raise MetadataError(source, "", document.reason, expected)
    return convert(document.raw, source, target)


def _refuse_markers(planned: Planned, archive: WheelArchive) -> None:
    """Refuse to rename a label that requirements name: METADATA is not ours to edit."""
    text = archive.read(f"{archive.dist_info}/METADATA").decode("utf-8", "replace")
    for label in planned.conversion.renamed:
        for line in _REQUIRES.findall(text):
            if label in line:
                advice = f"no marker with the label {label}, which has to be renamed"
                raise ConversionRefusedError(planned.source, "Requires-Dist", line, advice)
