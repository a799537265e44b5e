"""``torch-backend``: the CUDA build of torch that fits, for pip and its index addresses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.tools.cli import options, output

if TYPE_CHECKING:
    import argparse

    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.torch.answer import TorchAnswer
    from nvidia_variant_provider.tools.torch.catalogue import Catalogue
    from nvidia_variant_provider.tools.views.cuda_catalogue import OnIndexes

_EPILOG: Final = """\
One word goes to stdout: the folder of PyTorch's index whose build fits, such as cu126. The word is
cpu for a machine without a GPU, and no-build (not a folder) if no build fits the GPU. The reasons
go to stderr. Releases and builds are read from the indexes and find-links that pip or uv are
configured for. An index whose name ends in a build (pytorch-cu126) has that build. An installer's
default index is never read: the table of builds counts then. An index that does not answer within
ten seconds is a warning. Builds that the table does not know are read from their wheels, as 'run'
does. That is about 13 MB of each, by range requests, in 8 seconds at most.

examples:
  nvidia-variant-provider torch-backend
  nvidia-variant-provider torch-backend --torch 2.12 --target gtx-1080-ti@580
  nvidia-variant-provider torch-backend --platform windows-x86_64 --json
  B=$(nvidia-variant-provider torch-backend) && pip install torch --index-url "$INDEX/$B"
  U=$(nvidia-variant-provider torch-backend --url) && pip install torch --index-url "$U"

exit codes:
  0  a build fits, or there is no GPU
  1  no build fits the GPU
  2  usage error, or a torch version before 2.0
"""
_EXIT_NONE_FITS: Final = 1


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    from nvidia_variant_provider.tables.torch_builds import PLATFORMS

    parser = subparsers.add_parser(
        "torch-backend",
        help="print the CUDA build of torch that fits a machine, for pip",
        description="Print the CUDA build of torch that fits a machine, such as cu126.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--torch",
        metavar="VERSION",
        help="torch release [default: the newest with a build that fits]",
    )
    parser.add_argument(
        "--platform",
        choices=PLATFORMS,
        metavar="PLATFORM",
        help=f"platform of the wheels: {', '.join(PLATFORMS)} [default: the machine's]",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--index",
        metavar="URL",
        help="address with per-CUDA indexes below it (cu126, ...): which releases and builds "
        "there are is read from it [the indexes configured for pip or uv, if any; "
        "needs the extra tools]",
    )
    source.add_argument(
        "--no-index",
        action="store_true",
        help="ask no configured index: the table of builds alone answers",
    )
    parser.add_argument(
        "--allow-cpu", action="store_true", help="print cpu if no build fits the GPU"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--url", action="store_true", help="print the full address, or nothing if no build fits"
    )
    form.add_argument("--json", action="store_true", help="print one JSON document")
    options.add_machine(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the folder or its address, and why."""
    from nvidia_variant_provider.tools.torch.answer import answer
    from nvidia_variant_provider.tools.torch.backend import NO_BUILD
    from nvidia_variant_provider.tools.torch.words import assumptions

    detection = options.answer_for(args).detection
    machine = detection.machine
    platform = args.platform or _platform_of(machine)
    catalogue, listed, unread = _catalogue(args, platform, machine)
    chosen = answer(machine, args.torch, platform, allow_cpu=args.allow_cpu, catalogue=catalogue)
    chosen = _with_companions(chosen, listed)
    notes = tuple(assumptions(chosen, named=args.torch is not None))
    assumed = (*unread, *notes)
    for text in unread:
        output.warn(text)
    for text in notes:
        output.note(text)
    if args.json:
        from nvidia_variant_provider.tools.torch.json_model import TorchBackend

        output.emit_document(TorchBackend.of(chosen, assumed))
    else:
        _tell(chosen, detection)
        printed = chosen.address if args.url else chosen.path
        output.emit_lines([] if printed is None else [printed])
    return _EXIT_NONE_FITS if chosen.path == NO_BUILD else 0


def _platform_of(machine: Machine) -> str:
    from nvidia_variant_provider.tools.torch.backend import platform_of

    platform = platform_of(machine)
    if not platform:
        seen = f"{machine.platform.system} on {machine.platform.architecture or 'an unknown CPU'}"
        raise InvalidValueError(f"torch has no CUDA builds for {seen}: name one with --platform")
    return platform


