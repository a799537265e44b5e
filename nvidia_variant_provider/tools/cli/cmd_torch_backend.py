"""``torch-backend``: the CUDA build of torch that fits, for pip and its index addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import options, output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.torch.backend import Backend

_EPILOG: Final = """\
One word goes to stdout, the last part of the address of one of PyTorch's own indexes; the reasons
go to stderr. A torch newer than the table of builds has those of the newest release in the table,
which is said.

examples:
  nvidia-variant-provider torch-backend
  nvidia-variant-provider torch-backend --torch 2.12 --target gtx-1080-ti@580
  nvidia-variant-provider torch-backend --platform windows-x86_64 --json
  pip install torch --index-url "$INDEX/$(nvidia-variant-provider torch-backend)"

exit codes:
  0  a build fits, or there is no GPU
  1  there is a GPU and no build fits it for certain
  2  misuse, or a torch version before 2.0
"""
_EXIT_NONE_FITS: Final = 1


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    from nvidia_variant_provider.tables.torch_builds import PLATFORMS

    parser = subparsers.add_parser(
        "torch-backend",
        help="print the CUDA build of torch that fits, for pip",
        description="Print the CUDA build of torch that fits a machine, such as cu126, or cpu.",
        epilog=_EPILOG,
    )
    parser.add_argument("--torch", metavar="VERSION", help="default: the newest in the table")
    parser.add_argument(
        "--platform", choices=PLATFORMS, help="of the wheels (default: the machine's)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options.add_machine(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the path, and why."""
    from nvidia_variant_provider.tools.torch.backend import choose, platform_of
    from nvidia_variant_provider.tools.torch.builds import find_release

    release = find_release(args.torch)
    machine = options.answer_for(args).detection.machine
    platform = args.platform or platform_of(machine)
    if not platform:
        seen = f"{machine.platform.system} on {machine.platform.architecture or 'an unknown CPU'}"
        raise InvalidValueError(f"torch has no CUDA builds for {seen}: name one with --platform")
    backend = choose(machine, release, platform)
    if args.json:
        from nvidia_variant_provider.tools.torch.json_model import TorchBackend

        output.emit_json(TorchBackend.of(backend, machine).model_dump(mode="json"))
    else:
        for line in _reasons(backend, machine, named=args.torch is not None):
            output.note(line)
        output.emit_lines([backend.path])
    wanted = bool(machine.gpus) or machine.cuda is not None
    return _EXIT_NONE_FITS if wanted and backend.chosen is None else 0


def _reasons(backend: Backend, machine: Machine, *, named: bool) -> Iterator[str]:
    assumed = "" if named else " (no version was named: the newest in the table)"
    yield f"torch {backend.release.text} for {backend.platform}{assumed}"
    if backend.release.assumed:
        known = backend.release.known_as
        yield f"torch {backend.release.text} is not in the table: the builds of {known} are assumed"
    for note in machine.notes:
        yield note.text
    chosen = backend.chosen
    for judged in backend.judged:
        if chosen and judged.build.cuda < chosen.build.cuda:
            break
        word = "" if judged is chosen else "unknown " if judged.fits is None else "not "
        yield f"{word}{judged.path}: {judged.reason}"
    if chosen and len(chosen.covers) < len(machine.capabilities):
        yield f"no build has code for every GPU; {chosen.path} serves the most of them"
    if backend.uv is None:
        yield "uv --torch-backend=auto goes by the driver's number, which is not known here"
    elif backend.uv != backend.path:
        yield (
            f"uv --torch-backend=auto takes {backend.uv}: it goes by the driver's number alone, "
            "not by the GPU"
        )
    default = backend.default_wheel
    yield (
        f"pip without an index takes a wheel {f'for CUDA {default}' if default else 'without CUDA'}"
    )
