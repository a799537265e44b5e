"""From a GPU's name, as people, drivers, clouds and schedulers write it, to the chip behind it.

One normaliser for ``NVIDIA A100-SXM4-80GB``, ``a100-sxm4-80gb``, ``rtx2080ti``,
``NVIDIA-H100-80GB-HBM3-MIG-1g.10gb``, ``GRID A100D-40C`` and ``a2-highgpu-1g``. The names stand in
``product_names``, the cloud types in ``instance_types``; both are loaded by the first look-up only.
tests/test_names.py measures the reach on spellings of sites.
"""

from __future__ import annotations

import itertools
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.model import ComputeCapability

if TYPE_CHECKING:
    from collections.abc import Iterator

# No product name is longer; what is longer is not looked at.
MAX_NAME: Final = 120


class NamedGpu(NamedTuple):
    """One GPU that a name can mean: its title, chip, capability, first driver branch.

    ``chip`` is empty where the name says a generation only. ``first_branch`` is 0 where the
    product is older than R515, the first driver whose list of names is public.
    """

    title: str
    chip: str
    capability: ComputeCapability
    first_branch: int = 0


# What Feature Discovery and Slurm append to the names of shared and partitioned GPUs.
_SHARING: Final = re.compile(
    r"[-_ ](shared\b.*|mig\b.*|\d{1,2}c?\.?\d{0,2}g\.\d+gb.*)$", re.IGNORECASE
)
_MIG_ONLY: Final = re.compile(r"(\d{1,2}c\.)?\d{1,2}g\.\d+gb(\+\w[\w.]*)*", re.IGNORECASE)
_CHIP_AND_NAME: Final = re.compile(r"(g[a-z]\d{2,3}[a-z]{0,2})\s*\[.*\]?", re.IGNORECASE)
_CHIP: Final = re.compile(r"[a-z]{2}\d{2,3}[a-z]?")
_WORDS: Final = re.compile(r"[^a-z0-9]+")

# Words that say who made a GPU, which slot, memory or housing it has: the chip is the same.
_DROPPED: Final = re.compile(
    r"nvidia|geforce|tesla|corporation|gpu|nvgpu|graphics|generation|edition|design|with|"
    r"workstation|server|laptop|mobile|embedded|maxq|oem|active|mega|hgx|nvlink|nvl|pcie|"
    r"sxm\d?|hbm\d?e?|\d{1,3}gb"
)
_GLUED_BEFORE: Final = ("nvidiageforce", "nvidia", "geforce", "tesla")
_GLUED_BEHIND: Final = re.compile(r"\d{1,3}gb|sxm\d?|pcie|nvlink|nvl|hbm\d?e?|mega|server")
# For these alone a bare number behind the name is the memory: h100-96, a100_80.
_BARE_MEMORY: Final = re.compile(r"([ahvp]100)(12|16|32|40|64|80|94|96)")
# Trailing letters of a virtual GPU's base: form factor (X, L, XM) or memory (D).
_VGPU_PROFILE: Final = re.compile(r"(\d{1,3})([qbcav])\d?(me)?")
_VGPU_MAKERS: Final = frozenset({"grid", "nvidia", "geforce"})
_VGPU_LETTERS: Final = "lxdsmgbcp"
_STRIPS: Final = 4


@lru_cache(maxsize=4096)
def gpus_named(name: str) -> tuple[NamedGpu, ...]:
    """Return the GPUs that a name can mean: none if unknown, several if ambiguous.

    Of those that share a capability the first one stands for all. ``rtx6000`` is three.
    """
    if len(name) > MAX_NAME or not name.isascii():
        return ()
    firsts: dict[ComputeCapability, NamedGpu] = {}
    for gpu in _look_up(name.strip()):
        firsts.setdefault(gpu.capability, gpu)
    return tuple(firsts.values())


def narrowed(gpus: tuple[NamedGpu, ...], branch: int) -> tuple[NamedGpu, ...]:
    """Return those that a driver branch serves, or all if it serves none: R450 knows no Ada."""
    from nvidia_variant_provider.tables.driver_branches import cuda_of_branch, last_branch_for
    from nvidia_variant_provider.tables.products import CAPABILITIES

    cuda = cuda_of_branch(branch)
    firsts = {row.capability: row.first_toolkit for row in CAPABILITIES}
    served = tuple(
        gpu
        for gpu in gpus
        if gpu.first_branch <= branch <= (last_branch_for(gpu.capability) or branch)
        and (cuda is None or firsts.get(gpu.capability, cuda) <= cuda)
    )
    return served or gpus


def name_key(name: str) -> str:
    """Return what tells a name apart: ``rtx4090`` of ``NVIDIA GeForce RTX 4090``."""
    return "".join(_significant(plain_name(name)))


