"""What ``run`` does: start the view and the command, and say afterwards what was decided."""

from __future__ import annotations

import contextlib
import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.run_refusal import refusal
from nvidia_variant_provider.tools.conda.overrides import (
    conda_environment,
    conda_overrides,
    is_conda,
)
from nvidia_variant_provider.tools.installers.command_line import parse, starts_in_conda
from nvidia_variant_provider.tools.installers.commands import is_alone, variables_for
from nvidia_variant_provider.tools.installers.environment import view_environment, with_facts
from nvidia_variant_provider.tools.installers.interpreter import target_python
from nvidia_variant_provider.tools.installers.machine_overrides import overrides_for
from nvidia_variant_provider.tools.views.background import Background
from nvidia_variant_provider.tools.views.child import end_like, run_child
from nvidia_variant_provider.tools.views.place import place_of
from nvidia_variant_provider.tools.views.session import (
    cache_folder,
    read_secret,
    usual_folder,
    uv_file,
    view_digest,
)
from nvidia_variant_provider.tools.views.upstream_settings import (
    check_addresses,
    families_for,
    settings_for,
    upstream_of,
)
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.cli.run_failures import Ran
    from nvidia_variant_provider.tools.installers.interpreter import TargetPython
    from nvidia_variant_provider.tools.views.model import View, Wanted
    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.upstream import Upstream
    from nvidia_variant_provider.tools.views.upstream_settings import Settings

_EXIT_NO_GPU: Final = 1
_EXIT_STOPPED: Final = 2
# As of an installer that finds nothing to install.
_EXIT_NO_VERSION: Final = 1
_NEEDED: Final = "packaging"
_TORCH: Final = "torch"
_PRERELEASES: Final = frozenset({"--pre", "--prerelease=allow", "--prereleases"})


def run(args: argparse.Namespace, command: Sequence[str], machine: Machine) -> int:
    """Run a command through a view; return its exit code."""
    cwd = os.getcwd()
    why, hints = refusal(command, cwd)
    if why:
        output.fail("run", f"{command[0]}: {why}")
        for line in hints:
            output.hint(line)
        return _EXIT_STOPPED
    if args.require_gpu and (machine.cuda is None or not machine.gpus):
        output.fail("run", f"--require-gpu: no usable NVIDIA GPU: {machine.reason}")
        return _EXIT_NO_GPU
    _check_packages()
    check_addresses(args.cuda_index)
    settings = settings_for(command, os.environ, cwd)
    for warning in settings.warnings:
        output.warn(warning)
    for note in () if is_alone(command, os.environ) else settings.notes:
        output.note(note)
    make = partial(_service, args, command, settings, machine)
    if args.dry_run:
        return _show(make(), _ran(args, command, settings))
    return _serve(args, settings, make, machine, command)


def _check_packages() -> None:
    """Raise ``ModuleNotFoundError`` without what the view needs, which comes after the command."""
    from importlib.util import find_spec

    if find_spec(_NEEDED) is None:
        raise ModuleNotFoundError(name=_NEEDED)


def _service(
    args: argparse.Namespace, command: Sequence[str], settings: Settings, machine: Machine
) -> ViewService:
    from pathlib import Path

    from nvidia_variant_provider.tools.views.baking import Bakery
    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.stated_code import StatedCode

    upstream = upstream_of(settings, os.environ)
    wanted = _wanted(args, command, machine, upstream)
    families = families_for(settings, upstream.fetcher, args.cuda_index, args.cuda_project)
    folder = Path(cache_folder(os.environ))
    service = ViewService(
        upstream,
        wanted,
        families,
        bakery=Bakery(folder, upstream),
        require_gpu=args.require_gpu and machine.cuda is not None,
    )
    service.code = StatedCode(upstream.fetcher, folder)
    return service


def _wanted(
    args: argparse.Namespace, command: Sequence[str], machine: Machine, upstream: Upstream
) -> Callable[[], Wanted]:
    """Ask the target's Python what it installs, and return what waits for the answer.

    Certificates are read meanwhile. What is wrong with them shows with the first request.
    """
    from nvidia_variant_provider.tools.views import daemons

    prereleases = bool(_PRERELEASES.intersection(command)) or bool(os.environ.get("PIP_PRE"))
    asked = daemons.start(partial(_target_of, command))
    if any(index.startswith("https:") for index in upstream.indexes):
        daemons.start(upstream.fetcher.prepare)

    @cache
    def wanted() -> Wanted:
        from nvidia_variant_provider.tools.installers.asked_for import asked_of
        from nvidia_variant_provider.tools.installers.installed import is_kept
        from nvidia_variant_provider.tools.views.model import Interpreter, Wanted

        python, folder, torch = asked.result()
        interpreter = Interpreter(python.tags, python.version) if python else None
        what = asked_of(command, os.environ, os.getcwd(), python.version if python else "")
        return Wanted(
            machine,
            interpreter,
            args.any_version,
            prereleases,
            what.versions,
            torch if is_kept(_TORCH, command, what) else "",
            folder,
        )

    return wanted


