"""``index``: a folder of wheels as an index that installers read over plain HTTP."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output, previews

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.index.hashes import HashCache
    from nvidia_variant_provider.tools.views.named import NamedMachine

_EPILOG: Final = """\
Writes {name}-{version}-variants.json for every release with variant wheels, NAME.whl.metadata
beside every wheel, and a static simple index in simple/. Any file server can serve the index.
docs/index-folder.md describes the layout. Hashes of unchanged files are kept between runs.

examples:
  nvidia-variant-provider index dist/
  python -m http.server --directory dist & \\
    uv pip install --preview-features wheel-variants --index-url http://127.0.0.1:8000/simple/ torch
  nvidia-variant-provider index --base-url https://files.example/torch dist/
  nvidia-variant-provider index dist/ --view gh200@580 h100@570
  nvidia-variant-provider index --only cuda13.0 null -o mirror/ dist/

exit codes:
  0  written
  1  written, without files that end in .whl and have no wheel's name
  2  nothing written: wheels cannot be read, or those of a release contradict each other
"""
_EXIT_FINDINGS: Final = 1
_EXIT_MISUSE: Final = 2


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "index",
        help="make a static index from a folder of wheels",
        description=(
            "Write the variant metadata of every release in a folder, and a static simple\nindex"
            " for plain HTTP (HTML, JSON, hashes, core metadata)."
        ),
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="folder with the wheels")
    parser.add_argument(
        "--base-url",
        type=_url,
        metavar="URL",
        help="address at which the files of DIR are served [default: relative links]",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        action="extend",
        default=[],
        metavar="LABEL",
        help="keep the variants of these labels, and wheels without a label",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="output folder, with links to the files that are kept [default: DIR itself]",
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="read every file again, even if size, time and inode say that it has not changed",
    )
    parser.add_argument(
        "--view",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME@DRIVER",
        help="also write views/NAME@DRIVER/simple/: what fits that machine, under names that every "
        "installer reads; cpu is a machine without a GPU",
    )
    previews.add_preview(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://", "/")) or any(
        character in text for character in '"<> #?'
    ):
        raise argparse.ArgumentTypeError(
            f"expected a URL such as https://files.example, not {text}"
        )
    return text


def run(args: argparse.Namespace) -> int:
    """Lay the index out, write it, and say what is in it."""
    from nvidia_variant_provider.tools.index.json_model import IndexDocument
    from nvidia_variant_provider.tools.index.plan import plan_index
    from nvidia_variant_provider.tools.index.releases import FaultyFolderError, summary

    views = _named_views(args.view)
    target = Path(args.output) if args.output else Path(args.folder)
    cache = _cache(target, known=not args.no_cache)
    try:
        plan = plan_index(
            Path(args.folder),
            base_url=args.base_url or "",
            only=frozenset(args.only),
            output=target,
            hashed=partial(_hash, cache),
        )
    except FaultyFolderError as error:
        return _refuse(error.faults)
    if previews.is_preview(args):
        _check_preview(args)
        for path in plan.new_links() if args.dry_run else ():
            output.emit_text([f"would link: {path}"])
        previews.show((previews.Change(*change) for change in plan.changes()), as_diff=args.diff)
        return _EXIT_FINDINGS if plan.misnamed else 0
    plan.write()
    cache.save(target)
    if args.json:
        output.emit_document(IndexDocument.of(plan))
    else:
        output.emit_text(summary(release) for release in plan.releases)
    _write_views(args, target, views)
    for misnamed in plan.misnamed:
        output.fail("index", f"{misnamed.path}: {misnamed.reason}; left out")
    return _EXIT_FINDINGS if plan.misnamed else 0


def _check_preview(args: argparse.Namespace) -> None:
    if args.json or args.view:
        from nvidia_variant_provider.errors import InvalidValueError

        option = "--json" if args.json else "--view"
        raise InvalidValueError(f"{option}: expected without --dry-run and --diff")


def _refuse(faults: Sequence[str]) -> int:
    """Name every wheel that is in the way, and say why the rest is not written either."""
    for fault in faults:
        output.fail("index", fault)
    output.fail(
        "index",
        "nothing is written: without these wheels, machines they are for would get another build"
        " and no word why; mend them or move them out of the folder",
    )
    return _EXIT_MISUSE


def _named_views(names: Sequence[str]) -> dict[str, NamedMachine]:
    """Return the machines of the views; raises ``InvalidValueError`` before anything is written."""
    from nvidia_variant_provider.tools.views.static import check_name

    return {name: _named(check_name(name)) for name in names}


def _named(name: str) -> NamedMachine:
    from nvidia_variant_provider.errors import InvalidValueError
    from nvidia_variant_provider.targets.target import FORM
    from nvidia_variant_provider.tools.views.named import machine_named

    try:
        return machine_named(name)
    except InvalidValueError as error:
        raise InvalidValueError(f"--view {name[:60]!r}: expected {FORM}: {error}") from error


def _write_views(args: argparse.Namespace, target: Path, views: Mapping[str, NamedMachine]) -> None:
    """Write the views of the machines that are named, and say where they are."""
    from nvidia_variant_provider.tools.cli import options
    from nvidia_variant_provider.tools.views.static import write_view

    for name, named in views.items():
        options.tell_assumptions(named.machine)
        view = write_view(Path(args.folder), target, name, named)
        if not args.json:
            count = sum(map(len, view.projects.values()))
            output.emit_text([f"{view.folder}/simple/: {count} file{'s' * (count != 1)}"])
        for warning in view.warnings:
            output.warn(f"{name}: {warning}")


def _cache(folder: Path, *, known: bool) -> HashCache:
    from nvidia_variant_provider.errors import InvalidValueError
    from nvidia_variant_provider.tools.index.hashes import HashCache

    try:
        return HashCache.load(folder) if known else HashCache()
    except InvalidValueError as error:
        output.note(f"{error}; every file is read again")
        return HashCache()


def _hash(cache: HashCache, paths: Sequence[Path]) -> Mapping[Path, str]:
    from nvidia_variant_provider.tools.cli.progress import bar
    from nvidia_variant_provider.tools.index.hashes import hash_files

    total = sum(path.stat().st_size for path in paths)
    with bar(f"hashing {output.count(len(paths), 'file')}", total, is_bytes=True) as progress:
        return hash_files(paths, cache, progress)
