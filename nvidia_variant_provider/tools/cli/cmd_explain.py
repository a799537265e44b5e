"""``explain``: which variant each installer takes, and why not another."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import (
    checking,
    explain_indexes,
    explain_machines,
    explain_name,
    explain_text,
    options,
    output,
)
from nvidia_variant_provider.tools.explain.findings import (
    EXPLAIN_WARNING,
    NO_GPU_BUILD,
    OTHER_VARIANT,
    Failure,
)
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.installers.table import EXPLAINED, PROVIDER, by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.metadata import Distribution

    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.tools.explain.fitness import Fitness
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild
    from nvidia_variant_provider.tools.explain.results import Explanation
    from nvidia_variant_provider.tools.releases.release import Release

    # A machine, what installers make of the release there, and of its wheels without a label.
    _Explained: TypeAlias = tuple[
        tuple[str, argparse.Namespace, Detection],
        tuple[str, Explanation],
        Sequence[tuple[InstalledBuild, Fitness]],
    ]

_EPILOG: Final = """\
SOURCE is a folder of wheels, a ...-variants.json, a wheel, a pylock.toml, the address of an index
(simple API), or the bare name of a package. A bare name means the installed package, else what the
configured indexes have. The newest release is explained, or the one that --package names. An
installed build without a label is judged by its CUDA libraries and its device code.

examples:
  nvidia-variant-provider explain wheels/ --package torch==2.14.1
  nvidia-variant-provider explain torch-2.14.1-variants.json --target gh200@580 --target t4@570
  nvidia-variant-provider explain wheels/ --target b200@580 --require-gpu --installer uv
  nvidia-variant-provider explain wheels/ --expect cuda13.0 --json
  nvidia-variant-provider explain https://index.example/simple/ --package torch --through-view
  nvidia-variant-provider explain torch --index-url https://index.example/simple/ \\
      --extra-index-url https://other.example/simple/
  nvidia-variant-provider explain pylock.toml --package torch --target h100@580
  nvidia-variant-provider explain torch
  nvidia-variant-provider explain --installed torch --target h100@580 --require-gpu

exit codes:
  0  explained, and the checks pass
  1  --require-gpu or --expect fails
  2  usage error or an unreadable source
