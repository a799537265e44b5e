"""Take private data out of a record, the same mask for the same thing everywhere.

Masked: UUIDs of GPUs and MIG instances, home folders, user and host names, who built the kernel
module. Kept, because detection goes by it: versions, GPU names, PCI addresses and ids, library
paths, status codes. Serial numbers are never asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z])((?:MIG-)?(?:GPU-|MIG-)?)"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
# The start of a UUID is enough to choose a GPU by it.
_UUID_START: Final = re.compile(
    r"(?<![0-9A-Za-z])((?:GPU|MIG)-)([0-9a-f][0-9a-f-]{3,35})(?![0-9A-Za-z-])", re.IGNORECASE
)
# libcuda gives 16 bytes without hyphens.
_UUID_BYTES: Final = re.compile(r"(?<=^uuid\t)(\d+\t0\t)([0-9a-f]{32})$")
_HOME: Final = re.compile(r"((?:/home/|/Users/|\\Users\\))[^/\\:;\s]+")
_BUILDER: Final = re.compile(r"\([^()\s@]+@[^()\s]+\)")

# Names that are common words of this trade mask more than they hide.
_COMMON_NAMES: Final = frozenset(
    {"admin", "cuda", "host", "jetson", "localhost", "nvidia", "root", "ubuntu", "user", "wsl"}
)
_SHORTEST_NAME: Final = 3
_HEX_DIGITS: Final = 32


@dataclass(slots=True)
class Masker:
    """Masks texts; ``names`` are the user and host names, ``homes`` the home folders to hide."""

    names: Mapping[str, str] = field(default_factory=dict)
    homes: tuple[str, ...] = ()
    _numbers: dict[str, int] = field(default_factory=dict)

    def mask(self, value: object) -> object:
        """Return a JSON value with every text in it masked, keys included."""
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, list):
            return [self.mask(item) for item in value]
        if isinstance(value, dict):
            return {self.mask_text(str(key)): self.mask(item) for key, item in value.items()}
        return value

    def mask_text(self, text: str) -> str:
        """Return a text without what is private in it."""
        text = _UUID_BYTES.sub(lambda match: match[1] + self._digits(match[2]), text)
        text = _UUID.sub(lambda match: match[1] + _hyphened(self._digits(match[2])), text)
        text = _UUID_START.sub(self._mask_start, text)
        for home in self.homes:
            text = text.replace(home, "/home/user")
        text = _HOME.sub(lambda match: f"{match[1]}user", text)
        text = _BUILDER.sub("(builder@host)", text)
        for name, mask in self.names.items():
            text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])", mask, text)
        return text

    def _digits(self, uuid: str) -> str:
        """Return the 32 digits that stand for a UUID; zeros stay, they mean that there is none."""
        plain = uuid.replace("-", "").lower()
        if not plain.strip("0") or plain in self._masks():
            return plain
        return f"{self._numbers.setdefault(plain, len(self._numbers) + 1):0{_HEX_DIGITS}x}"

    def _masks(self) -> set[str]:
        """Return the masks given so far: masking twice must not number them anew."""
        return {f"{number:0{_HEX_DIGITS}x}" for number in self._numbers.values()}

    def _mask_start(self, match: re.Match[str]) -> str:
        start = match[2].replace("-", "").lower()
        if len(start) == _HEX_DIGITS:
            return match[0]
        whole = next((uuid for uuid in self._numbers if uuid.startswith(start)), "")
        return match[1] + _hyphened(self._digits(whole or start.ljust(_HEX_DIGITS, "f")))


def masker_for(environ: Mapping[str, str], host_name: str) -> Masker:
    """Return the masker that hides this machine's own names."""
    users = (environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER"))
    names = {name: "user" for name in users if _is_name(name)}
    names |= {name: "host" for name in _host_names(host_name) if _is_name(name)}
    home = environ.get("HOME", "")
    return Masker(names, (home,) if home.count("/") > 1 else ())


def _host_names(host_name: str) -> Iterable[str]:
    return host_name, host_name.partition(".")[0]


def _is_name(name: str) -> bool:
    return len(name) >= _SHORTEST_NAME and name.lower() not in _COMMON_NAMES


def _hyphened(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
