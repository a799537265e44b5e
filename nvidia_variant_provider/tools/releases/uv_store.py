"""Credentials that ``uv auth login`` keeps: a file in plain text, which only its owner may read.

Each entry is for a service, ``https://index.example/team``: for addresses of that host below that
path, the longest path first. Measured with the version of uv that ``installers/table.py`` names.
With its preview ``native-auth`` uv keeps them in the system's keyring, which is not read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nvidia_variant_provider.tools.parsed import mapping, parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_BYTES: Final = 1 << 20


def stored_for(path: str, addresses: Sequence[str], user: str) -> tuple[str, str, bool] | None:
    """Return user name, password and whether that is a bearer token; ``None`` where there is none.

    The first of the addresses counts that an entry is for. ``user`` is the name that the address
    states, "" for any. A file that cannot be read has nothing, as for uv.
    """
    entries = _entries(path)
    for address in addresses:
        fitting = [entry for entry in entries if _is_for(entry, address, user)]
        if fitting:
            entry = max(fitting, key=lambda entry: len(_path(str(entry["service"]))))
            is_bearer = str(entry.get("scheme", "")).lower() == "bearer"
            secret = entry.get("token" if is_bearer else "password")
            return str(entry.get("username") or ""), str(secret or ""), is_bearer
    return None


def _entries(path: str) -> list[Mapping[str, object]]:
    try:
        with open(path, "rb") as file:
            listed = parse_toml(file.read(_MOST_BYTES)).get("credential")
    except (OSError, ValueError, RecursionError):
        return []
    tables = [mapping(entry) for entry in listed] if isinstance(listed, list) else []
    return [table for table in tables if isinstance(table.get("service"), str)]


def _is_for(entry: Mapping[str, object], address: str, user: str) -> bool:
    try:
        service, wanted = urlsplit(str(entry["service"])), urlsplit(address)
    except ValueError:
        return False
    is_host = (service.scheme, service.netloc.lower()) == (wanted.scheme, wanted.netloc.lower())
    is_below = f"{_path(address)}/".startswith(f"{_path(str(entry['service']))}/")
    return is_host and is_below and user in {"", str(entry.get("username") or "")}


def _path(address: str) -> str:
    return urlsplit(address).path.rstrip("/")
