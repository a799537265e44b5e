"""What each installer makes of a release on a machine: an order with reasons, and warnings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider import __version__
from nvidia_variant_provider.explain.words import (
    NVIDIA,
    say_archs,
    say_coverage,
    say_place,
    say_unmet,
)
from nvidia_variant_provider.metadata.uv import uv_skips
from nvidia_variant_provider.ordering import NULL_LABEL, Preferences
from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.wheels.platform import admits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.explain.release import Release
    from nvidia_variant_provider.metadata.model import Provider, Variant, VariantMetadata
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.wheels.name import WheelName

PROVIDER: Final = "provider"
UV: Final = "uv"
PIP: Final = "pip"
TITLES: Final = {
    PROVIDER: "this provider (rule set 1)",
    UV: "uv 0.13.8 (its own copy, rule set 0)",
    PIP: "pip (knows no variants)",
}

_ENDPOINT: Final = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"

# What a wheel without a label is called in results.
ORDINARY: Final = "no label"


@dataclass(frozen=True, slots=True)
class Row:
    """One variant: its place in the order, from 1, or ``None`` if it cannot be taken; and why."""

    label: str
    place: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """One installer's result. ``winner`` is a label, ``ORDINARY``, or ``None`` for nothing."""

    installer: str
    winner: str | None
    rows: tuple[Row, ...]
    remark: str = ""

    def reason_of(self, label: str) -> str:
        """Return why a variant stands where it does; empty for an unknown label."""
        return next((row.reason for row in self.rows if row.label == label), "")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One machine's results for one release."""

    machine: Machine
    views: tuple[View, ...]
    warnings: tuple[str, ...]

    def view(self, installer: str) -> View:
        """Return the result of one installer."""
        return next(view for view in self.views if view.installer == installer)

    def has_gpu_build(self, installer: str, release: Release) -> bool:
        """Tell whether an installer ends at a variant that states a property of ``nvidia``."""
        winner = self.view(installer).winner
        variants = release.metadata.variants if release.metadata else {}
        return NVIDIA in variants.get(winner or "", {})


def explain(release: Release, machine: Machine, *, uv_blind: bool = False) -> Explanation:
    """Explain a release on a machine.

    ``uv_blind`` says that uv finds no ``nvidia-smi`` on this machine and no variable in its place.
    """
    views = (
        _variant_view(PROVIDER, release, machine, 1),
        _uv_view(release, machine, blind=uv_blind),
        _pip_view(release, machine),
    )
    found = Explanation(machine, views, ())
    return replace(found, warnings=tuple(_warnings(found, release, blind=uv_blind)))


def _variant_view(installer: str, release: Release, machine: Machine, rules: int) -> View:
    if release.metadata is None:
        return _without_metadata(installer, release, machine, release.trouble)
    unanswered = _unanswered(release.metadata, installer)
    decision = decide(machine, rules)
    offers = {} if NVIDIA in unanswered else {NVIDIA: decision.features}
    preferences = release.metadata.preferences(offers)
    variants = release.metadata.variants
    lacking = {label: _lacks(label, wheels, machine) for label, wheels in release.groups().items()}
    here = {label: stated for label, stated in variants.items() if not lacking[label]}
    order = preferences.order(here)
    rows = list(_ordered_rows(order, here, preferences, machine))
    for label in sorted(set(variants) - set(order), key=lambda it: (it not in here, it)):
        missed = preferences.unmet(variants[label])
        words = (
            [lacking[label]]
            if lacking[label]
            else [
                say_unmet(it, machine, rules, decision, unanswered.get(it.namespace, ""))
                for it in missed
            ]
        )
        rows.append(Row(label, None, "; ".join(dict.fromkeys(words))))
    unnamed = [label for label in release.labels if label not in variants]
    rows.extend(Row(label, None, "the metadata names no such label") for label in unnamed)
    ordinary = release.wheels is not None and not lacking[""]
    if ordinary:
        why = "the wheel without a label, for every machine" if not order else "after every variant"
        rows.insert(len(order), Row(ORDINARY, len(order) + 1, why))
    winner = order[0] if order else ORDINARY if ordinary else None
    return View(installer, winner, tuple(rows))


def _uv_view(release: Release, machine: Machine, *, blind: bool) -> View:
    if not release.listed and any(wheel.label for wheel in release.wheels or ()):
        missing = (release.wheels or ())[0].metadata_name
        return _without_metadata(
            UV, release, machine, f"uv sees no variant without a {missing} beside the wheels"
        )
    if release.metadata is None and release.trouble:
        # uv gives up the whole release, ordinary wheels included.
        rows = [Row(label, None, "uv refuses the metadata") for label in release.labels]
        return View(UV, None, tuple(rows), f"uv refuses the release: {release.trouble}")
    if blind:
        machine = replace(
            machine, cuda=None, gpus=(), reason="uv asks nvidia-smi, which is not on the PATH"
        )
    return _variant_view(UV, release, machine, 0)


def _pip_view(release: Release, machine: Machine) -> View:
    return _without_metadata(PIP, release, machine, "pip takes no wheel with a label")


def _without_metadata(installer: str, release: Release, machine: Machine, why: str) -> View:
    rows = [Row(label, None, why) for label in release.labels]
    if release.wheels is None or _lacks("", release.groups()[""], machine):
        return View(installer, None, tuple(rows), why)
    rows.insert(0, Row(ORDINARY, 1, "the wheel without a label, for every machine"))
    return View(installer, ORDINARY, tuple(rows), why)