def plain_name(name: str) -> str:
    """Return a name without the marks of sharing: ``NVIDIA-A10-SHARED`` is ``NVIDIA-A10``."""
    return _SHARING.sub("", name.strip())


def is_mig_profile(name: str) -> bool:
    """Whether a name is a bare MIG profile, which names no product: ``1g.10gb+me``."""
    return _MIG_ONLY.fullmatch(name.strip()) is not None


def nvml_name(label: str) -> str:
    """Return the name behind a label of Feature Discovery, which has hyphens for blanks.

    ``NVIDIA-A100-SXM4-80GB-MIG-1g.10gb`` is ``NVIDIA A100-SXM4-80GB``; a label that is not known
    keeps its hyphens.
    """
    plain = plain_name(label)
    prefix = "NVIDIA " if plain.startswith("NVIDIA-") else ""
    known = _by_label().get(plain.removeprefix("NVIDIA-").lower())
    if known:
        return prefix + known
    base, _, profile = plain.rpartition("-")
    if _VGPU_PROFILE.fullmatch(profile.lower()) and base.count("-") == 1:
        return f"{base.replace('-', ' ')}-{profile}"
    return plain.replace("-", " ") if plain.count("-") == 1 and known is None and prefix else plain


def near_names(name: str, most: int = 3) -> tuple[NamedGpu, ...]:
    """Return known GPUs of the series a misspelt name begins with: ``rtx4095`` is near RTX 4090."""
    import difflib

    key = name_key(name[:MAX_NAME])
    series = _series(key)
    keys = [known for known in _keys() if series and _series(known) == series]
    near = difflib.get_close_matches(key, keys, n=4 * most, cutoff=0.75)
    gpus = [min(_keys()[known], key=lambda gpu: len(gpu.title)) for known in near]
    known_chips = _chips() if _CHIP.fullmatch(key) else ()
    chips = difflib.get_close_matches(key.upper(), known_chips, n=most - 1, cutoff=0.75)
    return (*gpus[:most], *(gpu for chip in chips for gpu in _of_chip(chip, chip)))[:most]


def _series(key: str) -> str:
    return "".join(itertools.takewhile(str.isalpha, key))


def _look_up(name: str) -> Iterator[NamedGpu]:
    from nvidia_variant_provider.tables.instance_types import instance_of

    if instance := instance_of(name):
        yield from gpus_named(instance.gpu) if instance.gpu else ()
        return
    if match := _CHIP_AND_NAME.fullmatch(name):
        yield from _of_chip(match[1].upper(), name)
        return
    if _MIG_ONLY.fullmatch(name):
        return
    plain = plain_name(name)
    if exact := _by_label().get(
        plain.lower().removeprefix("nvidia").strip(" -_").replace(" ", "-")
    ):
        yield from (gpu for gpu in _keys()[name_key(exact)] if gpu.title == exact)
        return
    yield from _virtual(plain) or _physical(plain)


def _physical(plain: str) -> tuple[NamedGpu, ...]:
    key = "".join(_significant(plain))
    for candidate in _candidates(key):
        for table in (_keys(), _weak_keys(), _generations()):
            if candidate in table:
                return table[candidate]
    return tuple(_of_chip(key.upper(), plain))


def _virtual(plain: str) -> tuple[NamedGpu, ...]:
    """Read a virtual GPU: ``GRID RTX6000-8Q``, whose prefix decides, and ``H100L-2-24C``."""
    from nvidia_variant_provider.tables.product_names import GRID_ONLY, VIRTUAL

    words = [word for word in _WORDS.split(plain.lower()) if word]
    maker = words[0] if words[:1] and words[0] in _VGPU_MAKERS else ""
    *base, profile = words[bool(maker) :] or [""]
    bare = bool(maker) and profile.isdecimal()
    if not base or not (bare or _VGPU_PROFILE.fullmatch(profile)):
        return ()
    if len(base) > 1 and base[-1].isdecimal() and len(base[-1]) == 1:
        base.pop()  # how many slices of a MIG device
    key = "".join(base).removeprefix("gtx")
    if not maker and (known := _known_base(key)):
        return known
    for chip, bases in (*(GRID_ONLY.items() if maker == "grid" else ()), *VIRTUAL.items()):
        if key in bases.split():
            return tuple(_of_chip(chip, plain))
    return () if bare and maker != "grid" else _known_base(key)


def _known_base(base: str) -> tuple[NamedGpu, ...]:
    for _ in range(_STRIPS):
        for table in (_keys(), _weak_keys()):
            if base in table:
                return table[base]
        if not base or base[-1] not in _VGPU_LETTERS:
            break
        base = base[:-1]
    return ()


