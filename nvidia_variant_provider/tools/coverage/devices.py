"""From a GPU's name, as drivers, Kubernetes and Slurm write it, to a device of the catalogue."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.targets.devices import find_device, products
from nvidia_variant_provider.targets.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.targets.devices import Device
    from nvidia_variant_provider.targets.drivers import Driver

# Feature discovery marks shared and partitioned GPUs in the product's name.
_SHARING: Final = re.compile(r"-(SHARED|MIG-[\w.+]+)$")
_PARTS: Final = re.compile(r"[^a-z0-9]+")

_CHIP_OR_CAPABILITY: Final = re.compile(r"sm[-_]\d{2,3}|\d{1,2}\.\d|[a-z]{2}\d{2,3}[a-z]?")

# Words behind a product's name that make it another product.
_OTHER_PRODUCT: Final = frozenset({"ti", "super", "laptop", "mobile", "max", "d", "founders"})


@lru_cache(maxsize=4096)
def find(name: str) -> Device | None:
    """Return the device a name means: ``NVIDIA-H100-80GB-HBM3``, ``nvidia_a100_1g.5gb``, ``t4``.

    The longest product name that stands in it as whole words counts. ``None`` if none does.
    """
    words = _words(_SHARING.sub("", name))
    present = frozenset(words)
    found = [
        (len(known), device)
        for known, device in _catalogue()
        if present.issuperset(known) and _position(known, words) is not None
    ]
    return max(found, key=lambda row: row[0])[1] if found else _by_chip(name)


@lru_cache(maxsize=4096)
def title(name: str) -> str:
    """Return the name to show: the catalogue's where the name says no more than the product."""
    device = find(name)
    return device.title if device and not _says_more(name, device) else tidy(name)


def tidy(name: str) -> str:
    """Return a name without the maker and without the marks of sharing: ``H100 80GB HBM3``."""
    plain = _SHARING.sub("", name).replace("-", " ").replace("_", " ").strip()
    return re.sub(r"^nvidia\s+", "", plain, flags=re.IGNORECASE) or name


def default_driver(devices: Iterable[Device]) -> Driver | None:
    """Return the driver to assume where none is stated; ``None`` if no one driver serves all."""
    names = dict.fromkeys(device.name for device in devices)
    if not names:
        return None
    try:
        return parse_target("+".join(names)).driver
    except InvalidValueError:
        return None


@cache
def _catalogue() -> tuple[tuple[tuple[str, ...], Device], ...]:
    return tuple(
        (_words(name), device) for device in products() for name in (device.name, *device.aliases)
    )


def _by_chip(name: str) -> Device | None:
    """Return the device of a chip or a capability: ``gh100``, ``sm_90``."""
    # Only names of this form are asked for: for any other one there is a search for near names.
    if not _CHIP_OR_CAPABILITY.fullmatch(name.strip().lower()):
        return None
    try:
        return find_device(name)
    except InvalidValueError:
        return None


def _words(name: str) -> tuple[str, ...]:
    return tuple(word for word in _PARTS.split(name.lower()) if word)


def _position(known: tuple[str, ...], words: tuple[str, ...]) -> int | None:
    """Return where the words of a product end in a name."""
    for start in range(len(words) - len(known) + 1):
        if words[start : start + len(known)] == known:
            return start + len(known)
    return None


def _says_more(name: str, device: Device) -> bool:
    words = _words(_SHARING.sub("", name))
    ends = [_position(_words(known), words) for known in (device.name, *device.aliases)]
    return any(end is not None and _OTHER_PRODUCT & set(words[end:]) for end in ends)