def _catalogue(
    args: argparse.Namespace, platform: str, machine: Machine
) -> tuple[Catalogue, OnIndexes | None, tuple[str, ...]]:
    """Return what there is: on the index that is given, or those that are configured."""
    from nvidia_variant_provider.tools.torch.catalogue import TABLE

    unread: tuple[str, ...] = ()
    listed = None
    if args.index:
        listed = _read(args.index, platform)
    elif not args.no_index:
        listed, unread = _configured(platform)
    if listed is None:
        return TABLE, None, unread
    return _with_stated(args, listed, platform, machine), listed, unread


def _with_stated(
    args: argparse.Namespace, listed: OnIndexes, platform: str, machine: Machine
) -> Catalogue:
    """Return what indexes have, with what unknown builds of torch say of themselves."""
    from dataclasses import replace
    from pathlib import Path

    from nvidia_variant_provider.tools.torch.catalogue import Catalogue
    from nvidia_variant_provider.tools.views.cuda_catalogue import read_stated
    from nvidia_variant_provider.tools.views.session import cache_folder

    known = Catalogue(listed.labels, listed.address, listed.releases, listed.folders)
    release = known.find(args.torch).text if args.torch else ""
    stated = read_stated(listed, machine, platform, Path(cache_folder(os.environ)), release)
    return replace(
        known,
        stated={key: wheel.archs for key, wheel in stated.items() if wheel.archs},
        troubles={key: wheel.trouble for key, wheel in stated.items() if wheel.trouble},
    )


def _with_companions(chosen: TorchAnswer, listed: OnIndexes | None) -> TorchAnswer:
    if listed is None or listed.fetcher is None:
        return chosen
    from dataclasses import replace

    from nvidia_variant_provider.tools.views.cuda_catalogue import read_partners

    return replace(chosen, on_index=read_partners(listed, chosen.backend.release.text))


def _configured(platform: str) -> tuple[OnIndexes | None, tuple[str, ...]]:
    """Read what the configured indexes have; nothing, and why, where they cannot be read."""
    from nvidia_variant_provider.tables.torch_builds import RELEASES

    known = f"the table of builds answers, which ends with torch {RELEASES[-1]}"
    try:
        from nvidia_variant_provider.tools.installers.chosen import read_both

        sources = read_both(os.environ, os.getcwd())
        if not sources:
            return None, ()
        from nvidia_variant_provider.tools.views.cuda_catalogue import read_configured
    except ImportError:
        return None, (f"the configured indexes were not read, without the extra tools: {known}",)
    except InvalidValueError as error:
        return None, (f"the configured indexes were not read ({error}): {known}",)
    listed = read_configured(sources, os.environ, platform)
    if listed.trouble:
        return None, (f"no configured index could be read ({listed.trouble}): {known}",)
    return listed, ()


def _read(address: str, platform: str) -> OnIndexes:
    """Read which releases and builds an index has for a platform."""
    from nvidia_variant_provider.tools.views.cuda_catalogue import read_index

    listed = read_index(address, platform, os.environ)
    if not listed.labels:
        raise InvalidValueError(f"--index {address}: no wheels of torch for {platform} there")
    return listed


def _tell_of_machine(detection: Detection) -> None:
    """Say what is wrong with the machine, which no choice of a build mends."""
    from nvidia_variant_provider.tools.cli.advice import FAULTY, advice_for, words_for

    machine = detection.machine
    if words_for(machine).exit_code == FAULTY:
        output.warn(f"no GPU can be used here: {machine.status.value}: {machine.reason}")
        for line in advice_for(detection):
            output.hint(line)
    for note in machine.notes:
        if note.code not in options.TOLD:
            output.note(f"{note.code}: {note.text}" if note.text else note.code)


def _tell(chosen: TorchAnswer, detection: Detection) -> None:
    """Say on stderr why, and what to do."""
    from nvidia_variant_provider.tools.torch import words

    backend = chosen.backend
    if detection.machine.status is Status.NONE:
        reason = detection.machine.reason
        output.note(f"no NVIDIA GPU here ({reason}): the CPU build of torch {backend.release.text}")
        output.hint(
            "for another machine: nvidia-variant-provider torch-backend --target NAME@DRIVER"
        )
        return
    if not backend.chosen and chosen.wants_gpu:
        output.warn(f"no build of torch {backend.release.text} fits this machine")
    _tell_of_machine(detection)
    for line in words.reasons(chosen):
        output.note(line)
    if backend.chosen:
        for line in (*words.comparisons(backend, chosen.path), *words.companions(chosen)):
            output.note(line)
        output.hint(words.command(chosen))
    elif chosen.wants_gpu:
        for line in words.hints(chosen):
            output.hint(line)
