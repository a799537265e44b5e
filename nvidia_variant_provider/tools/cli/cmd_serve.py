"""``serve``: views for a team, the machine in the address."""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.installers.ourselves import install_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.upstream_settings import Settings

_EPILOG: Final = """\
Each machine has an index of its own: http://HOST:8000/h100@570/simple/; cpu is a machine without a
GPU. /any/simple/ is the main index, unchanged. http://HOST:8000/ has the commands for pip, uv,
Poetry and PDM. Everyone who reaches the server downloads with its credentials: bind it to a trusted
network. docs/views.md describes what a view shows.

examples:
  nvidia-variant-provider serve
  nvidia-variant-provider serve --index-url https://index.example/simple/ --bind 0.0.0.0:8000
  nvidia-variant-provider serve --public-url https://views.example/cuda/

exit codes:
  2    usage error, an address that cannot be used, or the extra 'serve' is not installed
  130  ended by Ctrl-C, 143 by SIGTERM; downloads under way have had ten seconds
"""
_SECONDS: Final = 60.0
_STOP_S: Final = 10
_QUEUE: Final = 2048
_LAST_PORT: Final = 65535
_LOOPBACK: Final = ("127.", "::1", "localhost")
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - what people may ask for


class _Place(NamedTuple):
    """Where to listen: ``0.0.0.0``, 8000."""

    host: str
    port: int


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
        help="address and port to listen on; 0.0.0.0 is every IPv4 network of this machine "
        "[default: %(default)s]",
    )
    parser.add_argument(
        "--public-url",
        default="",
        metavar="URL",
        help="address that people know, where a proxy stands in front [default: the one that is "
        "asked]",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    place = _place(args.bind)
    public_url = _public_url(args.public_url)
    try:
        import uvicorn

        from nvidia_variant_provider.tools.serve.app import make_app
    except ModuleNotFoundError as error:
        if error.name not in {"starlette", "uvicorn"}:
            raise
        output.fail("serve", f"this command needs the package {error.name!r}")
        output.hint(install_line("serve"))
        return 2
    app = make_app(_services(args), output.warn, public_url)
    with _listener(place) as listener:
        _announce(place, listener.getsockname()[1], public_url)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_STOP_S)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _place(text: str) -> _Place:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _LAST_PORT:
        raise InvalidValueError(
            f"--bind {text[:60]!r}: expected HOST:PORT, such as 127.0.0.1:8000 or [::]:8000"
        )
    return _Place(host.removeprefix("[").removesuffix("]"), int(port))


def _public_url(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise InvalidValueError(
            f"--public-url {text[:60]!r}: expected an address such as https://views.example/"
        )
    return f"{text.rstrip('/')}/" if text else ""


def _listener(place: _Place) -> socket.socket:
    """Return a socket that listens; raises ``InvalidValueError`` where that is not possible."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family, backlog=_QUEUE)
    except OSError as error:
        raise InvalidValueError(
            f"--bind {place.host}:{place.port}: {_why(error)}; expected an address of this machine "
            "and a free port"
        ) from error


def _why(error: OSError) -> str:
    is_lookup = isinstance(error, socket.gaierror) or not error.errno
    return str(error.strerror or error) if is_lookup else os.strerror(error.errno or 0)


def _announce(place: _Place, port: int, public_url: str) -> None:
    """Say where the server is, as its users would type it, and whom it answers."""
    name = socket.gethostname() if place.host in _EVERYWHERE else place.host
    root = public_url or f"http://{f'[{name}]' if ':' in name else name}:{port}/"
    output.emit_lines([f"{root}NAME@DRIVER/simple/ is the index of a machine; {root} explains"])
    if not place.host.startswith(_LOOPBACK):
        output.note(
            f"everyone who reaches {place.host} port {port} downloads with the credentials of "
            "this server"
        )


def _services(args: argparse.Namespace) -> Callable[[str], ViewService]:
    """Return what makes the service of a target; raises ``InvalidValueError`` without an index."""
    from nvidia_variant_provider.tools.releases.network_settings import host_to_trust
    from nvidia_variant_provider.tools.views.upstream import local_path
    from nvidia_variant_provider.tools.views.upstream_settings import settings_for, upstream_of

    command = ["pip", "install"]
    if args.index_url:
        host = host_to_trust(args.index_url)
        command += ["--index-url", args.index_url, *(["--trusted-host", host] if host else [])]
    settings = settings_for(command, os.environ, os.getcwd())
    for warning in settings.warnings:
        output.warn(warning)
    for index in upstream_of(settings, os.environ).indexes:
        if index.startswith("file:") and not os.path.isdir(local_path(index)):
            raise InvalidValueError(
                f"{local_path(index)}: no such folder; expected an index, such as "
                "--index-url https://index.example/simple/"
            )
    return partial(_service, settings, args.cuda_index)


def _service(settings: Settings, cuda_indexes: Sequence[str], target: str) -> ViewService:
    """Return the service of a target; raises ``InvalidValueError`` for a name of none."""
    from pathlib import Path

    from nvidia_variant_provider.tools.serve.front_pages import ANY, EXAMPLE
    from nvidia_variant_provider.tools.views.baking import Bakery
    from nvidia_variant_provider.tools.views.model import Wanted
    from nvidia_variant_provider.tools.views.named import machine_named
    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.session import cache_folder
    from nvidia_variant_provider.tools.views.stated_code import StatedCode
    from nvidia_variant_provider.tools.views.upstream_settings import families_for, upstream_of

    is_any = target == ANY
    named = machine_named(EXAMPLE if is_any else target)
    upstream = upstream_of(settings, os.environ)
    folder = Path(cache_folder(os.environ))
    service = ViewService(
        upstream,
        partial(Wanted, named.machine, architectures=named.architectures),
        () if is_any else families_for(settings, upstream.fetcher, cuda_indexes, ()),
        bakery=Bakery(folder, upstream),
        is_unchanged=is_any,
        keep_s=_SECONDS,
    )
    service.code = StatedCode(upstream.fetcher, folder)
    return service
