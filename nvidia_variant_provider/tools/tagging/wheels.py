"""Write the variant wheel of an ordinary one, and the ordinary one of a variant."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.document import WHEEL_METADATA_NAME
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.rewrite import WheelArchive, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.bake import Baked
    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.tagging.variant import WheelVariant


def tagged_name(wheel: Path, label: str) -> WheelName:
    """Return the name of the variant; raises ``InvalidValueError`` for a wheel that is one."""
    name = WheelName.parse(wheel.name)
    if name.label:
        raise InvalidValueError(
            f"{wheel.name}: is the variant {name.label!r} already; take the label off with untag"
        )
    return WheelName.parse(str(dataclasses.replace(name, label=label)))


def write_variant(
    wheel: Path,
    folder: Path,
    variant: WheelVariant,
    *,
    force: bool = False,
    bake_markers: bool = False,
) -> tuple[Path, tuple[str, ...]]:
    """Write the variant wheel into a folder; return its path and remarks on what else changed.

    ``bake_markers`` answers the variant markers of METADATA for the label; without it they are
    remarked on.
    """
    target = _target(folder, str(tagged_name(wheel, variant.label)), force=force)
    archive = WheelArchive(wheel)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    if member in archive:
        raise InvalidValueError(f"{wheel.name}: has {member}, though its name has no label")
    replace = {member: variant.to_json().encode()}
    remarks = list(_dropped(archive))
    if (stated_in := _marked_metadata(archive)) and bake_markers:
        baked = _bake(archive, stated_in, variant.label, variant.properties)
        replace[stated_in] = baked.metadata
        remarks += [f"METADATA: {it}" for it in baked.changes]
    elif stated_in:
        remarks += _on_markers(archive, stated_in, variant.label)
    rewrite(wheel, target, replace, archive.signatures)
    return target, tuple(remarks)


def write_plain(wheel: Path, folder: Path, *, force: bool = False) -> tuple[Path, tuple[str, ...]]:
    """Write the ordinary wheel of a variant into a folder; return its path and remarks.

    Variant markers in METADATA are answered for the label that is taken off: the content is that
    build's, and no installer reads them in a wheel without a label.
    """
    from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata

    name = WheelName.parse(wheel.name)
    if not name.label:
        raise InvalidValueError(f"{wheel.name}: has no variant label to take off")
    target = _target(folder, str(dataclasses.replace(name, label="")), force=force)
    archive = WheelArchive(wheel)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    remarks = list(_dropped(archive))
    replace: dict[str, bytes] = {}
    stated_in = _marked_metadata(archive)
    try:
        source = f"{wheel.name}: {member}"
        found = parse_wheel_metadata(archive.read(member), source, name.label)
    except InvalidValueError as error:
        remarks.append(f"the metadata that was taken out was not valid: {error}")
        if stated_in:
            remarks.append("METADATA keeps its variant markers, which pip and uv refuse")
    else:
        if stated_in:
            baked = _bake(archive, stated_in, name.label, found.variants[name.label])
            replace[stated_in] = baked.metadata
            remarks += [f"METADATA: {it}" for it in baked.changes]
    removed = {*archive.signatures, *([member] if member in archive else [])}
    rewrite(wheel, target, replace, removed)
    return target, tuple(remarks)


def _marked_metadata(archive: WheelArchive) -> str:
    """Return the name of METADATA if it may have variant markers, which cost time to read."""
    name = f"{archive.dist_info}/METADATA"
    return name if name in archive and b"variant_" in archive.read(name) else ""


def _bake(archive: WheelArchive, name: str, label: str, properties: Properties) -> Baked:
    from nvidia_variant_provider.tools.metadata.bake import bake

    return bake(archive.read(name), label, properties, f"{archive.path.name}: {name}")


def _on_markers(archive: WheelArchive, name: str, label: str) -> Iterator[str]:
    """Remark on variant markers that stay, and on labels among them that are not the wheel's."""
    from nvidia_variant_provider.tools.metadata.bake import marked_requirements
    from nvidia_variant_provider.tools.metadata.markers import LABEL

    found = marked_requirements(archive.read(name), f"{archive.path.name}: {name}")
    if not found:
        return
    tests = [it for marked in found for it in marked.tests]
    named = {it.value for it in tests if it.variable == LABEL and it.operator == "=="} - {""}
    is_other = bool(named) and label not in named
    other = f"; they name {', '.join(sorted(named))}, not {label}" if is_other else ""
    yield (
        f"{len(found)} requirement{'s' * (len(found) > 1)} of METADATA with a variant marker, which"
        f" no installer reads: uv refuses the release; --bake-markers answers them for"
        f" {label}{other}"
    )


def _target(folder: Path, name: str, *, force: bool) -> Path:
    target = folder / name
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: no such folder")
    if os.path.lexists(target) and not force:
        raise InvalidValueError(f"{target}: is there already; --force replaces it")
    return target


def _dropped(archive: WheelArchive) -> tuple[str, ...]:
    return tuple(f"{name} was dropped: it signed the old RECORD" for name in archive.signatures)
