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
    from pathlib import Path

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
) -> tuple[Path, tuple[str, ...]]:
    """Write the variant wheel into a folder; return its path and remarks on what was dropped."""
    target = _target(folder, str(tagged_name(wheel, variant.label)), force=force)
    archive = WheelArchive(wheel)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    if member in archive:
        raise InvalidValueError(f"{wheel.name}: has {member}, though its name has no label")
    rewrite(wheel, target, {member: variant.to_json().encode()}, archive.signatures)
    return target, _dropped(archive)


def write_plain(wheel: Path, folder: Path, *, force: bool = False) -> tuple[Path, tuple[str, ...]]:
    """Write the ordinary wheel of a variant into a folder; return its path and remarks."""
    from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata

    name = WheelName.parse(wheel.name)
    if not name.label:
        raise InvalidValueError(f"{wheel.name}: has no variant label to take off")
    target = _target(folder, str(dataclasses.replace(name, label="")), force=force)
    archive = WheelArchive(wheel)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    remarks = list(_dropped(archive))
    try:
        parse_wheel_metadata(archive.read(member), f"{wheel.name}: {member}", name.label)
    except InvalidValueError as error:
        remarks.append(f"the metadata that was taken out was not valid: {error}")
    if b"variant_" in archive.read(f"{archive.dist_info}/METADATA"):
        remarks.append("METADATA speaks of variants; its requirements may need a look")
    removed = {*archive.signatures, *([member] if member in archive else [])}
    rewrite(wheel, target, {}, removed)
    return target, tuple(remarks)


def _target(folder: Path, name: str, *, force: bool) -> Path:
    target = folder / name
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: no such folder")
    if os.path.lexists(target) and not force:
        raise InvalidValueError(f"{target}: is there already; --force replaces it")
    return target


def _dropped(archive: WheelArchive) -> tuple[str, ...]:
    return tuple(f"{name} was dropped: it signed the old RECORD" for name in archive.signatures)
