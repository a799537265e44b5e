"""Edits the table ``[variant]`` of pyproject.toml; comments, order and all else stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.convert.document import convert_project
from nvidia_variant_provider.tools.convert.draft import Change, ConversionRefusedError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

    from nvidia_variant_provider.tools.convert.draft import Json

TABLE: Final = "variant"
_DEEPEST: Final = 8
_WHOLE_ENTRIES: Final = 0


def convert_text(text: str, source: str) -> tuple[str, Json, tuple[Change, ...]]:
    """Return the edited text, the converted table and the changes; the text as it was without any.

    Raises ``MetadataError`` for a text that is no TOML or has no such table, and
    ``ConversionRefusedError`` for what cannot be kept.
    """
    plain = _parsed(text, source).unwrap()
    if not isinstance(plain.get(TABLE), dict):
        raise MetadataError(source, TABLE, "no such table", f"a table [{TABLE}]")
    table, changes = convert_project(plain[TABLE], f"{source}[{TABLE}]")
    if not changes:
        return text, table, ()
    if edited := _edited(text, source, {**plain, TABLE: table}, _DEEPEST):
        return edited, table, changes
    # The library cannot take single keys out of a table that is written in several places.
    if edited := _edited(text, source, {**plain, TABLE: table}, _WHOLE_ENTRIES):
        reason = "their keys stand in several places; comments between them are gone"
        return edited, table, (*changes, Change(TABLE, "its entries were written anew", reason))
    advice = "a table that can be edited without harm to the rest of the file: edit it by hand"
    raise ConversionRefusedError(source, TABLE, "tables in several places", advice)


def _parsed(text: str, source: str) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except (TOMLKitError, RecursionError) as error:
        raise MetadataError(source, "", str(error)[:80], "a TOML document") from error


def _edited(text: str, source: str, wanted: Json, depth: int) -> str:
    """Return the text with the table edited down to a depth; "" if it does not say what it must."""
    document = _parsed(text, source)
    try:
        _edit(document[TABLE], wanted[TABLE], depth)
        edited = document.as_string()
        return edited if _parsed(edited, source).unwrap() == wanted else ""
    except (LookupError, ValueError, TypeError, AttributeError):
        return ""


def _edit(place: Any, wanted: Json, depth: int) -> None:  # noqa: ANN401 - tables of many kinds
    """Make a table of the document equal to a plain one, touching what differs."""
    for key in [name for name in place if name not in wanted]:
        del place[key]
    for key, value in wanted.items():
        if depth and isinstance(value, dict) and isinstance(place.get(key), dict):
            _edit(place[key], value, depth - 1)
        elif place.get(key) != value:
            if isinstance(place.get(key), dict):
                del place[key]
            place[key] = _inline(value)


def _inline(value: object) -> object:
    """Return a value to put into a document: tables in one line, as they are short here."""
    import tomlkit

    if not isinstance(value, dict):
        return value
    table = tomlkit.inline_table()
    table.update({name: _inline(inner) for name, inner in value.items()})
    return table
