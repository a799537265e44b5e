"""``explain --through-view``: what pip gets of an index through ``run``, and why."""

from __future__ import annotations

import os
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY
from nvidia_variant_provider.tools.cli import checking, options, output
from nvidia_variant_provider.tools.cli.explain_repair import machine_words, ways_of
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER
from nvidia_variant_provider.tools.releases.configured_fetcher import pip_fetcher
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.picking import interpreter_for, parse_requirement, pick
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.session import cache_folder
from nvidia_variant_provider.tools.views.stated_code import StatedCode
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.views.model import Shown, VersionView, View

_EXIT_FINDINGS = 1


def run(args: argparse.Namespace, machines: list[tuple[str, argparse.Namespace]]) -> int:
    """Explain each machine's view of a project; return the exit code."""
    if args.source is None or args.package is None:
        raise InvalidValueError(
            "--through-view: expected the address of an index or a folder of wheels, and a project:"
            " explain https://index.example/simple/ --package torch --through-view"
        )
    if args.output_format != checking.TEXT:
        raise InvalidValueError("--through-view: expected the output format text, which it prints")
    if args.installer not in {PIP.name, PROVIDER.name}:
        raise InvalidValueError(
            f"--through-view: expected --installer {PIP.name}, whose choice is worked out; a view "
            f"offers {args.installer} the same files"
        )
    project, specifier = parse_requirement(args.package)
    upstream = _upstream(args.source, project)
    projects = frozenset({*FAMILY, project})
    families = [CudaFamily(upstream.fetcher, address, projects) for address in args.cuda_index]
    broken: list[str] = []
    code = StatedCode(upstream.fetcher, Path(cache_folder(os.environ)))
    for name, named in machines:
        machine = options.answer_for(named).detection.machine
        python = interpreter_for(machine.platform)
        wanted = partial(Wanted, machine, python, asked={project: specifier} if specifier else {})
        service = ViewService(upstream, wanted, families)
        service.code = code
        view = service.view(project)
        if view is None and not service.served(project):
            raise InvalidValueError(f"{project}: no such project on {args.source}")
        taken = None if view is None else pick(view, python, specifier)
        _show(name, view, taken, service)
        if view is not None and view.hidden and taken is not None:
            _hint(args, named, project)
        broken.extend(_broken(args, name, view, taken))
    for line in broken:
        output.fail("explain", line)
    return _EXIT_FINDINGS if broken else 0


def _hint(args: argparse.Namespace, named: argparse.Namespace, project: str) -> None:
    """Name the command that installs it: without the view, pip takes a version that is hidden."""
    for way in ways_of(args, project):
        if way.options:
            output.hint(way.command(machine_words(named), args.package))


def _upstream(source: str, project: str) -> Upstream:
    fetcher = pip_fetcher(os.environ)
    page = f"/{project}/"
    if "://" not in source:
        return Upstream(fetcher, (), [source])
    base = f"{source.rstrip('/')}/"
    return Upstream(fetcher, [base.removesuffix(page[1:])])


def _show(name: str, view: View | None, taken: Shown | None, service: ViewService) -> None:
    if view is None:
        output.emit_text([f"{name}: one build for all machines: the index's page is shown as is"])
        return
    label = f" ({taken.build.label})" if taken and taken.build and taken.build.label else ""
    output.emit_text([f"{name}: pip installs {taken.name if taken else 'nothing'}{label}"])
    output.emit_table(("version", "build", "why"), list(rows(view)))
    for warning in service.log.warnings:
        output.warn(warning)


def rows(view: View) -> Iterator[tuple[str, str, str]]:
    """Yield what is shown of each version of a view, and why; neighbours of one fate in one row."""
    for (build, why), alike in groupby(view.versions, _fate):
        versions = [str(version.version) for version in alike]
        span = versions[0] if len(versions) == 1 else f"{versions[-1]} to {versions[0]}"
        yield span, build, why


def _fate(version: VersionView) -> tuple[str, str]:
    if version.hidden:
        return "hidden", version.hidden
    if version.best is None:
        return "-", "no wheel for this Python and platform"
    return version.best.label or "no label", version.best.reason


def _broken(
    args: argparse.Namespace, name: str, view: View | None, taken: Shown | None
) -> Iterator[str]:
    """Yield a line for each check that does not hold."""
    build = taken.build if taken else None
    ends = f"{name}: pip installs {taken.name if taken else 'nothing'}"
    if args.require_gpu and (build is None or not build.tier.is_gpu):
        yield f"--require-gpu: {ends}, which is not a build for this GPU"
    if args.expect is not None and (build.label if build else None) != args.expect:
        labels = (
            {build.label for version in view.versions for build in version.builds}
            if view
            else set()
        )
        known = ", ".join(sorted(filter(None, labels)))
        yield f"--expect {args.expect}: {ends}; the index has {known or 'no labels'}"