"""
_EXIT_FINDINGS: Final = 1
_PYTHON: Final = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}((a|b|rc)\d{1,3})?")


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "explain",
        help="show which variant of a release installers select, and why",
        description="Show which variant of a release installers select, and why the others lose.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="location of the release, see below"
    )
    parser.add_argument(
        "--package", metavar="NAME[==VERSION]", help="release to explain, if there are several"
    )
    parser.add_argument(
        "--installed", metavar="NAME", help="explain an installed package instead of a SOURCE"
    )
    parser.add_argument("--path", metavar="DIR", help="site-packages folder for --installed")
    machines = parser.add_argument_group("machines", "this one, unless others are named")
    machines.add_argument(
        "--target",
        action="append",
        metavar="NAME[@DRIVER]",
        help="machine by name, such as gh200@580; repeatable",
    )
    machines.add_argument(
        "--machine", action="append", metavar="FILE", help="machine file; repeatable"
    )
    machines.add_argument("--gpu", metavar="WHICH", help="the GPU to use, as in 'properties'")
    parser.add_argument(
        "--enable",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="treat the optional provider of a namespace as enabled; uv cannot enable one",
    )
    parser.add_argument(
        "--python-version",
        type=_version,
        metavar="VERSION",
        help="the Python that Requires-Python is judged for [default: the running one]",
    )
    explain_indexes.add_indexes(parser)
    view = parser.add_argument_group("view")
    view.add_argument(
        "--through-view",
        action="store_true",
        help="explain which version and build pip installs through 'run'; SOURCE is an index",
    )
    view.add_argument(
        "--cuda-index",
        action="append",
        default=[],
        metavar="URL",
        help="with --through-view: address with per-CUDA indexes below it; repeatable",
    )
    checks = parser.add_argument_group("checks")
    checks.add_argument(
        "--require-gpu", action="store_true", help="fail unless the result is a build for the GPU"
    )
    checks.add_argument("--expect", metavar="LABEL", help="fail unless the result has this label")
    checks.add_argument(
        "--installer",
        choices=[installer.name for installer in EXPLAINED],
        default=PROVIDER.name,
        help="installer whose result is checked",
    )
    checking.add_form(parser)
    return parser


def _version(text: str) -> str:
    if not _PYTHON.fullmatch(text):
        message = f"expected a version of Python such as 3.12, not {text[:60]!r}"
        raise argparse.ArgumentTypeError(message)
    return text


def run(args: argparse.Namespace) -> int:
    """Explain, print, check."""
    if args.through_view:
        from nvidia_variant_provider.tools.cli import explain_view

        return explain_view.run(args, explain_machines.machines_of(args))
    is_name = not explain_indexes.is_asked(args) and explain_name.read_name(args)
    try:
        distribution = _distribution(args)
    except InvalidValueError:
        if not is_name or args.path:
            raise
        return explain_name.run(args, explain_machines.machines_of(args), run)
    release = _release(args, distribution)
    pythons = explain_machines.barred_wheels(release, args)
    machines = [
        (name, named, options.answer_for(named).detection)
        for name, named in explain_machines.machines_of(args)
    ]
    explanations = [
        (name, explain_machines.explain_on(release, named, detection.machine, args.enable, pythons))
        for name, named, detection in machines
    ]
    if distribution is not None and release.metadata is None:
        detections = [(name, detection) for name, _, detection in machines]
        return _run_ordinary(args, distribution, release, explanations, detections)
    ordinary, explanations = _ordinary(release, explanations)
    broken = [
        failure
        for (name, explanation), judged in zip(explanations, ordinary, strict=True)
        for failure in _broken(args, name, explanation, judged)
    ]
    if args.output_format == checking.JSON:
        from nvidia_variant_provider.tools.explain.json_model import Explanations

        output.emit_document(Explanations.of(release, explanations, ordinary))
    elif args.output_format == checking.TEXT:
        output.emit_text([f"{release.name} {release.version}: {release.origin}"])
        output.emit_text(release.several.lines if release.several else ())
        for (name, explanation), judged in zip(explanations, ordinary, strict=True):
            explain_text.show(name, explanation, installed=args.installed is not None)
            explain_text.show_ordinary(judged)
        if args.installed is not None:
            for (_, named, _), (_, explanation) in zip(machines, explanations, strict=True):
                explain_text.hint_repair(release, named, explanation)
    warnings = (
        Failure(EXPLAIN_WARNING, warning).of_machine(name)
        for name, explanation in explanations
        for warning in explanation.warnings
    )
    code = _ended(args, release.origin, broken, warnings)
    _hint_builds(args, release, zip(machines, explanations, ordinary, strict=True))
    return code


def _hint_builds(
    args: argparse.Namespace, release: Release, explained: Iterable[_Explained]
) -> None:
    """Name the command that gets a build for the GPU where the release has none."""
    if args.output_format == checking.TEXT and args.installed is None:
        from nvidia_variant_provider.tools.cli.explain_repair import hint_builds

        asked = ((named, *explanation, judged) for (_, named, _), explanation, judged in explained)
        hint_builds(args, release, asked)


def _ended(
    args: argparse.Namespace,
    source: str,
    broken: Sequence[Failure],
    warnings: Iterable[Failure] = (),
) -> int:
    """Report the checks that fail, in the form that is asked for, and return the exit code."""
    if args.output_format in {checking.TEXT, checking.JSON}:
        for failure in broken:
            output.fail("explain", failure.text)
    else:
        from nvidia_variant_provider.tools.findings.formats import Run

        shown = output.without_credentials(source)
        findings = tuple(failure.in_source(shown) for failure in (*broken, *warnings))
        checking.emit_run(args.output_format, Run("explain", (shown,), findings))
    return _EXIT_FINDINGS if broken else 0


def _ordinary(
    release: Release, explanations: list[tuple[str, Explanation]]
) -> tuple[list[tuple[tuple[InstalledBuild, Fitness], ...]], list[tuple[str, Explanation]]]:
    """Judge the release's wheels without a label, and warn of those that cannot be read."""
    plain = [wheel for wheel in release.wheels or () if not wheel.label]
    if release.read_core is None and not any(map(release.path_of, plain)):
        return [() for _ in explanations], explanations
    from nvidia_variant_provider.tools.cli.progress import bar
    from nvidia_variant_provider.tools.explain.unlabelled import (
        builds_of,
        judged_for,
        wheels_to_read,
    )

    with bar("reading METADATA", len(wheels_to_read(release))) as told:
        builds, unread = builds_of(release, told)
    judged = [judged_for(builds, explanation.machine) for _, explanation in explanations]
    return judged, [(name, explanation.warned_of(unread)) for name, explanation in explanations]


