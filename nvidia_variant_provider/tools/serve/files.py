"""Files of a view as answers: a redirect, a wheel that is kept, or what an index hands to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse as Streaming

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.serve.bodies import refused
from nvidia_variant_provider.tools.views.answers import NOT_MODIFIED, status_of
from nvidia_variant_provider.tools.views.upstream import local_path

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterator

    from starlette.requests import Request

    from nvidia_variant_provider.tools.views.answers import Served
    from nvidia_variant_provider.tools.views.service import ViewService

_METADATA: Final = ".metadata"
_PASSED_ON: Final = ("range", "if-none-match", "if-range")
_PASSED_BACK: Final = ("content-length", "content-range", "accept-ranges", "etag", "content-type")


def files_of(request: Request) -> str:
    """Return where the files of a view stand, seen from a page: it holds behind any proxy.

    The name is encoded: PDM takes what follows an ``@`` in a link for a revision of a repository.
    """
    return f"../../../{quote(request.path_params['target'])}/files/"


def file_response(service: ViewService, key: str, name: str, request: Request) -> Response:
    """Return the file of an address of ours."""
    plain = name.removesuffix(_METADATA)
    try:
        served = service.file(key)
        if served is None:
            # Another worker, or this one before a restart, has made the page.
            service.page(plain.partition("-")[0], files_of(request))
            served = service.file(key)
        if served is None or served.shown.name != plain:
            return refused(404, f"{plain}: no such file in this view; its page may have changed")
        return _content(service, served, request, is_metadata=name != plain)
    except UpstreamError as error:
        if error.status == NOT_MODIFIED:
            return Response(status_code=NOT_MODIFIED)
        return refused(status_of(error), f"{plain}: {error}")
    except (InvalidValueError, OSError) as error:
        return refused(status_of(error), f"{plain}: {error}")


def _content(
    service: ViewService, served: Served, request: Request, *, is_metadata: bool
) -> Response:
    url = served.shown.file.url + (_METADATA if is_metadata else "")
    if served.is_upstream_s:
        if url.startswith("file:"):
            return FileResponse(local_path(url))
        if service.upstream.fetcher.needs_login(url):
            return _relayed(service, url, request, None if is_metadata else served.shown.file.size)
        return RedirectResponse(url, 302)
    if not is_metadata and service.bakery is not None:
        return FileResponse(service.bakery.wheel(served.shown, served.properties).path)
    if served.baked is not None:
        return Response(served.baked.metadata, media_type="text/plain")
    return refused(404, f"{served.shown.name} has its metadata inside only")


def _relayed(service: ViewService, url: str, request: Request, most: int | None) -> Response:
    """Hand a file on from an index that wants credentials.

    ``most`` is how large the page says it is. It counts where the answer states no size.
    """
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers["Accept-Encoding"] = "identity"
    answer = service.upstream.fetcher.open(url, headers, request.method)
    back = {name: answer.headers[name] for name in _PASSED_BACK if answer.headers.get(name)}
    pieces = service.upstream.fetcher.pieces(answer, url)
    bounded = pieces if "content-length" in back else _bounded(pieces, most)
    return Streaming(_closing(answer, bounded), answer.status, back)


def _bounded(pieces: Iterator[bytes], most: int | None) -> Iterator[bytes]:
    """Yield pieces up to a size. The connection is cut with the first byte beyond it."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if most is not None and size > most:
            raise UpstreamError(f"more than the {most} bytes that the page of the index states")
        yield piece


def _closing(answer: http.client.HTTPResponse, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with answer:
        yield from pieces
