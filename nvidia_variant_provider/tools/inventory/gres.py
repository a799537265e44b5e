"""Slurm's generic resources: ``gpu:h100:8(S:0-1),nic:1``, and lists of hosts: ``n[1-4,7]``.

Grammar: SchedMD/slurm, src/interfaces/gres.c. A type is the administrator's word or NVML's name
with underscores; it may begin with a digit, be ``(null)``, or be a MIG profile.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from nvidia_variant_provider.tables.names import is_mig_profile, plain_name
from nvidia_variant_provider.tables.other_makers import is_other_maker
from nvidia_variant_provider.tools.inventory.machine import StatedGpu, merged

# Commas part resources, but not the sockets in (S:0,2-3).
_COMMA: Final = re.compile(r",(?![^()]*\))")
_DETAIL: Final = re.compile(r"\((?!null\))[^()]*\)")
_COUNT: Final = re.compile(r"(\d{1,9})([KMGTP]?)", re.IGNORECASE)
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
MAX_HOSTS: Final = 100_000


class Gres(NamedTuple):
    """The NVIDIA GPUs of a node, and the entries that could not be read."""

    gpus: tuple[StatedGpu, ...]
    assumed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def parse_gres(text: str) -> Gres:
    """Read the GRES of a node; ``shard`` and ``mps`` share GPUs that are counted already."""
    gpus, unread = [], []
    slices = False
    for entry in _COMMA.split(text.strip()):
        words = _words(entry)
        if words[0] != "gpu":
            continue
        kind, number = _type_and_count(words[1:])
        if number is None and len(words) > _LONGEST:
            unread.append(entry)
        elif is_mig_profile(kind):
            slices = True
        elif number != 0 and not is_other_maker(kind):
            name = plain_name(kind)
            # Slices of two profiles do not tell how many GPUs they are cut from.
            gpus.append(
                StatedGpu(name, "", None if name != kind else 1 if number is None else number)
            )
    if not slices:
        return Gres(merged(gpus), (), tuple(unread))
    whole = tuple(gpu._replace(number=None) for gpu in merged(gpus))
    assumed = () if whole else ("a MIG profile without the GPU's type: the GPU is unknown",)
    return Gres(whole or (StatedGpu(),), assumed, tuple(unread))


_LONGEST: Final = 4  # gpu:TYPE:no_consume:COUNT


def _words(entry: str) -> list[str]:
    return [word.strip() for word in _DETAIL.sub("", entry).split(":")]


def _type_and_count(words: list[str]) -> tuple[str, int | None]:
    """Return the type and the count of ``h100:8``, ``8``, ``a40:no_consume:4``."""
    words = [word for word in words if word not in {"no_consume", "(null)", ""}]
    number = None
    if (
        words
        and (match := _COUNT.fullmatch(words[-1]))
        and (len(words) > 1 or _is_count(words[-1]))
    ):
        number = int(match[1]) * _UNITS[match[2].upper()]
        words.pop()
    return ":".join(words), number


def _is_count(word: str) -> bool:
    """Whether a lone word counts: ``gpu:8`` does, ``gpu:2080`` is a type."""
    return not re.fullmatch(r"\d{4}", word) or not _is_model(word)


def _is_model(word: str) -> bool:
    from nvidia_variant_provider.tables.names import gpus_named

    return bool(gpus_named(word))


def expand_hosts(text: str) -> tuple[str, ...]:
    """Return the hosts of a list such as ``n[1-4,07],gpu3``; raises ``ValueError`` if too many."""
    hosts: list[str] = []
    for item in re.split(r",(?![^\[]*\])", text.strip()):
        hosts += _expanded(item)
        if len(hosts) > MAX_HOSTS:
            raise ValueError(f"more than {MAX_HOSTS} hosts")
    return tuple(name for name in hosts if name)


def _expanded(item: str) -> list[str]:
    match = re.match(r"([^\[\]]*)\[([^\[\]]*)\](.*)$", item)
    if match is None:
        return [item]
    hosts = []
    for part in match[2].split(","):
        first, dash, last = part.partition("-")
        if not dash:
            numbers = [first]
        elif not (first.isdecimal() and last.isdecimal() and len(last) <= len(str(MAX_HOSTS)) + 3):
            raise ValueError(f"not a list of hosts: {item[:60]!r}")
        elif int(last) - int(first) > MAX_HOSTS:
            raise ValueError(f"more than {MAX_HOSTS} hosts")
        else:
            numbers = [str(host).zfill(len(first)) for host in range(int(first), int(last) + 1)]
        hosts += [rest for number in numbers for rest in _expanded(match[1] + number + match[3])]
        if len(hosts) > MAX_HOSTS:
            raise ValueError(f"more than {MAX_HOSTS} hosts")
    return hosts
