"""Files of a view as answers: a redirect, a wheel that is kept, or what an index hands to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse as Streaming

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.serve.bodies import refused
from nvidia_variant_provider.tools.views.answers import status_of
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
    except (InvalidValueError, UpstreamError, OSError) as error:
        return refused(status_of(error), f"{plain}: {error}")


def _content(
    service: ViewService, served: Served, request: Request, *, is_metadata: bool
) -> Response:
    url = served.shown.file.url + (_METADATA if is_metadata else "")
    if served.is_upstream_s:
        if url.startswith("file:"):
            return FileResponse(local_path(url))
        if service.upstream.fetcher.needs_login(url):
            return _relayed(service, url, request)
        return RedirectResponse(url, 302)
    if not is_metadata and service.bakery is not None:
        return FileResponse(service.bakery.wheel(served.shown, served.properties).path)
    if served.baked is not None:
        return Response(served.baked.metadata, media_type="text/plain")
    return refused(404, f"{served.shown.name} has its metadata inside only")


def _relayed(service: ViewService, url: str, request: Request) -> Response:
    """Hand a file on from an index that wants credentials."""
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers["Accept-Encoding"] = "identity"
    answer = service.upstream.fetcher.open(url, headers, request.method)
    back = {name: answer.headers[name] for name in _PASSED_BACK if answer.headers.get(name)}
    return Streaming(_pieces(service, answer, url), answer.status, back)


def _pieces(service: ViewService, answer: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
    with answer:
        yield from service.upstream.fetcher.pieces(answer, url)
