"""The ``.dist-info`` folder of a wheel: which one is the wheel's own, and the fields of METADATA.

The rules are those of pip and uv. Both refuse a wheel without the folder, with two of them, and
with that of another project; uv refuses a METADATA of another version. A version that only the
folder's name has is refused here, too, although uv installs such a wheel.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nvidia_variant_provider.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.wheels.name import WheelName

VARIANT_JSON: Final = "variant.json"
"""The file in the folder that makes a wheel a variant."""

_SUFFIX: Final = ".dist-info"
_KEY: Final = f"*{_SUFFIX}"
# Without these, neither pip nor uv installs a wheel.
REQUIRED: Final = ("METADATA", "WHEEL", "RECORD")
_WHEEL_MAJOR: Final = 1
# Projects with every extra written out have some thousands of fields.
_MOST_FIELDS: Final = 50_000


def find_dist_info(members: Iterable[str], name: WheelName, source: str) -> str:
    """Return the name of the folder, such as ``torch-2.14.1.dist-info``, however it is spelt.

    ``members`` are the paths in the wheel. Raises ``MetadataError`` naming ``source`` for a wheel
    with none, with two, with that of another project or version, or with a file missing in it.
    """
    paths = set(members)
    folders = sorted({path.partition("/")[0] for path in paths if _SUFFIX in path})
    folders = [folder for folder in folders if folder.endswith(_SUFFIX)]
    if not folders:
        raise MetadataError(source, _KEY, "no such folder", "one of this name and version")
    if len(folders) > 1:
        raise MetadataError(source, _KEY, f"{len(folders)}: {', '.join(folders)}", "one folder")
    project, _, version = folders[0].removesuffix(_SUFFIX).partition("-")
    if not _is_same(project, version, name):
        expected = f"{name.name}-{name.version}{_SUFFIX}, as the file's name says"
        raise MetadataError(source, _KEY, folders[0], expected)
    for required in REQUIRED:
        if f"{folders[0]}/{required}" not in paths:
            raise MetadataError(source, f"{folders[0]}/{required}", "no such member", "this member")
    return folders[0]


def check_metadata(data: bytes, name: WheelName, source: str) -> None:
    """Check that METADATA is that of the wheel; raises ``MetadataError`` naming ``source``."""
    lines = _header(data).count("\n")
    if lines > _MOST_FIELDS:
        raise MetadataError(source, "", f"{lines} lines of fields", f"at most {_MOST_FIELDS}")
    stated = [metadata_fields(data, field)[:1] for field in ("Name", "Version")]
    if not all(stated):
        raise MetadataError(source, "", "no Name or no Version", "both fields")
    (project,), (version,) = stated
    if not _is_same(project, version, name):
        expected = f"{name.name} {name.version}, as the file's name says"
        raise MetadataError(source, "", f"{project} {version}", expected)


def check_wheel_version(data: bytes, source: str) -> None:
    """Check that the file WHEEL is of a format that installers read; raises ``MetadataError``."""
    stated = metadata_fields(data, "Wheel-Version")
    major = stated[0].partition(".")[0] if stated else ""
    if major != str(_WHEEL_MAJOR):
        seen = stated[0] if stated else "no Wheel-Version"
        raise MetadataError(source, "", seen, f"Wheel-Version {_WHEEL_MAJOR}.0")


def metadata_fields(data: bytes, field: str) -> list[str]:
    """Return the values of a field of METADATA or WHEEL, as written."""
    return [value.strip() for value in re.findall(rf"(?mi)^{field}:(.*)$", _header(data))]


def _header(data: bytes) -> str:
    return re.split(r"\r?\n\r?\n", data.decode("utf-8", "replace"), maxsplit=1)[0]


def _is_same(project: str, version: str, name: WheelName) -> bool:
    try:
        is_version = Version(version) == Version(name.version)
    except InvalidVersion:
        return False
    return is_version and canonicalize_name(project) == canonicalize_name(name.name)
