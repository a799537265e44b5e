"""Writes stand-in wheels: a few hundred bytes each, with real names, tags and variant metadata."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.metadata.document import SCHEMA_850
from nvidia_variant_provider.tools.metadata.model import (
    DefaultPriorities,
    Provider,
    VariantMetadata,
)
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant

# The specifier admits 0.0.1, uv's built-in copy, and every release of the real provider.
NVIDIA: Final = Provider(
    requires=("nvidia-variant-provider>=0.0.1,<1.0.0",),
    plugin_api="nvidia_variant_provider.plugin:NvidiaVariantPlugin",
)

# Wheels written twice are the same bytes: zip files start counting the days here.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def release_metadata(
    variants: Mapping[str, Variant], static: Mapping[str, Provider] | None = None
) -> VariantMetadata:
    """Return the metadata of a release whose variants use ``nvidia`` and static namespaces."""
    providers = {"nvidia": NVIDIA, **(static or {})}
    return VariantMetadata(
        schema_url=SCHEMA_850,
        default_priorities=DefaultPriorities(namespace=tuple(providers)),
        providers=providers,
        variants=dict(variants),
    )


def write_wheel(folder: Path, wheel: WheelName, metadata: VariantMetadata | None) -> Path:
    """Write a pure Python wheel into a folder; a variant wheel carries its own label's metadata."""
    dist_info = f"{wheel.name}-{wheel.version}.dist-info"
    files = {
        f"{wheel.name}/__init__.py": f"__version__ = {wheel.version!r}\nbuild = {wheel.label!r}\n",
        f"{dist_info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {wheel.name}\nVersion: {wheel.version}\n"
        ),
        f"{dist_info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\n"
            f"Tag: {wheel.python}-{wheel.abi}-{wheel.platform}\n"
        ),
    }
    if wheel.label and metadata is not None:
        files[f"{dist_info}/{VARIANT_JSON}"] = metadata.of_label(wheel.label).to_json()
    record = "".join(f"{name},{_hash(text)},{len(text.encode())}\n" for name, text in files.items())
    files[f"{dist_info}/RECORD"] = f"{record}{dist_info}/RECORD,,\n"
    path = folder / str(wheel)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text)
    return path


def write_index_metadata(folder: Path, wheels: Iterable[Path]) -> Path:
    """Write ``{name}-{version}-variants.json`` from what the wheels of one release carry."""
    parts = []
    for path in wheels:
        name = WheelName.parse(path.name)
        if name.label:
            parts.append((path.name, read_wheel_metadata(path)))
    target = folder / name.metadata_name
    target.write_text(union(parts).to_json(), encoding="utf-8")
    return target


def read_wheel_metadata(path: Path) -> VariantMetadata:
    """Read the metadata that a variant wheel carries."""
    name = WheelName.parse(path.name)
    member = f"{name.name}-{name.version}.dist-info/{VARIANT_JSON}"
    with zipfile.ZipFile(path) as archive:
        return parse_wheel_metadata(archive.read(member), f"{path.name}!{member}", name.label)


def installed_label(folder: Path, name: str, version: str) -> str | None:
    """Return the label of what was installed into a folder; ``None`` for a wheel without one."""
    dist_info = folder / f"{name}-{version}.dist-info"
    if not (dist_info / "METADATA").is_file():
        raise FileNotFoundError(f"{name} {version} was not installed")
    path = dist_info / VARIANT_JSON
    if not path.is_file():
        return None
    # Whatever draft the file is of: what was installed is the question, not who could read it.
    (label,) = json.loads(path.read_bytes())["variants"]
    return str(label)


def null_wheel(name: str, version: str) -> WheelName:
    """Return the name of the wheel with the null variant: for every platform, without a GPU."""
    return WheelName(name, version, "", "py3", "none", "any", NULL_LABEL)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