def _distribution(args: argparse.Namespace) -> Distribution | None:
    if args.installed is None:
        return None
    from nvidia_variant_provider.tools.explain.installed import find_installed

    return find_installed(args.installed, _path(args))


def _path(args: argparse.Namespace) -> list[str]:
    """Return the folders to look in: the ones named, of the active environment, of this Python."""
    if args.path:
        return [args.path]
    active = os.environ.get("VIRTUAL_ENV", "")
    patterns = ("lib/python3*/site-packages", "Lib/site-packages") if active else ()
    folders = [str(folder) for pattern in patterns for folder in sorted(Path(active).glob(pattern))]
    return [*folders, *sys.path]


def _run_ordinary(
    args: argparse.Namespace,
    distribution: Distribution,
    release: Release,
    explanations: list[tuple[str, Explanation]],
    detections: list[tuple[str, Detection]],
) -> int:
    """Explain what is installed without a label."""
    from nvidia_variant_provider.tools.cli import explain_installed

    installed = explain_installed.read(distribution, _path(args))
    judged = explain_installed.judged(installed.build, detections)
    broken = [
        failure.of_machine(name)
        for name, _, fitness in judged
        for failure in explain_installed.broken(args, installed.build, fitness)
    ]
    if args.output_format == checking.JSON:
        from nvidia_variant_provider.tools.explain.json_model import Explanations

        whole = explain_installed.document(
            Explanations.of(release, explanations), installed, judged
        )
        output.emit_json(whole.model_dump(mode="json"))
    elif args.output_format == checking.TEXT:
        explain_installed.show(installed, judged)
    warnings = (Failure(EXPLAIN_WARNING, line) for line in installed.disagreements)
    return _ended(args, release.origin, broken, warnings)


def _release(args: argparse.Namespace, distribution: Distribution | None) -> Release:
    if distribution is not None:
        from nvidia_variant_provider.tools.explain.installed import read_installed

        return read_installed(distribution)
    if explain_indexes.is_asked(args):
        return explain_indexes.read(args)
    from nvidia_variant_provider.tools.releases.source import read_release

    return read_release(args.source, args.package)


def _broken(
    args: argparse.Namespace,
    name: str,
    explanation: Explanation,
    ordinary: Sequence[tuple[InstalledBuild, Fitness]],
) -> Iterator[Failure]:
    """Yield each check that does not hold."""
    installer = by_name(args.installer)
    view = explanation.view(installer)
    if view.winner == ORDINARY and ordinary:
        from nvidia_variant_provider.tools.cli.explain_installed import broken

        build, fitness = ordinary[0]
        yield from (failure.of_machine(name) for failure in broken(args, build, fitness))
        return
    selected = f"{args.installer} selects {view.winner or 'nothing'}"
    if args.require_gpu and not view.has_gpu_build:
        first = next((row for row in view.rows if row.place is None), None)
        why = f" ({first.label}: {first.reason})" if first else ""
        text = f"--require-gpu: {name}: {selected}, which is not a build for a GPU{why}"
        yield Failure(NO_GPU_BUILD, text)
    if args.expect is not None and view.winner != args.expect:
        why = view.reason_of(args.expect)
        labels = ", ".join(row.label for row in view.rows if row.label != ORDINARY) or "none"
        because = (
            f"{args.expect}: {why}"
            if why
            else f"this release has no variant {args.expect} (it has {labels})"
        )
        text = f"expected variant {args.expect} for {name}, but {selected}; {because}"
        yield Failure(OTHER_VARIANT, text)
