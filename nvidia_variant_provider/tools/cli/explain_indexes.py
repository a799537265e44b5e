"""``explain`` over several indexes: those of the command line, and those that are configured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.installers.configured import Configured
    from nvidia_variant_provider.tools.releases.release import Release


def add_indexes(parser: argparse.ArgumentParser) -> None:
    """Add the options that name indexes, each as the installers have it."""
    group = parser.add_argument_group(
        "indexes", "with a project as SOURCE; in the order of uv and of pip, configured ones too"
    )
    group.add_argument(
        "--index-url", "--default-index", metavar="URL", help="default index, as pip and uv have it"
    )
    group.add_argument(
        "--extra-index-url", action="append", default=[], metavar="URL", help="repeatable"
    )
    group.add_argument(
        "--index",
        action="append",
        default=[],
        metavar="URL",
        help="uv's option, which pip does not have; repeatable",
    )
    group.add_argument(
        "--configured", action="store_true", help="the indexes that pip and uv are configured for"
    )


def is_asked(args: argparse.Namespace) -> bool:
    """Tell whether the question is about several indexes; raises if it is about more."""
    asked = bool(args.index_url or args.index or args.extra_index_url or args.configured)
    if asked and args.installed is not None:
        raise InvalidValueError("--installed: expected no index beside it")
    return asked


def read(args: argparse.Namespace) -> Release:
    """Ask the indexes; what is configured and not judged is said on stderr.

    Raises ``InvalidValueError`` for what is no project, and where there is nothing of it.
    """
    from nvidia_variant_provider.tools.installers.pip_settings import read_pip
    from nvidia_variant_provider.tools.installers.uv_indexes import read_uv
    from nvidia_variant_provider.tools.releases.configured_fetcher import fetcher_for
    from nvidia_variant_provider.tools.releases.several_indexes import read_several

    source, package = args.source, args.package
    if source is not None and "://" in source:
        if args.index_url or package is None:
            raise InvalidValueError(
                "several indexes: expected an address once, and a project: explain"
                " https://index.example/simple/ --package torch --extra-index-url URL"
            )
        args.index_url = source
    else:
        package = package or source
    options = {"index-url": [args.index_url]} if args.index_url else {}
    uv = read_uv(
        os.environ,
        {
            "default-index": options.get("index-url", []),
            "index": [*args.index, *args.extra_index_url],
        },
        os.getcwd(),
    )
    pip = read_pip(os.environ, {**options, "extra-index-url": args.extra_index_url})
    fetcher = fetcher_for(pip, os.environ)
    of_uv = [*uv.extra, *_default(uv)]
    release = read_several(package or "", of_uv, [*_default(pip), *pip.extra], fetcher)
    for line in _not_judged(uv, pip, release.name):
        output.warn(f"not judged here: {line}")
    return release


def _default(configured: Configured) -> Sequence[str]:
    from nvidia_variant_provider.tools.installers.interpreter import default_index

    index = configured.index_url or default_index(os.environ)
    return () if configured.no_index or not index else (index,)


def _not_judged(uv: Configured, pip: Configured, project: str) -> Iterator[str]:
    from nvidia_variant_provider.tools.installers.uv_indexes import uv_detours

    if not uv.is_first_only:
        yield "uv's strategy for indexes is not the default: the first index is taken"
    if uv.find_links or pip.find_links:
        yield "folders and pages of find-links, which are configured"
    if uv_detours(os.environ, {}, os.getcwd(), ("uv", "pip"), [project]).variables:
        yield f"[tool.uv.sources] names an index for {project}, which uv asks alone"
