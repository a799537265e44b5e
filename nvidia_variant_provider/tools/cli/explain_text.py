"""What ``explain`` prints of a release for a person."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.cmd_properties import describe
from nvidia_variant_provider.tools.installers.table import EXPLAINED, PROVIDER, UV

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from nvidia_variant_provider.tools.explain.fitness import Fitness
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild
    from nvidia_variant_provider.tools.explain.results import Explanation, View
    from nvidia_variant_provider.tools.releases.release import Release


def show(name: str, explanation: Explanation, *, installed: bool) -> None:
    """Print what each installer makes of a release on a machine."""
    output.emit_text(["", f"{name}: {describe(explanation.machine)}"])
    ours, uvs = explanation.view(PROVIDER), explanation.view(UV)
    _table(ours)
    if [(row.label, row.place) for row in uvs.rows] != [
        (row.label, row.place) for row in ours.rows
    ]:
        output.emit_text([f"as {UV.title} sees it"])
        _table(uvs)
    if installed:
        fits = "still fits" if ours.rows and ours.rows[0].place else "no longer fits"
        output.emit_text([f"what is installed {fits}"])
    else:
        for installer in EXPLAINED:
            view = explanation.view(installer)
            # A machine with a GPU that ends at a build for none is what this command looks for.
            is_hole = bool(explanation.machine.gpus) and not view.has_gpu_build
            tone = output.Tone.BAD if is_hole else output.Tone.GOOD if view.has_gpu_build else None
            output.emit_toned([(tone, f"{installer.title}: {view.winner or 'nothing'}")])
    for warning in explanation.warnings:
        output.warn(warning)


def _table(view: View) -> None:
    rows = [
        ("-" if row.place is None else str(row.place), row.label, row.reason) for row in view.rows
    ]
    output.emit_table(
        ("", "variant", "why"), rows, tone=lambda row: output.Tone.FAINT if row[0] == "-" else None
    )


def show_ordinary(ordinary: Sequence[tuple[InstalledBuild, Fitness]]) -> None:
    """Print what the wheels without a label are, and whether they run."""
    for build, fitness in ordinary:
        label = f" ({build.label})" if build.label and build.label not in build.version else ""
        output.emit_text(
            [f"no label: {build.name} {build.version}{label} {fitness.verdict}: {fitness.reason}"]
        )


def hint_repair(release: Release, named: argparse.Namespace, explanation: Explanation) -> None:
    """Name the command that installs a build for the GPU over one that is none."""
    if not explanation.machine.gpus or explanation.view(PROVIDER).has_gpu_build:
        return
    given = {"--target": named.target, "--machine": named.machine}
    machine = "".join(f" {option} {shlex.quote(text)}" for option, text in given.items() if text)
    output.hint(
        f"nvidia-variant-provider run{machine} -- pip install --force-reinstall "
        f"{release.name}=={release.version}"
    )
