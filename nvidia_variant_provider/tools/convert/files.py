"""Converts files: reads every one first, so that a refusal leaves all of them as they are."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.convert.document import TARGETS, convert
from nvidia_variant_provider.tools.convert.draft import Change, ConversionRefusedError
from nvidia_variant_provider.tools.convert.fields import split_fields, to_draft
from nvidia_variant_provider.tools.convert.pyproject import TABLE, convert_text
from nvidia_variant_provider.tools.files import missing, read_bounded, write_atomically
from nvidia_variant_provider.tools.metadata.as_written import PYPROJECT, Kind, parse_document
from nvidia_variant_provider.tools.metadata.bake import bake, marked_requirements
from nvidia_variant_provider.tools.metadata.markers import LABEL
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES
from nvidia_variant_provider.tools.releases.files import MAX_FILES, METADATA_SUFFIX
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.tools.wheels.writer import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.convert.document import Conversion
    from nvidia_variant_provider.tools.convert.draft import Json
    from nvidia_variant_provider.tools.metadata.bake import Baked
    from nvidia_variant_provider.tools.metadata.schemas import Specification

_METADATA: Final = "METADATA"


@dataclass(frozen=True, slots=True)
class Planned:
    """One file with its conversion; ``member`` is the file within a wheel, "" for a plain file.

    ``target`` is the file's new name: a wheel whose label changes is renamed. ``document`` is the
    converted metadata, empty for METADATA. ``more`` are other members of the wheel that change
    with it: their bytes before and after.
    """

    path: Path
    member: str
    target: Path
    before: bytes
    after: bytes
    changes: tuple[Change, ...]
    document: Json
    more: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

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
        old = self.before.decode("utf-8", "replace")
        if self.document and self.path.name != PYPROJECT and old:
            # The old text is brought into the new one's form, or every line would differ.
            old = json.dumps(json.loads(old), indent=4, sort_keys=True)
        yield from _diff(old, self.after.decode("utf-8", "replace"), self.source, str(self.target))
        for member, (before, after) in self.more.items():
            names = (f"{self.path}!{member}", f"{self.target}!{member}")
            yield from _diff(
                before.decode("utf-8", "replace"), after.decode("utf-8", "replace"), *names
            )

    def write(self) -> None:
        """Write the file in place, under its new name if it has one."""
        if not self.is_changed:
            return
        if not self.member:
            write_atomically(self.path, self.after)
            return
        members = {self.member: (self.before, self.after), **self.more}
        changed = {name: after for name, (before, after) in members.items() if after != before}
        with OpenWheel(self.path) as wheel:
            rewrite(wheel, self.target, changed)
        if self.target != self.path:
            self.path.unlink()


def plan(
    paths: Iterable[str], target: Specification, *, bake_markers: bool = False
) -> tuple[Planned, ...]:
    """Convert files and folders in memory; raises ``MetadataError`` and ``InvalidValueError``.

    ``bake_markers`` also answers the variant markers in METADATA of every wheel for its label;
    wheels without one are then wanted too.
    """
    planned = [
        _planned(path, target, baking=bake_markers)
        for path in _files(paths, plain_too=bake_markers)
    ]
    names = Counter(file.target for file in planned)
    for file in planned:
        if file.target != file.path and (file.target.exists() or names[file.target] > 1):
            raise InvalidValueError(
                f"{file.path}: becomes {file.target.name}, which is there already"
            )
    return tuple(planned)


def write(planned: Sequence[Planned]) -> None:
    """Write everything that changes: the wheels first, as the files of releases point at them."""
    for file in sorted(planned, key=lambda file: not file.member):
        file.write()


def _diff(old: str, new: str, source: str, target: str) -> Iterator[str]:
    lines = (old.splitlines(), new.splitlines())
    yield from difflib.unified_diff(*lines, source, target, lineterm="", n=2)


def _files(paths: Iterable[str], *, plain_too: bool) -> Iterator[Path]:
    for text in paths:
        path = Path(text)
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if _is_wanted(file, plain_too=plain_too))
            if not files or len(files) > MAX_FILES:
                form = f"1 to {MAX_FILES} variant wheels, *{METADATA_SUFFIX} or {PYPROJECT}"
                raise InvalidValueError(f"{path}: seen {len(files)} of them, expected {form}")
            yield from files
        elif not path.exists():
            raise InvalidValueError(f"{path}: {missing(str(path))}")
        else:
            yield path


def _is_wanted(path: Path, *, plain_too: bool) -> bool:
    if path.suffix == ".whl":
        return bool(WheelName.parse(path.name).label) or plain_too
    if path.name == PYPROJECT:
        # Most projects have no variants, and that is nothing to convert.
        return f"[{TABLE}".encode() in _read(path)
    return path.name.endswith(METADATA_SUFFIX)


def _planned(path: Path, target: Specification, *, baking: bool) -> Planned:
    if path.suffix == ".whl":
        return _planned_wheel(path, target, baking=baking)
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


def _planned_wheel(path: Path, target: Specification, *, baking: bool) -> Planned:
    name = WheelName.parse(path.name)
    with OpenWheel(path) as wheel:
        wheel.check()
        metadata, data = wheel.metadata, wheel.variant_json
        member, stated_in = wheel.variant_path, wheel.metadata_path
    if baking and not name.label and data is None:
        return _planned_plain(path, stated_in, metadata)
    rest, fields = split_fields(metadata)
    if data is not None:
        done = _converted(data, f"{path}!{member}", target)
        planned = _plan_document(path, member, data, done)
        if fields:
            _hold_to(fields, done, f"{path}!{stated_in}", name.label)
    elif fields and name.label:
        source = f"{path}!{stated_in}"
        done = convert(to_draft(fields, source, name.label), source, target)
        planned = _plan_document(path, member, b"", done)
    else:
        raise InvalidValueError(f"{path}: has no {VARIANT_JSON}")
    if fields:
        planned = _without_fields(planned, stated_in, metadata, rest, len(fields))
        planned = replace(planned, after=done.metadata.to_json().encode())
    if baking:
        planned = _baked(planned, stated_in, metadata, rest, name.label, done)
    return _renamed(planned, metadata, name, done, baking=baking)


def _without_fields(
    planned: Planned, member: str, before: bytes, after: bytes, count: int
) -> Planned:
    reason = "installers read variant.json alone, and that has all of it"
    change = Change(_METADATA, f"removed {count} fields Variant-*", reason)
    return replace(planned, changes=(*planned.changes, change), more={member: (before, after)})


def _planned_plain(path: Path, member: str, before: bytes) -> Planned:
    """Plan a wheel without a label, in which only variant markers may be amiss."""
    baked = bake(before, "", {}, f"{path}!{member}")
    return Planned(path, member, path, before, baked.metadata, _as_changes(baked), {})


def _baked(
    planned: Planned, member: str, before: bytes, text: bytes, label: str, done: Conversion
) -> Planned:
    """Answer the markers for the label they were written for, the old one if it is renamed."""
    stated = done.metadata.variants.get(done.renamed.get(label, label), {})
    baked = bake(text, label, stated, f"{planned.path}!{member}")
    if not baked.changes:
        return planned
    changes = (*planned.changes, *_as_changes(baked))
    return replace(planned, changes=changes, more={member: (before, baked.metadata)})


def _as_changes(baked: Baked) -> tuple[Change, ...]:
    reason = "no released installer reads variant markers"
    return tuple(Change(_METADATA, change, reason) for change in baked.changes)


def _hold_to(
    fields: tuple[tuple[str, str], ...], done: Conversion, source: str, label: str
) -> None:
    """Refuse fields that contradict the metadata beside them: one of the two is wrong."""
    label = done.renamed.get(label, label)
    properties = tuple(field for field in fields if field[0] == "variant-property")
    told = _sets(to_draft(properties, source, label)["variants"][label])
    stated = _sets(done.metadata.variants.get(label, {}))
    if told != stated:
        advice = f"the properties of {VARIANT_JSON}, or none: one of the two is wrong"
        raise ConversionRefusedError(source, "Variant-property", str(told)[:80], advice)


def _sets(variant: Mapping[str, Mapping[str, Iterable[str]]]) -> dict[str, dict[str, set[str]]]:
    return {
        namespace: {feature: set(values) for feature, values in features.items()}
        for namespace, features in variant.items()
    }


def _renamed(
    planned: Planned, metadata: bytes, name: WheelName, done: Conversion, *, baking: bool
) -> Planned:
    new_label = done.renamed.get(name.label)
    if new_label is None:
        return planned
    if not baking:
        _refuse_markers(planned, metadata, done)
    return replace(planned, target=planned.path.with_name(str(replace(name, label=new_label))))


def _converted(data: bytes, source: str, target: Specification) -> Conversion:
    document = parse_document(data, source, Kind.RELEASE)
    if document.broken is not None:
        expected = "a JSON object in UTF-8, every key once"
        raise MetadataError(source, "", document.reason, expected)
    return convert(document.raw, source, target)


def _refuse_markers(planned: Planned, metadata: bytes, done: Conversion) -> None:
    """Refuse to rename a label that requirements name: those are edited only if asked for."""
    for marked in marked_requirements(metadata, f"{planned.path}!{_METADATA}"):
        for test in marked.tests:
            if test.variable == LABEL and any(label in test.value for label in done.renamed):
                advice = f"no marker with the label {test.value}, which is renamed: --bake-markers"
                raise ConversionRefusedError(planned.source, "Requires-Dist", str(test), advice)


def _read(path: Path) -> bytes:
    return read_bounded(path, MAX_BYTES)
