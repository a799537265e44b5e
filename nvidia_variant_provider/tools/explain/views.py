"""What each installer makes of a release on a machine: an order with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.tools.explain.answering import rules_of, unanswered
from nvidia_variant_provider.tools.explain.caveats import warnings_about
from nvidia_variant_provider.tools.explain.here import Barred
from nvidia_variant_provider.tools.explain.inside import (
    why_excluded,
    why_refused,
    why_refuses_lock,
)
from nvidia_variant_provider.tools.explain.results import ORDINARY, Explanation, Row, View
from nvidia_variant_provider.tools.explain.words import (
    say_archs,
    say_coverage,
    say_place,
    say_unmet,
)
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER, UV
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL, Preferences
from nvidia_variant_provider.tools.metadata.readers import by_name
from nvidia_variant_provider.tools.releases.files import ReleaseKey
from nvidia_variant_provider.tools.wheels.platform import admits
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.installers.table import Installer
    from nvidia_variant_provider.tools.metadata.model import Variant, VariantMetadata
    from nvidia_variant_provider.tools.releases.release import Release


def explain(
    release: Release,
    machine: Machine,
    *,
    uv_blind: bool = False,
    enabled: Sequence[str] = (),
    barred: Barred | None = None,
) -> Explanation:
    """Explain a release on a machine.

    ``uv_blind`` says that uv finds no ``nvidia-smi`` on this machine and no variable in its place.
    ``enabled`` are namespaces whose optional providers the user enabled, which uv has no way to do.
    ``barred`` are the wheels that the interpreter and its C library shut out; uv refuses a release
    whose selected wheel excludes the interpreter, where others pass over the wheel.
    """
    barred = barred or Barred()
    taken = replace(release, barred={**barred.python, **barred.glibc})
    views = (
        _variant_view(PROVIDER, taken, machine, tuple(enabled)),
        _uv_view(replace(release, barred=barred.glibc), machine, barred, blind=uv_blind),
        _pip_view(replace(taken.seen_by_pip, barred=taken.barred), machine),
    )
    release = taken
    explanation = Explanation(machine, views, ())
    return replace(
        explanation, warnings=tuple(warnings_about(explanation, release, blind=uv_blind))
    )


def explain_provider(release: Release, machine: Machine) -> View:
    """Explain what an installer takes that asks this provider and follows PEP 825."""
    return _variant_view(PROVIDER, release, machine)


def _variant_view(
    installer: Installer, release: Release, machine: Machine, enabled: tuple[str, ...] = ()
) -> View:
    reader = by_name(installer.reader)
    release = release.read_by(reader)
    if release.metadata is None:
        return _without_metadata(installer, release, machine, release.trouble)
    rules = rules_of(release.metadata, installer)
    silent = unanswered(release.metadata, installer, enabled)
    decision = decide(machine, rules)
    offers = {} if NVIDIA_NAMESPACE in silent else {NVIDIA_NAMESPACE: decision.features}
    preferences = release.metadata.preferences(offers, enabled, reader)
    variants = release.metadata.variants
    lacking = {label: _lacks(release, label, machine) for label in release.groups()}
    here = {label: stated for label, stated in variants.items() if not lacking[label]}
    order = preferences.order(here)
    rows = list(_ordered_rows(order, here, preferences, machine))
    for label in sorted(set(variants) - set(order), key=lambda label: (label not in here, label)):
        missed = preferences.unmet(variants[label])
        words = (
            [lacking[label]]
            if lacking[label]
            else [
                say_unmet(unmet, machine, rules, decision, silent.get(unmet.namespace, ""))
                for unmet in missed
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
    return View(installer, winner, tuple(rows), enabled=enabled, metadata=release.metadata)


def _uv_view(release: Release, machine: Machine, barred: Barred, *, blind: bool) -> View:
    if release.lock is not None:
        return _locked_view(UV, release, machine, barred.python)
    read = release.read_by(by_name(UV.reader))
    if read.metadata is None and read.trouble and release.listed:
        # uv gives up the whole release, ordinary wheels included.
        rows = [Row(label, None, "uv refuses the metadata") for label in release.labels]
        refusal = f"uv refuses the release: {read.trouble}{_next(release)}"
        return View(UV, None, tuple(rows), refusal, refusal)
    if blind:
        machine = replace(
            machine, cuda=None, gpus=(), reason="uv asks nvidia-smi, which is not on the PATH"
        )
    if not release.listed and any(wheel.label for wheel in release.wheels or ()):
        missing = ReleaseKey.of_wheel((release.wheels or ())[0]).metadata_name
        why = f"uv sees no variant without a {missing} beside the wheels"
        view = _without_metadata(UV, release, machine, why)
    else:
        view = _variant_view(UV, release, machine)
    return _unless_refused(view, release, machine, barred.python)


def _pip_view(release: Release, machine: Machine) -> View:
    if release.lock is not None:
        return _locked_view(PIP, release, machine, {})
    view = _without_metadata(PIP, release, machine, "pip takes no wheel with a label")
    return _unless_refused(view, release, machine)


def _locked_view(
    installer: Installer, release: Release, machine: Machine, pythons: Mapping[str, str]
) -> View:
    """Return what an installer takes of a lock file, whose variants no released one chooses among.

    Source: tests/contract/test_locks.py asks the real ones.
    """
    refusal = why_refuses_lock(installer, release)
    if not refusal:
        why = f"{installer.called} reads no variants in a lock file"
        view = _without_metadata(installer, release, machine, why)
        return _unless_refused(view, release, machine, pythons)
    rows = [Row(label or ORDINARY, None, refusal) for label in release.groups()]
    return View(installer, None, tuple(rows), refusal, refusal)


def _unless_refused(
    view: View, release: Release, machine: Machine, pythons: Mapping[str, str] | None = None
) -> View:
    """Return the view, with nothing taken if the installer refuses the wheel that it selects."""
    if view.winner is None:
        return view
    label = "" if view.winner == ORDINARY else view.winner
    why = why_excluded(release, label, machine, pythons or {}) or why_refused(
        release, label, machine, lambda own: _fits_uv(own, machine)
    )
    if not why:
        return view
    called = view.installer.called
    what = "the release" if view.installer is UV else "the wheel without a label"
    rows = tuple(
        row if row.place is None else replace(row, place=None, reason=f"{called} refuses {what}")
        for row in view.rows
    )
    return replace(
        view,
        winner=None,
        rows=rows,
        refusal=f"{called} refuses {what}: {why}{_next(release)}",
    )


def _fits_uv(own: VariantMetadata, machine: Machine) -> bool:
    """Tell whether uv finds that a wheel fits by the metadata in the wheel itself."""
    offers = decide(machine, 0).features
    silent = unanswered(own, UV)
    preferences = own.preferences({} if NVIDIA_NAMESPACE in silent else {NVIDIA_NAMESPACE: offers})
    return all(preferences.is_compatible(stated) for stated in own.variants.values())


def _next(release: Release) -> str:
    """Say what the installer does then: it turns to an older release if there is one."""
    return f"; it turns to the older {release.name} {release.older}" if release.older else ""


def _without_metadata(installer: Installer, release: Release, machine: Machine, why: str) -> View:
    rows = [Row(label, None, why) for label in release.labels]
    if release.wheels is None or _lacks(release, "", machine):
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
                mine = [place.value for place in preferences.places(stated) if place[3:5] == key]
                reason = f"after {before} by {say_place(deciding, mine)}"
        yield Row(label, index + 1, reason)


def _merit(stated: Variant, machine: Machine) -> str:
    if not stated:
        return "the null variant: no other one can be taken"
    values = stated.get(NVIDIA_NAMESPACE, {}).get(SM_ARCH, ())
    if not values:
        return "everything it states is supported"
    served = [f"{best or 'nothing'} for {name}" for name, best in say_coverage(values, machine)]
    return ", ".join(served) or f"sm_arch: has {say_archs(values)}"


def _lacks(release: Release, label: str, machine: Machine) -> str:
    """Say why no wheel with a label fits the platform or may be taken; empty if one does.

    ``None`` means that the wheels are not known. The tags of Python and its ABI are not judged:
    which interpreter will be used is not known.
    """
    wheels = release.groups()[label]
    if wheels is None:
        return ""
    if fitting := [wheel for wheel in wheels if admits(wheel.platforms, machine.platform)]:
        reasons = [release.barred.get(str(wheel), "") for wheel in fitting]
        return "" if "" in reasons else "; ".join(dict.fromkeys(reasons))
    there = sorted({platform for wheel in wheels for platform in wheel.platforms})
    if not there:
        return f"there is no wheel with the label {label}" if label else "there is no such wheel"
    return (
        f"no wheel for {machine.platform.system} {machine.platform.architecture}: "
        f"there is {', '.join(there)}"
    )
