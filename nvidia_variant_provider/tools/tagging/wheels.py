"""Write the variant wheel of an ordinary one, and the ordinary one of a variant."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.tools.wheels.rewrite import rewrite

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
    path: Path, folder: Path, variant: WheelVariant, *, force: bool = False, check: bool = True
) -> tuple[Path, tuple[str, ...]]:
    """Write the variant wheel into a folder; return its path and remarks on what was dropped."""
    with OpenWheel(path) as wheel:
        return add_variant(wheel, folder, variant, force=force, check=check)


def add_variant(
    wheel: OpenWheel, folder: Path, variant: WheelVariant, *, force: bool, check: bool
) -> tuple[Path, tuple[str, ...]]:
    """Do the same with a wheel that is open, and close it; ``check`` is that of ``rewrite``."""
    target = _target(folder, str(tagged_name(wheel.path, variant.label)), force=force)
    wheel.check()
    if wheel.variant_path in wheel.archive:
        raise InvalidValueError(
            f"{wheel.path.name}: has {wheel.variant_path}, though its name has no label"
        )
    added = {wheel.variant_path: variant.to_json().encode()}
    rewrite(wheel, target, added, wheel.signatures, check=check)
    return target, _dropped(wheel)


def write_plain(
    path: Path, folder: Path, *, force: bool = False, check: bool = True
) -> tuple[Path, tuple[str, ...]]:
    """Write the ordinary wheel of a variant into a folder; return its path and remarks."""
    from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata

    name = WheelName.parse(path.name)
    if not name.label:
        raise InvalidValueError(f"{path.name}: has no variant label to take off")
    target = _target(folder, str(dataclasses.replace(name, label="")), force=force)
    with OpenWheel(path) as wheel:
        wheel.check()
        remarks = list(_dropped(wheel))
        removed, data = set(wheel.signatures), wheel.variant_json
        if data is None:
            remarks.append(f"{path.name}: has no {wheel.variant_path} to take out")
        else:
            removed.add(wheel.variant_path)
            try:
                parse_wheel_metadata(data, f"{path.name}: {wheel.variant_path}", name.label)
            except InvalidValueError as error:
                remarks.append(f"the metadata that was taken out was not valid: {error}")
        if b"variant_" in wheel.metadata:
            remarks.append("METADATA speaks of variants; its requirements may need a look")
        rewrite(wheel, target, {}, removed, check=check)
    return target, tuple(remarks)


def _target(folder: Path, name: str, *, force: bool) -> Path:
    target = folder / name
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: no such folder")
    if os.path.lexists(target) and not force:
        raise InvalidValueError(f"{target}: is there already; --force replaces it")
    return target


def _dropped(wheel: OpenWheel) -> tuple[str, ...]:
    return tuple(f"{name} was dropped: it signed the old RECORD" for name in wheel.signatures)
