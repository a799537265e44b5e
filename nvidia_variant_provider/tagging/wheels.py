"""Write the variant wheel of an ordinary one, and the ordinary one of a variant."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.metadata.model import (
    SCHEMA_850,
    WHEEL_METADATA_NAME,
    DefaultPriorities,
    Provider,
    VariantMetadata,
)
from nvidia_variant_provider.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.ordering import NULL_LABEL
from nvidia_variant_provider.tagging.statement import NAMESPACE
from nvidia_variant_provider.wheels.name import WheelName
from nvidia_variant_provider.wheels.rewrite import WheelArchive, rewrite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The specifier admits 0.0.1, uv's built-in copy, and every release of this provider.
NVIDIA: Final = Provider(
    requires=("nvidia-variant-provider>=0.0.1,<1.0.0",),
    plugin_api="nvidia_variant_provider.plugin:NvidiaVariantPlugin",
)
PRIORITY_NAMESPACE: Final = "priority"
PRIORITY_FEATURE: Final = "order"
PRIORITIES: Final = tuple(str(number) for number in range(1, 10))
_PRIORITY: Final = Provider(static_properties={PRIORITY_FEATURE: PRIORITIES})


def build_metadata(
    label: str, features: Mapping[str, tuple[str, ...]], priority: int | None = None
) -> VariantMetadata:
    """Return the metadata of one variant; with no features that of the null variant.

    All variants of a release, null included, name the same provider of ``nvidia``. ``priority``
    adds a namespace with fixed values, the least significant one, that breaks ties: 1 wins.
    """
    if bool(features) == (label == NULL_LABEL):
        raise InvalidValueError(f"the label {NULL_LABEL!r} is for the variant without properties")
    variant = {NAMESPACE: dict(features)} if features else {}
    providers = {NAMESPACE: NVIDIA}
    if priority is not None:
        if str(priority) not in PRIORITIES or not features:
            raise InvalidValueError(
                f"a priority is {PRIORITIES[0]} to {PRIORITIES[-1]}, and not of the null variant"
            )
        providers[PRIORITY_NAMESPACE] = _PRIORITY
        variant[PRIORITY_NAMESPACE] = {PRIORITY_FEATURE: (str(priority),)}
    return VariantMetadata(
        schema_url=SCHEMA_850,
        default_priorities=DefaultPriorities(namespace=tuple(providers)),
        providers=providers,
        variants={label: variant},
    )


def tagged_name(wheel: Path, label: str) -> WheelName:
    """Return the name of the variant; raises ``InvalidValueError`` for a wheel that is one."""
    name = WheelName.parse(wheel.name)
    if name.label:
        raise InvalidValueError(
            f"{wheel.name}: is the variant {name.label!r} already; take the label off with untag"
        )
    return WheelName.parse(str(dataclasses.replace(name, label=label)))


def write_variant(
    wheel: Path, folder: Path, metadata: VariantMetadata, *, force: bool = False
) -> tuple[Path, tuple[str, ...]]:
    """Write the variant wheel into a folder; return its path and remarks on what was dropped."""
    (label,) = metadata.variants
    target = _target(folder, str(tagged_name(wheel, label)), force=force)
    archive = WheelArchive(wheel)
    member = f"{archive.dist_info}/{WHEEL_METADATA_NAME}"
    if member in archive:
        raise InvalidValueError(f"{wheel.name}: has {member}, though its name has no label")
    rewrite(wheel, target, {member: metadata.to_json().encode()}, archive.signatures)
    return target, _dropped(archive)


def write_plain(wheel: Path, folder: Path, *, force: bool = False) -> tuple[Path, tuple[str, ...]]:
    """Write the ordinary wheel of a variant into a folder; return its path and remarks."""
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
