"""``serve``: views for a team, the machine in the address."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.view_names import CPU, machine_of
from nvidia_variant_provider.tools.installers.ourselves import install_line

if TYPE_CHECKING:
    import argparse

    from nvidia_variant_provider.tools.views.service import ViewService

_EPILOG: Final = """\
Each machine has an index of its own: http://HOST:8000/h100@570/simple/; cpu is a machine without a
GPU. /any/simple/ is the main index, unchanged. Everyone who reaches the server downloads with its
credentials: bind it to a trusted network. docs/views.md describes what a view shows.

examples:
  nvidia-variant-provider serve
  nvidia-variant-provider serve --index-url https://index.example/simple/ --bind 0.0.0.0:8000

exit codes:
  0  stopped
  2  usage error, or the extra 'serve' is not installed
"""
_SECONDS: Final = 60.0
_STOP_S: Final = 10


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "serve",
        help="serve views to a team: an index for each machine",
        description="Serve views to a team: an index for each machine, named in the address.",
        epilog=_EPILOG,
    )
    parser.add_argument("--index-url", metavar="URL", help="the main index [default: pip's]")
    parser.add_argument(
        "--cuda-index",
        action="append",
        default=[],
        metavar="URL",
        help="address with per-CUDA indexes below it [default: PyTorch's for pip's default index]",
    )
    parser.add_argument(
        "--bind",
        default="127.0.0.1:8000",
        metavar="HOST:PORT",
        help="address and port to listen on [default: %(default)s]",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    host, _, port = args.bind.rpartition(":")
    if not host or not port.isdecimal():
        raise InvalidValueError(f"--bind {args.bind[:60]!r}: expected HOST:PORT")
    try:
        import uvicorn

        from nvidia_variant_provider.tools.serve.app import make_app
    except ModuleNotFoundError as error:
        if error.name not in {"starlette", "uvicorn"}:
            raise
        output.fail("serve", f"this command needs the package {error.name!r}")
        output.hint(install_line("serve"))
        return 2
    app = make_app(partial(_service, args))
    output.emit_lines([f"http://{args.bind}/NAME@DRIVER/simple/"])
    uvicorn.run(
        app, host=host, port=int(port), log_level="warning", timeout_graceful_shutdown=_STOP_S
    )
    return 0


def _service(args: argparse.Namespace, target: str) -> ViewService:
    """Return the service of a target; raises ``InvalidValueError`` for a name of none."""
    from pathlib import Path

    from nvidia_variant_provider.tools.views.baking import Bakery
    from nvidia_variant_provider.tools.views.model import Wanted
    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.session import cache_folder
    from nvidia_variant_provider.tools.views.stated_code import StatedCode
    from nvidia_variant_provider.tools.views.upstream_settings import (
        families_for,
        settings_for,
        upstream_of,
    )

    command = ["pip", *(["--index-url", args.index_url] if args.index_url else [])]
    settings = settings_for(command, os.environ, os.getcwd())
    upstream = upstream_of(settings, os.environ)
    is_any = target == "any"
    folder = Path(cache_folder(os.environ))
    service = ViewService(
        upstream,
        partial(Wanted, machine_of(CPU if is_any else target)),
        () if is_any else families_for(settings, upstream.fetcher, args.cuda_index, ()),
        bakery=Bakery(folder, upstream),
        is_unchanged=is_any,
        keep_s=_SECONDS,
    )
    service.code = StatedCode(upstream.fetcher, folder)
    return service