def _ordered_rows(
    order: tuple[str, ...],
    variants: Mapping[str, Variant],
    preferences: Preferences,
    machine: Machine,
) -> Iterator[Row]:
    for index, label in enumerate(order):
        stated = variants[label]
        if index == 0:
            reason = _merit(stated, machine)
        else:
            before = order[index - 1]
            deciding = preferences.deciding(variants[before], stated)
            if label == NULL_LABEL:
                reason = "the null variant, after every other"
            elif deciding is None:
                reason = f"after {before} by the label alone: nothing else tells them apart"
            else:
                key = (deciding.namespace, deciding.feature)
                mine = [it.value for it in preferences.places(stated) if it[3:5] == key]
                reason = f"after {before} by {say_place(deciding, mine)}"
        yield Row(label, index + 1, reason)


def _merit(stated: Variant, machine: Machine) -> str:
    if not stated:
        return "the null variant: no other one can be taken"
    values = stated.get(NVIDIA, {}).get(SM_ARCH, ())
    if not values:
        return "everything it states is supported"
    served = [f"{best or 'nothing'} for {name}" for name, best in say_coverage(values, machine)]
    return ", ".join(served) or f"sm_arch: has {say_archs(values)}"


def _unanswered(metadata: VariantMetadata, installer: str) -> dict[str, str]:
    """Return the namespaces that nobody answers for, with the reason."""
    found = {}
    for namespace in metadata.namespaces:
        provider = (metadata.providers or {}).get(namespace)
        if provider is None:
            found[namespace] = "the metadata names no provider for it"
        elif provider.static_properties:
            continue
        elif namespace == NVIDIA:
            skipped = uv_skips(provider) if installer == UV else _we_are_skipped(provider)
            if skipped:
                found[namespace] = skipped
        else:
            found[namespace] = "another provider answers for it, which is not asked here"
    return found


def _we_are_skipped(provider: Provider) -> str:
    """Say why an installer that runs plugins would not get an answer; empty if it would."""
    if provider.builtin:
        return f"the installer answers itself ({provider.builtin})"
    if provider.optional:
        return "an optional provider is asked only where the user enables it"
    if provider.plugin_api != _ENDPOINT:
        return f"its 'plugin-api' is not {_ENDPOINT}, and asking anything else fails"
    for text in provider.requires:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) == "nvidia-variant-provider":
            if not requirement.specifier.contains(__version__, prereleases=True):
                return f"'requires' excludes this provider's version {__version__}: {text}"
            return ""
    return "'requires' does not name nvidia-variant-provider"


def _lacks(label: str, wheels: Sequence[WheelName] | None, machine: Machine) -> str:
    """Say why none of the wheels with a label fits the machine's platform; empty if one does.

    ``None`` means that the wheels are not known. The tags of Python and its ABI are not judged:
    which interpreter will be used is not known.
    """
    if wheels is None or any(admits(wheel.platforms, machine.platform) for wheel in wheels):
        return ""
    there = sorted({platform for wheel in wheels for platform in wheel.platforms})
    if not there:
        return f"there is no wheel with the label {label}" if label else "there is no such wheel"
    return (
        f"no wheel for {machine.platform.system} {machine.platform.architecture}: "
        f"there is {', '.join(there)}"
    )


def _warnings(found: Explanation, release: Release, *, blind: bool) -> Iterator[str]:
    machine = found.machine
    ours, uvs = found.view(PROVIDER), found.view(UV)
    if release.trouble:
        yield release.trouble
    if not release.listed and release.metadata is not None:
        yield uvs.remark
    for installer, view in ((PROVIDER, ours), (UV, uvs)):
        skipped = _unanswered(release.metadata, installer).get(NVIDIA) if release.metadata else None
        if skipped:
            yield (
                f"{TITLES[installer]} does not answer for nvidia: {skipped}; every build that "
                "states a property of nvidia is passed over without a word"
            )
        if machine.gpus and not found.has_gpu_build(installer, release) and _offers_gpu(release):
            ends = view.winner or "nothing"
            yield f"{TITLES[installer]} ends at {ends}, although this machine has a GPU"
    if blind and machine.gpus:
        yield (
            "uv asks nvidia-smi, which is not on the PATH: run it under "
            "'nvidia-variant-provider run --'"
        )
    if ours.winner != uvs.winner:
        ends = f"the provider ends at {ours.winner or 'nothing'}, uv at {uvs.winner or 'nothing'}"
        yield f"they disagree: {ends}"
    winners = {PROVIDER: ours.winner, UV: uvs.winner}
    for winner in dict.fromkeys(winners.values()):
        yield from _warnings_on_build(winner, release, machine)


def _warnings_on_build(winner: str | None, release: Release, machine: Machine) -> Iterator[str]:
    """Look at the device code of a chosen build, GPU by GPU."""
    stated = release.metadata.variants.get(winner or "", {}) if release.metadata else {}
    values = stated.get(NVIDIA, {}).get(SM_ARCH, ())
    if not values:
        return
    served = say_coverage(values, machine)
    left_out = [name for name, best in served if best is None]
    compiled = [(name, best) for name, best in served if best and best.endswith("_virtual")]
    if left_out:
        yield f"{winner} has no device code for {', '.join(left_out)}"
    for name, best in compiled:
        yield f"{winner} has only PTX ({best}) for {name}: the driver compiles it at first use"


def _offers_gpu(release: Release) -> bool:
    return release.metadata is not None and any(
        NVIDIA in stated for stated in release.metadata.variants.values()
    )
