"""``run``: a command whose installer sees only the builds that fit the machine."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from nvidia_variant_provider.model import Machine

_EPILOG: Final = """\
The command gets an index of its own on 127.0.0.1. For every version the index shows the build that
fits the machine, under a name that every installer reads. Files come from the indexes that are
configured. A version without a build for the GPU is hidden if another version has a build.
docs/views.md describes what works with each installer, what does not, and what to do then.

An installed version stays: add --force-reinstall (pip) or --reinstall (uv) to get another build of
the same version.

conda, mamba, micromamba and pixi need no index: two variables describe the machine to them. What
conda run starts gets both, the index and the variables.

examples:
  nvidia-variant-provider run -- pip install torch
  nvidia-variant-provider run --dry-run -- pip install torch
  nvidia-variant-provider run --require-gpu -- uv pip install torch torchvision
  nvidia-variant-provider run --target gh200@580 -- pip download \\
    --platform manylinux_2_28_aarch64 --only-binary :all: torch

exit codes:
  1    --require-gpu: no GPU, or no build for the GPU; --dry-run: no version to install
  2    usage error, or a command that cannot run through a view
  126  the command cannot be started
  127  the command was not found
  *    any other code is that of the command
"""
_NO_GPU: Final = 1
_OF_VIEWS: Final = ("any_version", "cuda_index", "cuda_project")
_CANNOT_START: Final = 126
_NOT_FOUND: Final = 127
_USAGE: Final = "%(prog)s [-h] [options] -- CMD ..."


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "run",
        help="run a command with the installer set up for this machine, or for --target",
        description=(
            "Run a command with its installer (pip, uv, PDM, Pipenv, ...) set up for this\n"
            "machine, or for --target."
        ),
        epilog=_EPILOG,
        usage=_USAGE,
    )
    options.add_machine(parser)
    view = parser.add_argument_group("view")
    view.add_argument(
        "--require-gpu",
        action="store_true",
        help="fail if the machine has no GPU, or a project has no build for the GPU",
    )
    view.add_argument(
        "--any-version",
        action="store_true",
        help="also offer versions that have only a CPU build for this machine",
    )
    view.add_argument(
        "--cuda-index",
        action="append",
        default=[],
        metavar="URL",
        help="address with per-CUDA indexes below it (cpu, cu126, ...); repeatable "
        "[PyTorch's, if the installer uses its default index]",
    )
    view.add_argument(
        "--cuda-project",
        action="append",
        default=[],
        metavar="NAME",
        help="another project that has builds on the per-CUDA indexes; repeatable",
    )
    view.add_argument(
        "--through-view",
        action="store_true",
        help="use the view even if uv's preview of variants is switched on",
    )
    view.add_argument(
        "--dry-run",
        action="store_true",
        help="print the builds that the installer would be offered, and why",
    )
    parser.add_argument("cmd", nargs=argparse.REMAINDER, metavar="CMD", help="the command to run")
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the command through a view, or as uv reads variants by itself."""
    from nvidia_variant_provider.tools.conda.overrides import is_conda, may_start_pip
    from nvidia_variant_provider.tools.installers.command_line import parse
    from nvidia_variant_provider.tools.installers.uv_indexes import uv_has_variants_on

    command = args.cmd[1:] if args.cmd[:1] == ["--"] else args.cmd
    if not command or not command[0]:
        raise InvalidValueError("expected a command after --, such as: run -- pip install torch")
    machine = options.answer_for(args).detection.machine
    line = parse(command)
    reads_variants = line.tool in {"uv", "uvx"} and uv_has_variants_on(
        os.environ, line.own, os.getcwd()
    )
    try:
        if is_conda(line.behind) and not may_start_pip(line.behind):
            return _start_conda(args, command, machine)
        if reads_variants and not args.through_view and not args.dry_run:
            if _lacks_gpu(args, machine):
                return _NO_GPU
            _start_with_facts(command, machine)
        _check_extra()
        from nvidia_variant_provider.tools.cli import run_view

        return run_view.run(args, command, machine)
    except FileNotFoundError as error:
        if error.filename != command[0]:
            raise
        output.fail("run", f"{command[0]}: not found")
        return _NOT_FOUND
    except PermissionError as error:
        output.fail("run", f"{command[0]}: {error.strerror or error}")
        return _CANNOT_START


def _check_extra() -> None:
    """Name a missing extra before the command starts: what serves the view is imported later."""
    from importlib.util import find_spec

    if find_spec("packaging") is None:
        raise ModuleNotFoundError("No module named 'packaging'", name="packaging")


def _lacks_gpu(args: argparse.Namespace, machine: Machine) -> bool:
    """Tell whether ``--require-gpu`` forbids the start, and name options that have no effect."""
    if args.require_gpu and (machine.cuda is None or not machine.gpus):
        output.fail("run", f"--require-gpu: no usable NVIDIA GPU: {machine.reason}")
        return True
    idle = ", ".join(
        "--" + option.replace("_", "-") for option in _OF_VIEWS if getattr(args, option)
    )
    if idle:
        output.warn(f"{idle}: without effect, as uv reads variants by itself here")
    if args.require_gpu:
        output.warn("--require-gpu: the machine has a GPU; which build is installed uv decides")
    if idle or args.require_gpu:
        output.hint("--through-view makes uv use the view in place of its preview of variants")
    return False


def _start_with_facts(command: Sequence[str], machine: Machine) -> NoReturn:
    """Replace this process by a uv that chooses variants itself, told of the machine."""
    from nvidia_variant_provider.tools.installers.environment import with_facts
    from nvidia_variant_provider.tools.installers.machine_overrides import overrides_for

    forced = overrides_for(machine)
    for warning in forced.warnings:
        output.warn(warning)
    _start(command, with_facts(os.environ, forced.variables))


def _start_conda(args: argparse.Namespace, command: Sequence[str], machine: Machine) -> int:
    """Replace this process by a conda, mamba or pixi that sees the machine; it needs no view."""
    from nvidia_variant_provider.tools.conda.overrides import conda_environment, conda_overrides

    overrides = conda_overrides(machine)
    for warning in overrides.warnings:
        output.warn(warning)
    if args.require_gpu and not overrides.variables:
        output.fail("run", "--require-gpu: conda cannot be told of a GPU")
        return _NO_GPU
    if not args.dry_run:
        _start(command, conda_environment(os.environ, overrides))
    output.emit_lines(f"{name}={value}" for name, value in overrides.variables.items())
    return 0


def _start(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    sys.stdout.flush()
    if os.name != "nt":
        os.execvpe(command[0], list(command), dict(environ))  # noqa: S606 - the user's own command
    # Windows has no exec that keeps the console and the exit code.
    import subprocess

    sys.exit(subprocess.run(list(command), env=dict(environ), check=False).returncode)