def _target_of(command: Sequence[str]) -> tuple[TargetPython | None, str, str]:
    """Return the Python that is installed for, the folder of its packages, and its torch.

    Asked while the command starts: later it may have installed another torch.
    """
    from nvidia_variant_provider.tools.installers.installed import folder_of, installed_version

    python = target_python(command, os.environ)
    folder = folder_of(command, python)
    return python, folder, installed_version(folder, _TORCH)


def _serve(
    args: argparse.Namespace,
    settings: Settings,
    make: Callable[[], ViewService],
    machine: Machine,
    command: Sequence[str],
) -> int:
    folder = cache_folder(os.environ)
    if folder != (usual := usual_folder(os.environ)):
        why = f"{usual} cannot be written" if usual else "this user has no home folder"
        output.note(f"{why}: the cache is {folder}")
    digest = view_digest(
        machine,
        (*settings.addresses, *args.cuda_index),
        (str(args.any_version), str(args.require_gpu), *args.cuda_project),
    )
    place, is_usual = place_of(read_secret(folder), digest)
    if not is_usual:
        output.note(
            "the view's usual port is taken: it has another one, and uv's cache starts anew"
        )
    background = Background(make, place)
    if is_alone(command, os.environ):
        started, environ = command, with_facts(os.environ, overrides_for(machine).variables)
    else:
        kept = os.path.join(folder, "installers", digest)
        started, environ = settings.command, _environment(settings, machine, place.url, kept)
    since, url = time.time(), place.url
    with place.listener:
        code = run_child(started, environ, background.start)
        service = background.stop()
    from nvidia_variant_provider.tools.cli.run_locks import tell_of_written
    from nvidia_variant_provider.tools.cli.run_report import report

    code = report(service, _ran(args, command, settings, code, since))
    tell_of_written(command, os.environ, os.getcwd(), url, since)
    service.close()
    # No process of ours stays behind: the Python that is installed for may still be asked.
    with contextlib.suppress(Exception):
        service.wanted()
    return end_like(code)


def _environment(settings: Settings, machine: Machine, url: str, cache: str) -> dict[str, str]:
    """Return the environment of the command."""
    environ = view_environment(os.environ, url, cache, os.getcwd())
    environ |= settings.detours.variables
    if settings.detours.left_out:
        environ["UV_CONFIG_FILE"] = uv_file(os.path.dirname(cache), settings.detours.rest)
    if settings.is_local:
        # Nothing but this view is asked for pages, and that is no network.
        environ.pop("UV_OFFLINE", None)
    if starts_in_conda(settings.command) or is_conda(parse(settings.command).behind):
        environ = conda_environment(environ, conda_overrides(machine))
    forced = overrides_for(machine).variables
    return with_facts(environ, forced) | variables_for(settings.command, os.getcwd())


def _ran(
    args: argparse.Namespace,
    command: Sequence[str],
    settings: Settings,
    code: int = 0,
    since: float = 0.0,
) -> Ran:
    from nvidia_variant_provider.tools.cli.run_failures import Ran

    index = settings.configured.index_url
    return Ran(tuple(command), options_of(args), code, args.require_gpu, index, since)


def options_of(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the options that ``run`` was given, for a command to be repeated with them."""
    words = []
    for name in ("target", "machine", "gpu", "cuda_index", "cuda_project"):
        option = "--" + name.replace("_", "-")
        given = getattr(args, name) or []
        for value in [given] if isinstance(given, str) else given:
            words += [option, value]
    flags = ("require_gpu", "any_version", "through_view")
    return (*words, *("--" + name.replace("_", "-") for name in flags if getattr(args, name)))


def _newest(view: View) -> str:
    """Say which version an installer meets first."""
    shown = view.newest_shown
    among = f" that matches {view.asked}" if view.asked else ""
    if shown is None or shown.best is None:
        return f"no version{among} has a build for this machine"
    return (
        f"{shown.version} ({shown.best.label or 'no label'}) is selected, the newest version shown"
        f"{among}"
    )


def _show(service: ViewService, ran: Ran) -> int:
    """Print what a view shows of the projects that a command and its files name.

    Returns the code that the command would end with: 1 where nothing is shown that is asked for.
    """
    from nvidia_variant_provider.tools.cli.explain_view import rows
    from nvidia_variant_provider.tools.cli.run_report import report
    from nvidia_variant_provider.tools.installers.asked_for import asked_of
    from nvidia_variant_provider.tools.views.words import no_gpu_build

    asked = asked_of(ran.command, os.environ, os.getcwd())
    listed = [project for project in asked.listed if project not in asked.named]
    for project in [*asked.named, *listed] or ["torch"]:
        view = service.view(project)
        if view is None and project in listed:
            # A file may list hundreds of projects that have one build for all machines.
            continue
        if view is None and not service.served(project):
            raise InvalidValueError(f"{project}: no index that is configured has this project")
        if view is None:
            output.emit_text([f"{project}: one build for all machines; the index's page is shown"])
            continue
        if view.newest_shown is None:
            ran = replace(ran, code=_EXIT_NO_VERSION)
        if ran.require_gpu and (reason := no_gpu_build(view)):
            service.log.refused[project] = reason
        output.emit_text([f"{project}: {_newest(view)}"])
        output.emit_table(("version", "build", "why"), list(rows(view)))
    return report(service, ran)
