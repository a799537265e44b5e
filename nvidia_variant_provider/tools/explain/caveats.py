"""Warnings about a release on a machine: builds that end badly, in silence or at first use."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.rules.gpus import without_display_gpus
from nvidia_variant_provider.tools.explain.answering import ANOTHER, unanswered
from nvidia_variant_provider.tools.explain.inside import why_unread
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.words import name_of, say_coverage
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER, UV
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.results import Explanation, View
    from nvidia_variant_provider.tools.releases.release import Release


def warnings_about(explanation: Explanation, release: Release, *, blind: bool) -> Iterator[str]:
    """Yield what a person should know before an installer is started, GPU by GPU."""
    machine = explanation.machine
    ours, uvs = explanation.view(PROVIDER), explanation.view(UV)
    if release.trouble:
        yield release.trouble
    if not release.listed and release.metadata is not None:
        yield uvs.remark
    if "+" in release.version and release.metadata is not None:
        yield (
            f"{release.version} competes with no build of another local version: the greatest one"
            " wins before any label counts (its packager can tag with --strip-local)"
        )
    yield from _on_surroundings(explanation, release)
    for view in (uvs, explanation.view(PIP)):
        if view.refusal and not (release.trouble and release.trouble in view.refusal):
            yield view.refusal
    yield from dict.fromkeys(_unread(release, (uvs, explanation.view(PIP)), machine))
    for view in (ours, uvs):
        yield from _warnings_on_view(view, release, machine)
    if blind and machine.gpus:
        yield (
            "uv asks nvidia-smi, which is not on the PATH: run it under "
            "'nvidia-variant-provider run --'"
        )
    if ours.winner != uvs.winner:
        yield (
            f"they disagree: the provider selects {ours.winner or 'nothing'}, "
            f"uv selects {uvs.winner or 'nothing'}"
        )
    yield from _on_code((ours,) if ours.winner == uvs.winner else (ours, uvs), machine)


def _on_surroundings(explanation: Explanation, release: Release) -> Iterator[str]:
    """Name the wheels that Python or glibc shuts out, and source distributions."""
    for reason, count in Counter(release.barred.values()).items():
        wheels = (
            f"{count} wheels"
            if count > 1
            else next(name for name, why in release.barred.items() if why == reason)
        )
        yield f"{wheels}: {reason}"
    for condition in release.lock.conditions if release.lock else ():
        yield f"{condition}; that is not judged here"
    if asked := _answered_by_others(release):
        yield (
            f"{', '.join(asked)}: not judged here, as another provider answers; a variant that"
            " states it may win"
        )
    if release.newer_sdist:
        yield (
            f"{release.newer_sdist} is newer and has no wheel: uv and pip build it, unless told "
            "--only-binary :all:; it is not judged here"
        )
    left = [view for view in explanation.views if view.winner is None and not view.refusal]
    if release.sdists and left:
        yield (
            f"{release.sdists[0]}: an installer that is left with no wheel builds it, unless told "
            "--only-binary :all:; it is not judged here"
        )


def _unread(release: Release, views: Sequence[View], machine: Machine) -> Iterator[str]:
    """Name the selected wheels of an index that could not be looked at."""
    for view in views:
        seen = release.seen_by_pip if view.installer is PIP else release
        label = "" if view.winner == ORDINARY else view.winner
        if label is not None and (why := why_unread(seen, label, machine)):
            yield f"not judged: {why}"


def _answered_by_others(release: Release) -> list[str]:
    """Return the namespaces of variants whose provider is another one that an installer asks."""
    metadata = release.metadata
    if metadata is None:
        return []
    silent = unanswered(metadata, PROVIDER, metadata.namespaces)
    stated = {namespace for variant in metadata.variants.values() for namespace in variant}
    return sorted(namespace for namespace in stated if silent.get(namespace) == ANOTHER)


def _warnings_on_view(view: View, release: Release, machine: Machine) -> Iterator[str]:
    installer = view.installer
    silent = unanswered(view.metadata, installer, view.enabled) if view.metadata else {}
    if skipped := silent.get(NVIDIA_NAMESPACE):
        yield (
            f"{installer.called} does not answer for nvidia: {skipped}; every build that "
            "states a property of nvidia is ignored without a message"
        )
    if machine.gpus and not view.has_gpu_build and _offers_gpu(view, release):
        chosen = view.winner or "nothing"
        yield f"{installer.called} selects {chosen}, although this machine has a GPU"


def _on_code(views: Sequence[View], machine: Machine) -> Iterator[str]:
    """Look at the device code of what is chosen, for the GPUs that count."""
    counting, small = without_display_gpus(machine)
    if small is not None:
        yield small.text
    for view in views:
        yield from _warnings_on_build(view, counting)


def _warnings_on_build(view: View, machine: Machine) -> Iterator[str]:
    """Look at the device code of a chosen build, GPU by GPU."""
    winner = view.winner
    stated = view.metadata.variants.get(winner or "", {}) if view.metadata else {}
    values = stated.get(NVIDIA_NAMESPACE, {}).get(SM_ARCH, ())
    if not values:
        return
    served = say_coverage(values, machine)
    left_out = [name for name, best in served if best is None]
    compiled = [(name, best) for name, best in served if best and best.endswith("_virtual")]
    if left_out:
        yield f"{winner} has no device code for {', '.join(left_out)}"
        yield from _how_to_serve(left_out, view, machine)
    for name, best in compiled:
        yield f"{winner} has only PTX ({best}) for {name}: the driver compiles it at first use"


def _how_to_serve(left_out: Sequence[str], view: View, machine: Machine) -> Iterator[str]:
    """Say how to choose a GPU that is left out, where no build of the release serves them all."""
    builds = {
        label: [name for name, best in say_coverage(values, machine) if best]
        for label, stated in (view.metadata.variants if view.metadata else {}).items()
        if (values := stated.get(NVIDIA_NAMESPACE, {}).get(SM_ARCH, ()))
    }
    names = [name_of(gpu) for gpu in machine.gpus if gpu.capability is not None]
    if len(set(names)) == 1 or any(len(served) == len(set(names)) for served in builds.values()):
        return
    for name in left_out:
        labels = [label for label, served in builds.items() if name in served]
        index = next(i for i, gpu in enumerate(machine.gpus) if name_of(gpu) == name)
        choice = f"NV_VARIANT_PROVIDER_GPU={index} chooses {name}"
        has = f"{', '.join(labels)} {'has' if len(labels) == 1 else 'have'} code for it"
        yield (
            f"no build of this release serves every GPU here: {choice}; "
            f"{has if labels else 'none has code for it'}"
        )


def _offers_gpu(view: View, release: Release) -> bool:
    metadata = view.metadata or release.metadata
    return metadata is not None and any(
        NVIDIA_NAMESPACE in stated for stated in metadata.variants.values()
    )
