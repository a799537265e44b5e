"""``index``: a folder of wheels as an index that installers read over plain HTTP."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.index.hashes import HashCache

_EPILOG: Final = """\
Writes {name}-{version}-variants.json for every release with variant wheels, NAME.whl.metadata
beside every wheel, and a static simple index in simple/. Any file server will do; nothing runs on
it. docs/index-folder.md shows the layout and how to serve it. Hashes of files that have not changed
are remembered between runs.

examples:
  nvidia-variant-provider index dist/
  python -m http.server --directory dist & \\
    uv pip install --preview-features wheel-variants --index-url http://127.0.0.1:8000/simple/ torch
  nvidia-variant-provider index --base-url https://files.example/torch dist/
  nvidia-variant-provider index --only cuda13.0 null -o mirror/ dist/

exit codes:
  0  written
  2  a wheel cannot be read, or wheels of a release contradict each other
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "index",
        help="turn a folder of wheels into a static index",
        description=(
            "Write the variant metadata of every release in a folder, and a static simple\nindex"
            " (HTML, JSON, hashes, core metadata) that installers read over plain HTTP."
        ),
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="the folder with the wheels")
    parser.add_argument(
        "--base-url",
        type=_url,
        metavar="URL",
        help="where the files of DIR are served; without it the links are relative",
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
        help="write here and link the files that are kept; the default is DIR itself",
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="read every file again, even if size, time and inode say that it has not changed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://", "/")) or any(it in text for it in '"<> #?'):
        raise argparse.ArgumentTypeError(
            f"expected a URL such as https://files.example, not {text}"
        )
    return text


def run(args: argparse.Namespace) -> int:
    """Lay the index out, write it, and say what is in it."""
    from nvidia_variant_provider.tools.index.json_model import build_document
    from nvidia_variant_provider.tools.index.plan import plan_index
    from nvidia_variant_provider.tools.index.releases import summary

    target = Path(args.output) if args.output else Path(args.folder)
    cache = _cache(target, known=not args.no_cache)
    plan = plan_index(
        Path(args.folder),
        base_url=args.base_url or "",
        only=frozenset(args.only),
        output=target,
        hashed=partial(_hash, cache),
    )
    plan.write()
    cache.save(target)
    if args.json:
        output.emit_json(build_document(plan).model_dump(mode="json"))
    else:
        output.emit_lines(summary(release) for release in plan.releases)
    return 0


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
    with bar("hashing", total, is_bytes=True) as progress:
        return hash_files(paths, cache, progress)
