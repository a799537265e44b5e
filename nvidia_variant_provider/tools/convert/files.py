"""Converts files: reads every one first, so that a refusal leaves all of them as they are."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.convert.document import TARGETS, convert
from nvidia_variant_provider.tools.convert.draft import Change, ConversionRefusedError
from nvidia_variant_provider.tools.convert.fields import split_fields, to_draft
from nvidia_variant_provider.tools.convert.pyproject import TABLE, convert_text
from nvidia_variant_provider.tools.files import write_atomically
from nvidia_variant_provider.tools.lint.sources import (
    INDEX_SUFFIX,
    MAX_FILES,
    PYPROJECT,
    parse_document,
)
from nvidia_variant_provider.tools.lint.subject import Kind
from nvidia_variant_provider.tools.metadata.document import WHEEL_METADATA_NAME
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.rewrite import WheelArchive, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.convert.document import Conversion
    from nvidia_variant_provider.tools.convert.draft import Json
    from nvidia_variant_provider.tools.metadata.model import Specification

_REQUIRES: Final = re.compile(r"(?m)^Requires-Dist:.*variant_label.*$")
_METADATA: Final = "METADATA"


@dataclass(frozen=True, slots=True)
class Planned:
    """One file with its conversion; ``member`` is the file within a wheel, "" for a plain file.

    ``target`` is the file's new name: a wheel whose label changes is renamed. ``document`` is the
    converted metadata, ``more`` are other members of the wheel that change with it.
    """

    path: Path
    member: str
    target: Path
    before: bytes
    after: bytes
    changes: tuple[Change, ...]
    document: Json
    more: dict[str, bytes] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The name for messages: ``x.whl!x-1.dist-info/variant.json``."""
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    @property
    def is_changed(self) -> bool:
        """Tell whether there is anything to write; a current file keeps its bytes."""
        return bool(self.changes)

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff, without line ends."""
        old = self.before.decode()
        if self.path.name != PYPROJECT and old:
            # The old text is brought into the new one's form, or every line would differ.
            old = json.dumps(json.loads(old), indent=4, sort_keys=True)
        new = self.after.decode().splitlines()
        names = (self.source, str(self.target))
        yield from difflib.unified_diff(old.splitlines(), new, *names, lineterm="", n=2)

    def write(self) -> None:
        """Write the file in place, under its new name if it has one."""
        if not self.is_changed:
            return
        if not self.member:
            write_atomically(self.path, self.after)
            return
        rewrite(self.path, self.target, {self.member: self.after, **self.more})
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
                form = f"1 to {MAX_FILES} variant wheels, *{INDEX_SUFFIX} or {PYPROJECT}"
                raise InvalidValueError(f"{path}: seen {len(found)} of them, expected {form}")
            yield from found
        elif not path.is_file():
            raise InvalidValueError(f"{path}: no such file or folder")
        else:
            yield path


def _is_wanted(path: Path) -> bool:
    if path.suffix == ".whl":
        return bool(WheelName.parse(path.name).label)
    if path.name == PYPROJECT:
        # Most projects have no variants, and that is nothing to convert.
        return f"[{TABLE}".encode() in _read(path)
    return path.name.endswith(INDEX_SUFFIX)


def _planned(path: Path, target: Specification) -> Planned:
    if path.suffix == ".whl":
        return _planned_wheel(path, target)
    if path.name == PYPROJECT:
        return _planned_project(path, target)
    if path.suffix != ".json":
        form = f"a JSON file, {PYPROJECT}, a wheel or a folder"
        raise InvalidValueError(f"{path}: expected {form}")
    data = _read(path)
    return _plan_document(path, "", data, _converted(data, str(path), target))


def _planned_project(path: Path, target: Specification) -> Planned:
    if target is not TARGETS["850"]:
        raise InvalidValueError(f"{path}: names providers, which PEP 825 leaves out: use --to 850")
    data = _read(path)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MetadataError(str(path), "", str(error)[:80], "a TOML document in UTF-8") from error
    edited, table, changes = convert_text(text, str(path))
    return Planned(path, "", path, data, edited.encode(), changes, table)


def _plan_document(path: Path, member: str, before: bytes, done: Conversion) -> Planned:
    after = done.metadata.to_json().encode() if done.changes else before
    return Planned(path, member, path, before, after, done.changes, json.loads(after))


def _planned_wheel(path: Path, target: Specification) -> Planned:
    name = WheelName.parse(path.name)
    archive = WheelArchive(path)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    stated_in = f"{archive.dist_info}/{_METADATA}"
    rest, fields = split_fields(archive.read(stated_in))
    if member in archive:
        data = archive.read(member)
        done = _converted(data, f"{path}!{member}", target)
        planned = _plan_document(path, member, data, done)
        if fields:
            _hold_to(fields, done, f"{path}!{stated_in}", name.label)
    elif fields and name.label:
        source = f"{path}!{stated_in}"
        done = convert(to_draft(fields, source, name.label), source, target)
        planned = _plan_document(path, member, b"", done)
    else:
        raise InvalidValueError(f"{path}: has no {WHEEL_METADATA_NAME}")
    if fields:
        reason = "installers read variant.json alone, and that has all of it"
        change = Change(_METADATA, f"removed {len(fields)} fields Variant-*", reason)
        changes = (*planned.changes, change)
        after = done.metadata.to_json().encode()
        planned = replace(planned, changes=changes, after=after, more={stated_in: rest})
    return _renamed(planned, archive, name, done)


def _hold_to(
    fields: tuple[tuple[str, str], ...], done: Conversion, source: str, label: str
) -> None:
    """Refuse fields that contradict the metadata beside them: one of the two is wrong."""
    label = done.renamed.get(label, label)
    properties = tuple(it for it in fields if it[0] == "variant-property")
    told = _sets(to_draft(properties, source, label)["variants"][label])
    stated = _sets(done.metadata.variants.get(label, {}))
    if told != stated:
        advice = f"the properties of {WHEEL_METADATA_NAME}, or none: one of the two is wrong"
        raise ConversionRefusedError(source, "Variant-property", str(told)[:80], advice)


def _sets(variant: Mapping[str, Mapping[str, Iterable[str]]]) -> dict[str, dict[str, set[str]]]:
    return {
        namespace: {feature: set(values) for feature, values in features.items()}
        for namespace, features in variant.items()
    }


def _renamed(planned: Planned, archive: WheelArchive, name: WheelName, done: Conversion) -> Planned:
    new_label = done.renamed.get(name.label)
    if new_label is None:
        return planned
    _refuse_markers(planned, archive, done)
    return replace(planned, target=planned.path.with_name(str(replace(name, label=new_label))))


def _converted(data: bytes, source: str, target: Specification) -> Conversion:
    document = parse_document(data, source, Kind.RELEASE)
    if document.broken is not None:
        expected = "a JSON object in UTF-8, every key once"
        raise MetadataError(source, "", document.reason, expected)
    return convert(document.raw, source, target)


def _refuse_markers(planned: Planned, archive: WheelArchive, done: Conversion) -> None:
    """Refuse to rename a label that requirements name: those are not ours to edit."""
    text = archive.read(f"{archive.dist_info}/{_METADATA}").decode("utf-8", "replace")
    for label in done.renamed:
        for line in _REQUIRES.findall(text):
            if label in line:
                advice = f"no marker with the label {label}, which has to be renamed"
                raise ConversionRefusedError(planned.source, "Requires-Dist", line, advice)


def _read(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)
