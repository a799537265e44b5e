"""The command that installs a build for the GPU where a release has none, tried on the same source.

A release is one version, as an installer without a view would take it. A view of the index or the
folder may end at another version. What it ends at is asked for before a command is advised.
"""

from __future__ import annotations

import os
import re
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import ProviderError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.cli import options, output
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.installers.table import PROVIDER
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.fitness import Fitness
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild
    from nvidia_variant_provider.tools.explain.results import Explanation
    from nvidia_variant_provider.tools.releases.release import Release
    from nvidia_variant_provider.tools.views.model import Shown

_FOLDER: Final = re.compile(r"(?P<base>.+)/(?:cpu|cu\d{2,3})/?")
_FILES: Final = (".json", ".whl", ".toml")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to install: addresses for ``run``, and the options of pip.

    ``tried`` are the options that it is tried with: who explains a folder may have no network.
    """

    cuda_indexes: tuple[str, ...]
    options: tuple[str, ...]
    tried: tuple[str, ...] = ()

    def command(self, machine: Sequence[str], project: str) -> str:
        """Return the command for a project, without credentials."""
        named = [word for index in self.cuda_indexes for word in ("--cuda-index", index)]
        words = [*machine, *named, "--", "pip", "install", *self.options, project]
        return output.without_credentials(f"nvidia-variant-provider run {shlex.join(words)}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A machine by its name and arguments, and a release; ``is_lost`` says that it cannot run."""

    name: str
    named: argparse.Namespace
    release: Release
    is_lost: bool


def hint_builds(
    args: argparse.Namespace,
    release: Release,
    asked: Iterable[
        tuple[argparse.Namespace, str, Explanation, Sequence[tuple[InstalledBuild, Fitness]]]
    ],
) -> None:
    """Name for each machine without a build for its GPU the command that gets one.

    Where the wheels do not tell, it is named if a view ends at another version.
    """
    ways = list(ways_of(args, release.name))
    for named, name, explanation, judged in asked:
        runs = _runs(explanation, judged)
        if runs is not True:
            for way in ways:
                _hint(_Asked(name, named, release, is_lost=runs is False), way)


def _runs(
    explanation: Explanation, judged: Sequence[tuple[InstalledBuild, Fitness]]
) -> bool | None:
    """Tell whether a machine gets a build for its GPU; ``None`` where its wheels do not tell."""
    machine, view = explanation.machine, explanation.view(PROVIDER)
    if not machine.gpus or machine.cuda is None:
        return True
    if view.winner == ORDINARY and judged:
        return judged[0][1].runs
    return view.has_gpu_build


def ways_of(args: argparse.Namespace, project: str) -> Iterator[Way]:
    """Yield what can be tried: the source itself, and the folders beside a folder of PyTorch's."""
    from nvidia_variant_provider.tools.cli import explain_indexes

    source, cuda = args.source or "", tuple(args.cuda_index)
    if explain_indexes.is_asked(args):
        given = [("--index-url", args.index_url)] if args.index_url else []
        given += [("--extra-index-url", url) for url in (*args.index, *args.extra_index_url)]
        yield Way(cuda, _trusting([word for pair in given for word in pair]))
    elif "://" in source and not source.endswith(_FILES):
        index = f"{source.rstrip('/')}/".removesuffix(f"{project}/")
        if match := _FOLDER.fullmatch(index):
            yield Way((match["base"],), ())
        else:
            yield Way(cuda, _trusting(["--index-url", index]))
    elif os.path.isdir(source):
        # What the build requires may come from the index.
        folder = ("--find-links", source)
        yield Way(cuda, folder, ("--no-index", *folder))


def _trusting(words: Sequence[str]) -> tuple[str, ...]:
    """Return options of pip, with the hosts to trust before it takes what they name."""
    from nvidia_variant_provider.tools.releases.network_settings import host_to_trust

    hosts = dict.fromkeys(filter(None, map(host_to_trust, words)))
    return (*(word for host in hosts for word in ("--trusted-host", host)), *words)


def machine_words(named: argparse.Namespace) -> list[str]:
    """Return the options of ``run`` that name a machine; none for the one here."""
    given = {"--target": named.target, "--machine": named.machine}
    return [word for option, text in given.items() if text for word in (option, text)]


def _hint(asked: _Asked, way: Way) -> None:
    project = asked.release.name
    words = machine_words(asked.named)
    try:
        taken, is_default = _taken(way, project, options.answer_for(asked.named).detection.machine)
    except ProviderError as error:
        output.note(f"{asked.name}: not known what 'run' would install: {error}")
        return
    if taken is not None and taken.build is not None and taken.build.tier.is_gpu:
        version, label = taken.name.split("-")[1], taken.build.label
        if asked.is_lost or version != asked.release.version:
            build = f" ({label})" if label and label not in version else ""
            output.note(f"{asked.name}: {project} {version}{build} has a build for this GPU:")
            output.hint(way.command(words, project))
    elif asked.is_lost and project in FAMILY and not (is_default or way.cuda_indexes or way.tried):
        output.note(f"{asked.name}: no version there has a build for this GPU; PyTorch has others:")
        output.hint(Way((TORCH_INDEX,), way.options).command(words, project))


def _taken(way: Way, project: str, machine: Machine) -> tuple[Shown | None, bool]:
    """Return what pip installs through ``run``, and whether its default index is asked.

    Warnings of the view are printed. Raises ``ProviderError``.
    """
    from nvidia_variant_provider.tools.views.model import Wanted
    from nvidia_variant_provider.tools.views.picking import interpreter_for, pick
    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.session import cache_folder
    from nvidia_variant_provider.tools.views.stated_code import StatedCode
    from nvidia_variant_provider.tools.views.upstream_settings import (
        families_for,
        settings_for,
        upstream_of,
    )

    words = ["pip", "install", *(way.tried or way.options), project]
    settings = settings_for(words, os.environ, os.getcwd())
    upstream = upstream_of(settings, os.environ)
    families = families_for(settings, upstream.fetcher, way.cuda_indexes, ())
    python = interpreter_for(machine.platform)
    service = ViewService(upstream, partial(Wanted, machine, python), families)
    service.code = StatedCode(upstream.fetcher, Path(cache_folder(os.environ)))
    view = service.view(project)
    for warning in service.log.warnings:
        output.warn(warning)
    return (pick(view, python) if view else None), settings.is_default
