"""``explain --installed`` of an ordinary wheel: what it is, whether it runs, what repairs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nvidia_variant_provider.tables.cuda_indexes import COMPANIONS
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.advice import advice_for
from nvidia_variant_provider.tools.cli.cmd_properties import describe
from nvidia_variant_provider.tools.explain.findings import NO_GPU_BUILD, OTHER_VARIANT, Failure
from nvidia_variant_provider.tools.explain.fitness import (
    Fitness,
    disagreements,
    fitness_of,
    matching,
)
from nvidia_variant_provider.tools.explain.installed import installed_of
from nvidia_variant_provider.tools.explain.ordinary import read_build
from nvidia_variant_provider.tools.torch.builds import TORCH, archs_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from importlib.metadata import Distribution

    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.json_model import Explanations
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild


class Installed(NamedTuple):
    """An installed build, what does not go with it, and the command that would match it."""

    build: InstalledBuild
    disagreements: tuple[str, ...]
    matching: tuple[str, ...] = ()


def read(distribution: Distribution, path: Sequence[str]) -> Installed:
    """Read what is installed; beside torch also what was built against it."""
    build = read_build(distribution)
    if build.name.lower() != TORCH:
        return Installed(build, ())
    others = [_beside(companion) for companion in installed_of(COMPANIONS, path)]
    return Installed(build, tuple(disagreements(build, others)), tuple(matching(build, others)))


def _beside(distribution: Distribution) -> InstalledBuild:
    quick = read_build(distribution, inspect=False)
    return quick if quick.best else read_build(distribution)


def show(installed: Installed, machines: Sequence[tuple[str, Machine, Fitness]]) -> None:
    """Print the verdict for each machine, then what does not go together."""
    build = installed.build
    output.emit_text(_what(build))
    for name, machine, fitness in machines:
        output.emit_text(
            ["", f"{name}: {describe(machine)}", f"{fitness.verdict}: {fitness.reason}"]
        )
        for line in fitness.repair:
            output.hint(line)
    for line in installed.disagreements:
        output.warn(line)
    # What repairs torch itself names the torchvision that pairs.
    if any(fitness.runs for _, _, fitness in machines):
        for line in installed.matching:
            output.hint(line)


def _what(build: InstalledBuild) -> Iterator[str]:
    label = f", {build.label}" if build.label else ""
    yield f"{build.name} {build.version}: installed, without a variant label"
    if build.best is None and build.uses:
        yield "build        uses CUDA, of which version is not known"
    elif build.best is None:
        yield "build        nothing in it speaks of CUDA"
    elif build.cuda is None:
        yield "build        without CUDA"
    else:
        yield f"build        CUDA {build.cuda if build.best.exact else build.cuda.major}{label}"
    for text in [sign.text for sign in build.evidence] or build.uses:
        yield f"             {text}"
    if build.archs:
        yield f"device code  {archs_text(build.archs)}"
        yield f"             {build.code_source}"


def broken(args: argparse.Namespace, build: InstalledBuild, fitness: Fitness) -> Iterator[Failure]:
    """Yield each check that does not hold."""
    if args.require_gpu and fitness.runs is not True:
        text = f"--require-gpu: {build.name} {build.version} {fitness.verdict}: {fitness.reason}"
        yield Failure(NO_GPU_BUILD, text)
    if args.expect is not None and args.expect != build.label:
        seen = build.label or "a build without label"
        text = f"--expect {args.expect}: {build.name} {build.version} is {seen}"
        yield Failure(OTHER_VARIANT, text)


def document(
    whole: Explanations, installed: Installed, machines: Sequence[tuple[str, Machine, Fitness]]
) -> Explanations:
    """Return the JSON document with what is installed and the verdicts."""
    from nvidia_variant_provider.tools.explain.json_model import FitnessModel, InstalledModel

    results = tuple(
        result.model_copy(update={"installed": FitnessModel.of(fitness)})
        for result, (_, _, fitness) in zip(whole.machines, machines, strict=True)
    )
    record = InstalledModel.of(installed.build, installed.disagreements)
    return whole.model_copy(update={"machines": results, "installed": record})


def judged(
    build: InstalledBuild, machines: Sequence[tuple[str, Detection]]
) -> list[tuple[str, Machine, Fitness]]:
    """Judge the build for every machine."""
    return [
        (name, detection.machine, fitness_of(build, detection.machine, advice_for(detection)))
        for name, detection in machines
    ]
