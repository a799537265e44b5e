"""Stand-in wheels: a few hundred bytes each, with real names, tags and variant metadata.

They install, and hold nothing of the project whose name they have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import write_atomically
from nvidia_variant_provider.tools.metadata.document import SCHEMA_850
from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.releases.files import ReleaseKey
from nvidia_variant_provider.tools.releases.source import read_wheel_metadata
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.writer import new_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant

# The specifier admits 0.0.1, uv's built-in copy, and every release of the real provider.
NVIDIA: Final = Provider(
    requires=("nvidia-variant-provider>=0.0.1,<1.0.0",),
    plugin_api="nvidia_variant_provider.plugin:NvidiaVariantPlugin",
)
# The classifier makes PyPI refuse the wheel.
_METADATA: Final = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: A stand-in for demonstrations, without any code of the project of this name
Classifier: Private :: Do Not Upload
"""
_WHEEL: Final = """\
Wheel-Version: 1.0
Generator: stand-in
Root-Is-Purelib: true
Tag: {python}-{abi}-{platform}
"""


def release_metadata(
    variants: Mapping[str, Variant], static: Mapping[str, Provider] | None = None
) -> VariantMetadata:
    """Return the metadata of a release whose variants use ``nvidia`` and static namespaces."""
    providers = {"nvidia": NVIDIA, **(static or {})}
    return VariantMetadata(
        schema_url=SCHEMA_850,
        namespaces=tuple(providers),
        providers=providers,
        variants=dict(variants),
    )


def check_others(folder: Path, own: Iterable[WheelName]) -> None:
    """Refuse a folder of somebody else's wheels: stand-ins must not pass for the real ones.

    Raises ``InvalidValueError``.
    """
    known = set(map(str, own))
    others = sorted(path.name for path in folder.glob("*.whl") if path.name not in known)
    if others:
        raise InvalidValueError(
            f"{folder}: has other wheels ({others[0]}); expected a folder for stand-ins alone"
        )


def write_wheel(
    folder: Path,
    wheel: WheelName,
    metadata: VariantMetadata | None,
    requires: Iterable[str] = (),
) -> Path:
    """Write a pure Python wheel into a folder; a variant wheel carries its own label's metadata."""
    dist_info = f"{wheel.name}-{wheel.version}.dist-info"
    files = {
        f"{wheel.name}/__init__.py": f"__version__ = {wheel.version!r}\nbuild = {wheel.label!r}\n",
        f"{dist_info}/METADATA": _METADATA.format(name=wheel.name, version=wheel.version)
        + "".join(f"Requires-Dist: {requirement}\n" for requirement in requires),
        f"{dist_info}/WHEEL": _WHEEL.format(
            python=wheel.python, abi=wheel.abi, platform=wheel.platform
        ),
    }
    if wheel.label and metadata is not None:
        files[f"{dist_info}/{VARIANT_JSON}"] = metadata.of_label(wheel.label).to_json()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / str(wheel)
    members = {name: text.encode() for name, text in files.items()}
    write_atomically(path, new_wheel(dist_info, members))
    return path


def write_index_metadata(folder: Path, wheels: Iterable[Path]) -> Path:
    """Write ``{name}-{version}-variants.json`` from what the wheels of one release carry."""
    names = {path: WheelName.parse(path.name) for path in wheels}
    labelled = [path for path, name in names.items() if name.label]
    combined = union((path.name, read_wheel_metadata(str(path))) for path in labelled)
    target = folder / ReleaseKey.of_wheel(names[labelled[0]]).metadata_name
    write_atomically(target, combined.to_json().encode())
    return target


def null_wheel(name: str, version: str) -> WheelName:
    """Return the name of the wheel with the null variant: for every platform, without a GPU."""
    return WheelName(name, version, "", "py3", "none", "any", NULL_LABEL)
