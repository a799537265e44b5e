"""What ``run`` says after the command: what was decided, and what the command cannot know."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.installers.command_line import parse
from nvidia_variant_provider.tools.installers.named_folder import named_folder
from nvidia_variant_provider.tools.views.model import NO_FIT, Tier

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.cli.run_failures import Ran
    from nvidia_variant_provider.tools.views.answers import Log
    from nvidia_variant_provider.tools.views.model import Interpreter, View
    from nvidia_variant_provider.tools.views.service import ViewService

_NO_BUILD: Final = "no version that is asked for has a build for this GPU"
_EXIT_NO_GPU: Final = 1
# Programs that start what a file or a line of theirs says.
_SCRIPTED: Final = frozenset({"sh", "bash", "dash", "zsh", "fish", "make", "just", "tox", "nox"})
_PROCESSORS: Final = frozenset({"x86_64", "aarch64"})


def report(service: ViewService, ran: Ran) -> int:
    """Say it on stderr; return the code to end with."""
    log = service.log
    has_told = _tell_of_folder(service, ran)
    tell(log, without_fit=has_told)
    machine = service.wanted().machine if log.views else None
    if machine and (reason := other_processor(machine, service.wanted().interpreter)):
        output.warn(reason)
    for project, reason in log.refused.items():
        output.fail("run", f"--require-gpu: {project}: {reason}")
    if ran.code:
        from nvidia_variant_provider.tools.cli.run_failures import explain_failure

        explain_failure(service, ran)
        is_without_gpu = bool(log.refused)
    else:
        _tell_of_silence(service, ran)
        is_without_gpu = _tell_of_builds(service, ran, has_told=has_told) or bool(log.refused)
    is_without_gpu = is_without_gpu or (has_told and ran.require_gpu)
    return _EXIT_NO_GPU if is_without_gpu and ran.code >= 0 else ran.code


def _tell_of_folder(service: ViewService, ran: Ran) -> bool:
    """Tell of a folder of per-CUDA indexes that is named; return whether it is the wrong one."""
    folder = named_folder(ran.command, ran.index, os.environ)
    if folder is None:
        return False
    from nvidia_variant_provider.tools.cli.run_folder import words_of_folder

    words = words_of_folder(folder, ran, service)
    if words is None:
        return False
    if ran.require_gpu and not words.is_fit:
        output.fail("run", f"--require-gpu: {words.text}")
    else:
        (output.note if words.is_fit else output.warn)(words.text)
    if words.hint:
        output.hint(words.hint)
    return not words.is_fit


def _tell_of_silence(service: ViewService, ran: Ran) -> None:
    """Say that nobody asked the view: what a script names is known to its installer alone."""
    if parse(ran.command).tool in _SCRIPTED and not service.was_asked:
        output.note(
            "no installer asked this view: what the command installed, if anything, is from an "
            "index that the command itself or a file names, and is not judged"
        )


def _tell_of_builds(service: ViewService, ran: Ran, *, has_told: bool) -> bool:
    """Tell of builds that do not use the GPU; return whether ``--require-gpu`` forbids them.

    ``has_told`` says that it is known why the view's builds do not.
    """
    from nvidia_variant_provider.tools.cli.run_installed import installed_build, locked_build

    wanted = service.wanted()
    if not wanted.has_gpu:
        return False
    for view in service.log.views.values():
        is_known = has_told or view.project in service.log.refused
        if (reason := cpu_build(view)) and not is_known:
            output.warn(reason)
    unseen = [locked_build(service, ran), *([] if has_told else [installed_build(service, ran)])]
    for warning, hint in unseen:
        if warning and ran.require_gpu:
            output.fail("run", f"--require-gpu: {warning}")
        elif warning:
            output.warn(warning)
        if warning:
            output.hint(hint)
    return ran.require_gpu and any(warning for warning, _ in unseen)


def tell(log: Log, *, without_fit: bool = False) -> None:
    """Print the warnings, each hint with the first that has it; requests may still add some.

    ``without_fit`` leaves out that no build fits, which was said of the folder that is named.
    """
    hints = {""}
    for warning, hint in list(log.warnings.items()):
        if without_fit and NO_FIT in warning:
            continue
        output.warn(warning)
        if hint not in hints:
            hints.add(hint)
            output.hint(hint)


def other_processor(machine: Machine, python: Interpreter | None) -> str:
    """Say that a Python takes wheels for another processor than the machine has; "" if not."""
    wanted = machine.platform.architecture
    platforms = [tag.platform for tag in python.tags] if python else []
    taken = {name for name in _PROCESSORS if any(tag.endswith(f"_{name}") for tag in platforms)}
    if wanted not in _PROCESSORS or not taken or wanted in taken:
        return ""
    return (
        f"this Python takes wheels for {', '.join(sorted(taken))}, and the machine has {wanted}: "
        f"run the command on {wanted}, or name the platform (pip: --platform "
        f"manylinux_2_28_{wanted} --only-binary :all:; "
        f"uv: --python-platform {wanted}-manylinux_2_28)"
    )


def cpu_build(view: View) -> str:
    """Say that a project ends at a build that does not use the GPU; "" if not."""
    newest = view.ends_at_cpu
    build = newest.best if newest is not None else None
    unfit = newest.gpu_build if newest is not None else None
    if newest is None or build is None or newest.asked_label or not (unfit or build.label):
        return ""
    is_cpu = build.tier is Tier.CPU
    shown = "the CPU build is shown on a machine with a GPU" if is_cpu else _NO_BUILD
    why = f"{unfit.label}: {unfit.reason}" if unfit else "the index has CPU builds alone"
    return f"{view.project} {newest.version}: {shown}: {why}"
