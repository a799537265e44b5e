"""Write the variant wheel of an ordinary one, and the ordinary one of a variant."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.tagging.local_version import (
    pins_of_local_versions,
    public_folders,
    public_metadata,
    public_name,
)
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.tools.wheels.writer import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.bake import Baked
    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.tagging.variant import WheelVariant


def tagged_name(wheel: Path, label: str, *, strip_local: bool = False) -> WheelName:
    """Return the name of the variant; raises ``InvalidValueError`` for a wheel that is one.

    ``strip_local`` takes a local version out of it.
    """
    name = WheelName.parse(wheel.name)
    if name.label:
        raise InvalidValueError(
            f"{wheel.name}: is the variant {name.label!r} already; take the label off with untag"
        )
    labelled = WheelName.parse(str(dataclasses.replace(name, label=label)))
    return public_name(labelled) if strip_local else labelled


def write_variant(
    path: Path,
    folder: Path,
    variant: WheelVariant,
    *,
    force: bool = False,
    bake_markers: bool = False,
    strip_local: bool = False,
) -> tuple[Path, tuple[str, ...]]:
    """Write the variant wheel into a folder; return its path and remarks on what else changed.

    ``bake_markers`` answers the variant markers of METADATA for the label; without it they are
    remarked on. ``strip_local`` makes 2.0 of the version 2.0+cu126, in name and content.
    """
    with OpenWheel(path) as wheel:
        return add_variant(
            wheel,
            folder,
            variant,
            force=force,
            bake_markers=bake_markers,
            strip_local=strip_local,
        )


def add_variant(
    wheel: OpenWheel,
    folder: Path,
    variant: WheelVariant,
    *,
    force: bool = False,
    bake_markers: bool = False,
    strip_local: bool = False,
    check: bool = True,
) -> tuple[Path, tuple[str, ...]]:
    """Do as ``write_variant`` with a wheel that is open; ``check`` is that of ``rewrite``."""
    name = tagged_name(wheel.path, variant.label, strip_local=strip_local)
    target = _target(folder, str(name), force=force)
    wheel.check()
    if wheel.variant_path in wheel.archive:
        raise InvalidValueError(
            f"{wheel.path.name}: has {wheel.variant_path}, though its name has no label"
        )
    replace = {wheel.variant_path: variant.to_json().encode()}
    remarks = [*_dropped(wheel)]
    if _has_markers(wheel) and bake_markers:
        baked = _bake(wheel, variant.label, variant.properties)
        replace[wheel.metadata_path] = baked.metadata
        remarks += [f"METADATA: {change}" for change in baked.changes]
    elif _has_markers(wheel):
        remarks += _on_markers(wheel, variant.label)
    folders: dict[str, str] = {}
    if "+" in wheel.name.version and strip_local:
        metadata = replace.get(wheel.metadata_path, wheel.metadata)
        replace[wheel.metadata_path] = public_metadata(metadata)
        folders = public_folders(wheel)
        remarks += _on_pins(wheel)
    elif "+" in wheel.name.version:
        remarks.append(_on_local_version(wheel))
    rewrite(wheel, target, replace, wheel.signatures, folders=folders, check=check)
    return target, tuple(remarks)


def write_plain(
    path: Path, folder: Path, *, force: bool = False, check: bool = True, dry_run: bool = False
) -> tuple[Path, tuple[str, ...]]:
    """Write the ordinary wheel of a variant into a folder; return its path and remarks.

    Variant markers in METADATA are answered for the label that is taken off: the content is that
    build's, and no installer reads them in a wheel without a label.
    """
    name = WheelName.parse(path.name)
    if not name.label:
        raise InvalidValueError(f"{path.name}: has no variant label to take off")
    target = _target(folder, str(dataclasses.replace(name, label="")), force=force)
    with OpenWheel(path) as wheel:
        wheel.check()
        removed = {*wheel.signatures}
        if wheel.variant_json is not None:
            removed.add(wheel.variant_path)
        replace, remarks = _without_label(wheel)
        if not dry_run:
            rewrite(wheel, target, replace, removed, check=check)
    return target, (*_dropped(wheel), *remarks)


def _without_label(wheel: OpenWheel) -> tuple[dict[str, bytes], list[str]]:
    """Return what changes in METADATA once the label is gone, and remarks."""
    from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata

    label, source = wheel.name.label, f"{wheel.path.name}: {wheel.variant_path}"
    remarks = []
    try:
        stated = parse_wheel_metadata(wheel.variant_json or b"", source, label).variants[label]
    except InvalidValueError as error:
        is_absent = wheel.variant_json is None
        text = f"{wheel.path.name}: has no {wheel.variant_path}" if is_absent else str(error)
        remarks.append(f"the metadata that was taken out was not valid: {text}")
        if _has_markers(wheel):
            remarks.append("METADATA keeps its variant markers, which pip and uv refuse")
        return {}, remarks
    if not _has_markers(wheel):
        return {}, remarks
    baked = _bake(wheel, label, stated)
    remarks += [f"METADATA: {change}" for change in baked.changes]
    return {wheel.metadata_path: baked.metadata}, remarks


def _has_markers(wheel: OpenWheel) -> bool:
    """Tell whether METADATA may have variant markers, which cost time to read."""
    return b"variant_" in wheel.metadata


def _bake(wheel: OpenWheel, label: str, properties: Properties) -> Baked:
    from nvidia_variant_provider.tools.metadata.bake import bake

    source = f"{wheel.path.name}: {wheel.metadata_path}"
    return bake(wheel.metadata, label, properties, source)


def _on_local_version(wheel: OpenWheel) -> str:
    return (
        f"the greatest local version wins before any label counts: {wheel.name.version} never"
        " competes with builds of another local version; --strip-local takes it out"
    )


def _on_pins(wheel: OpenWheel) -> Iterator[str]:
    """Remark on requirements that ask for a local version of another project."""
    for pin in pins_of_local_versions(wheel):
        yield (
            f"METADATA requires {pin}: no wheel meets that whose local version was taken out;"
            " change it in the build"
        )


def _on_markers(wheel: OpenWheel, label: str) -> Iterator[str]:
    """Remark on variant markers that stay, and on labels among them that are not the wheel's."""
    from nvidia_variant_provider.tools.metadata.bake import marked_requirements
    from nvidia_variant_provider.tools.metadata.markers import LABEL

    source = f"{wheel.path.name}: {wheel.metadata_path}"
    marked = marked_requirements(wheel.metadata, source)
    if not marked:
        return
    tests = [test for requirement in marked for test in requirement.tests]
    equal = (test.value for test in tests if test.variable == LABEL and test.operator == "==")
    named = set(filter(None, equal))
    is_other = bool(named) and label not in named
    other = f"; they name {', '.join(sorted(named))}, not {label}" if is_other else ""
    yield (
        f"{len(marked)} requirement{'s' * (len(marked) > 1)} of METADATA with a variant marker,"
        f" which no installer reads: uv refuses the release; --bake-markers answers them for"
        f" {label}{other}"
    )


def _target(folder: Path, name: str, *, force: bool) -> Path:
    target = folder / name
    if os.path.lexists(folder) and not folder.is_dir():
        raise InvalidValueError(f"{folder}: is not a folder; expected a folder to write to")
    if os.path.lexists(target) and not force:
        raise InvalidValueError(f"{target}: is there already; --force replaces it")
    return target


def _dropped(wheel: OpenWheel) -> tuple[str, ...]:
    return tuple(f"{name} was dropped: it signed the old RECORD" for name in wheel.signatures)
