"""Warnings about a release on a machine: builds that end badly, in silence or at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.tools.explain.answering import unanswered
from nvidia_variant_provider.tools.explain.words import say_coverage
from nvidia_variant_provider.tools.installers.table import PROVIDER, UV
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.results import Explanation
    from nvidia_variant_provider.tools.releases.release import Release


def warnings_about(found: Explanation, release: Release, *, blind: bool) -> Iterator[str]:
    """Yield what a person should know before an installer is started, GPU by GPU."""
    machine = found.machine
    ours, uvs = found.view(PROVIDER), found.view(UV)
    if release.trouble:
        yield release.trouble
    if not release.listed and release.metadata is not None:
        yield uvs.remark
    for installer, view in ((PROVIDER, ours), (UV, uvs)):
        skipped = (
            unanswered(release.metadata, installer).get(NVIDIA_NAMESPACE)
            if release.metadata
            else None
        )
        if skipped:
            yield (
                f"{installer.called} does not answer for nvidia: {skipped}; every build that "
                "states a property of nvidia is passed over without a word"
            )
        if machine.gpus and not found.has_gpu_build(installer, release) and _offers_gpu(release):
            ends = view.winner or "nothing"
            yield f"{installer.called} ends at {ends}, although this machine has a GPU"
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
    values = stated.get(NVIDIA_NAMESPACE, {}).get(SM_ARCH, ())
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
        NVIDIA_NAMESPACE in stated for stated in release.metadata.variants.values()
    )
