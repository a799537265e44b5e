"""METADATA for one label: variant markers answered, the environment's markers left.

Pure: bytes to bytes, the same for the same input; what has no variant marker keeps its bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.metadata.markers import MarkedRequirement, parse_marked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.metadata.ordering import Properties

_REQUIRES: Final = "requires-dist"
_FIELD: Final = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)", re.DOTALL)
# The first format with the field Dynamic; 2.1 differs from it in nothing else that a file shows.
_DYNAMIC_SINCE: Final = b"2.2"
_CAN_BE_RAISED: Final = b"2.1"


@dataclass(frozen=True, slots=True)
class Baked:
    """METADATA without variant markers, and one sentence for each requirement that had one."""

    metadata: bytes
    changes: tuple[str, ...]


def bake(metadata: bytes, label: str, properties: Properties, source: str) -> Baked:
    """Answer the variant markers of METADATA for a label, "" for the wheel without one.

    Requirements that do not apply are taken out. ``Requires-Dist`` is declared ``Dynamic``, as
    PEP 825 has it where the wheels of a release differ in it. Raises ``InvalidValueError`` naming
    the requirement whose marker is malformed or depends on the machine.
    """
    lines, rest = _header(metadata)
    kept, changes = [], []
    for line in lines:
        marked = _marked(line, source)
        if marked is None:
            kept.append(line)
            continue
        left = _evaluate(marked, label, properties, source)
        if left is not None:
            kept.append(_written(line, left))
        was = _value(line)
        changes.append(f"{was}: {'removed' if left is None else f'became {left}'}")
    if not changes:
        return Baked(metadata, ())
    return Baked(b"".join([*_declared(kept), rest]), tuple(changes))


def marked_requirements(metadata: bytes, source: str) -> tuple[MarkedRequirement, ...]:
    """Return the requirements with variant markers; raises ``MetadataError`` for a malformed one.

    ``source`` names the file for messages.
    """
    lines, _ = _header(metadata)
    return tuple(
        requirement for line in lines if (requirement := _marked(line, source)) is not None
    )


def _header(metadata: bytes) -> tuple[list[bytes], bytes]:
    """Return the fields, each with its folded lines and line end, and the blank line and body."""
    fields: list[bytes] = []
    at = 0
    for line in metadata.splitlines(keepends=True):
        if not line.strip(b"\r\n"):
            break
        at += len(line)
        if line[:1] in b" \t" and fields:
            fields[-1] += line
        else:
            fields.append(line)
    return fields, metadata[at:]


def _name(line: bytes) -> str:
    match = _FIELD.match(line)
    return match[1].decode("ascii").lower() if match else ""


def _value(line: bytes) -> str:
    match = _FIELD.match(line)
    return " ".join(match[2].decode("utf-8", "replace").split()) if match else ""


def _marked(line: bytes, source: str) -> MarkedRequirement | None:
    if _name(line) != _REQUIRES:
        return None
    text = _value(line)
    try:
        return parse_marked(text)
    except InvalidValueError as error:
        raise MetadataError(source, "Requires-Dist", text, str(error)) from error


def _evaluate(
    marked: MarkedRequirement, label: str, properties: Properties, source: str
) -> str | None:
    try:
        return marked.evaluate(label, properties)
    except InvalidValueError as error:
        raise InvalidValueError(f"{source}: Requires-Dist: {error}") from error


def _written(line: bytes, requirement: str) -> bytes:
    end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    return line[: line.index(b":")] + b": " + requirement.encode() + end


def _declared(lines: list[bytes]) -> Iterator[bytes]:
    """Add ``Dynamic: Requires-Dist`` where the format has it and the file does not."""
    version = next(
        (_value(line) for line in lines if _name(line) == "metadata-version"), ""
    ).encode()
    is_there = any(_name(line) == "dynamic" and _value(line).lower() == _REQUIRES for line in lines)
    knows = version >= _DYNAMIC_SINCE or version == _CAN_BE_RAISED
    for line in lines:
        if _name(line) != "metadata-version" or is_there or not knows:
            yield line
            continue
        yield line.replace(_CAN_BE_RAISED, _DYNAMIC_SINCE) if version == _CAN_BE_RAISED else line
        yield b"Dynamic: Requires-Dist" + (b"\r\n" if line.endswith(b"\r\n") else b"\n")