def _candidates(key: str) -> Iterator[str]:
    """Yield a key, then what is left without glued makers, memory and form factors."""
    waiting, seen = [key], set()
    while waiting:
        candidate = waiting.pop(0)
        if not candidate or candidate in seen:
            continue
        seen.add(candidate)
        yield candidate
        if match := _BARE_MEMORY.fullmatch(candidate):
            waiting.append(match[1])
        waiting += [
            candidate.removeprefix(maker) for maker in _GLUED_BEFORE if candidate.startswith(maker)
        ]
        waiting += [
            candidate[:-length]
            for length in range(3, min(7, len(candidate)))
            if _GLUED_BEHIND.fullmatch(candidate[-length:])
        ]


def _significant(plain: str) -> list[str]:
    text = re.sub(r"^q(?= rtx)", "quadro", plain.lower()).replace("max-q", "maxq")
    # "80 GB" with a blank is one word of memory.
    text = re.sub(r"(\d)[ _-]gb\b", r"\1gb", text)
    return [word for word in _WORDS.split(text) if word and not _DROPPED.fullmatch(word)]


def _of_chip(chip: str, title: str) -> Iterator[NamedGpu]:
    capability = _chips().get(chip)
    if capability is not None:
        yield NamedGpu(title, chip, capability)


@cache
def _chips() -> dict[str, ComputeCapability]:
    from nvidia_variant_provider.tables.pci import all_chips
    from nvidia_variant_provider.tables.product_names import OLDER_CHIPS
    from nvidia_variant_provider.tables.products import CHIPS_OFF_PCI

    older = {chip: ComputeCapability.parse(text) for chip, text in OLDER_CHIPS.items()}
    return older | {chip.name: chip.capability for chip in all_chips()} | CHIPS_OFF_PCI


@cache
def _keys() -> dict[str, tuple[NamedGpu, ...]]:
    """Every title by what is left of it without the dropped words."""
    by_key: dict[str, tuple[NamedGpu, ...]] = {}
    for gpu in all_names():
        key = name_key(gpu.title)
        by_key[key] = (*by_key.get(key, ()), gpu)
    return by_key


@cache
def _weak_keys() -> dict[str, tuple[NamedGpu, ...]]:
    """Shorter spellings: the series is left out, so several products can share one."""
    by_key: dict[str, tuple[NamedGpu, ...]] = {}
    for key, gpus in _keys().items():
        for short in _shortened(key, gpus[0].title):
            known = by_key.get(short, ())
            by_key[short] = (*known, *(gpu for gpu in gpus if gpu not in known))
    return by_key


def _shortened(key: str, title: str) -> Iterator[str]:
    if key.startswith("quadro"):
        yield key.removeprefix("quadro")
    if title.startswith("GeForce") and (match := re.fullmatch(r"[rg]tx?(\d{3,4}\w*)", key)):
        yield match[1]
    if key.startswith("rtxa"):
        yield key.removeprefix("rtx")
    if key.endswith("ada"):
        yield from (key.removeprefix("rtx"), key.removesuffix("ada"))
    if key.startswith("rtxpro"):
        bare = key.removesuffix("blackwell")
        yield from (bare, bare.replace("pro", ""), key.replace("pro", ""), bare[3:], key[3:])
    if "titan" in key:
        yield from (key.removeprefix("gtx"), key.removeprefix("gtx").removesuffix("pascal"))


@cache
def _by_label() -> dict[str, str]:
    """Every title by its spelling in lower case with hyphens for blanks."""
    return {
        re.sub(r"[^a-z0-9._-]", "", gpu.title.lower().replace(" ", "-")): gpu.title
        for gpu in all_names()
    }


@cache
def _generations() -> dict[str, tuple[NamedGpu, ...]]:
    from nvidia_variant_provider.tables.products import CAPABILITIES, GENERATIONS

    generations: dict[str, tuple[NamedGpu, ...]] = {}
    for row in CAPABILITIES:
        name = next(name for first, name in reversed(GENERATIONS) if row.capability >= first)
        if not row.tegra or name == "Blackwell":
            gpu = NamedGpu(f"{name} {row.capability}", "", row.capability)
            generations[name.lower()] = (*generations.get(name.lower(), ()), gpu)
    return generations | {"adalovelace": generations["ada"]}


@cache
def all_names() -> tuple[NamedGpu, ...]:
    """Return every name of the table with its chip."""
    from nvidia_variant_provider.tables.product_names import NAMES

    return tuple(
        NamedGpu(title, chip, _chips()[chip], int(branch or 0))
        for chip, names in NAMES.items()
        for title, _, branch in (name.partition("@") for name in names.split("; "))
    )
