"""The server of views: ``/gh200@580/simple/torch/`` is torch as a GH200 with driver 580 sees it.

``/any/simple/`` is the main index, unchanged. ``/healthz`` and ``/metrics`` are for operators.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse as Streaming
from starlette.routing import Route

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import UpstreamError, pieces_of
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.views.rendering import JSON, entity_tag
from nvidia_variant_provider.tools.views.upstream import local_path

if TYPE_CHECKING:
    import http.client
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from nvidia_variant_provider.tools.views.answers import Page, Served
    from nvidia_variant_provider.tools.views.service import ViewService

ANY: Final = "any"
_MOST_VIEWS: Final = 64
_METADATA: Final = ".metadata"
_PASSED_ON: Final = ("range", "if-none-match", "if-range")
_PASSED_BACK: Final = ("content-length", "content-range", "accept-ranges", "etag", "content-type")


class Views:
    """The services by target, at most 64; the one that was not asked for longest goes first."""

    def __init__(self, service_for: Callable[[str], ViewService]) -> None:
        """``service_for`` makes the service of a target and raises ``InvalidValueError``."""
        self._service_for = service_for
        self._services: OrderedDict[str, ViewService] = OrderedDict()
        self._lock = threading.Lock()
        self.counts: Counter[tuple[str, int]] = Counter()

    def service(self, target: str) -> ViewService:
        """Return the service of a target; raises ``InvalidValueError`` for a name of none."""
        with self._lock:
            if target not in self._services:
                self._services[target] = self._service_for(target)
            self._services.move_to_end(target)
            if len(self._services) > _MOST_VIEWS:
                self._services.popitem(last=False)
            return self._services[target]

    def __len__(self) -> int:
        return len(self._services)


def make_app(service_for: Callable[[str], ViewService]) -> Starlette:
    """Return the application; ``service_for`` is also asked for ``any``."""
    views = Views(service_for)

    async def page(request: Request) -> Response:
        answer = await run_in_threadpool(_page, views, request)
        views.counts["page", answer.status_code] += 1
        return answer

    async def file(request: Request) -> Response:
        answer = await run_in_threadpool(_file, views, request)
        views.counts["file", answer.status_code] += 1
        return answer

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse("".join(_metrics(views)))

    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/metrics", metrics),
            Route("/{target}/simple/{project}/", page),
            Route("/{target}/files/{key}/{name}", file),
        ]
    )


def _metrics(views: Views) -> Iterator[str]:
    name = "nvidia_variant_provider_requests_total"
    yield f"# TYPE {name} counter\n"
    for (kind, status), count in sorted(views.counts.items()):
        yield f'{name}{{kind="{kind}",status="{status}"}} {count}\n'
    yield "# TYPE nvidia_variant_provider_views gauge\n"
    yield f"nvidia_variant_provider_views {len(views)}\n"


def _page(views: Views, request: Request) -> Response:
    try:
        service = views.service(request.path_params["target"])
    except InvalidValueError as error:
        return _refused(404, str(error))
    page = service.page(request.path_params["project"], _files_of(request))
    if page.moved:
        return RedirectResponse(page.moved, 302)
    if page.reason:
        return _refused(page.status, page.reason)
    return _rendered(page, request)


def _files_of(request: Request) -> str:
    """Return where the files of a view lie, as its pages say it.

    The name is encoded: PDM takes what follows an ``@`` in a link for a revision of a repository.
    """
    return f"../../../{quote(request.path_params['target'])}/files/"


def _rendered(page: Page, request: Request) -> Response:
    as_json = "json" in request.headers.get("accept", "")
    body = page.body(as_json=as_json)
    tag = entity_tag(body)
    headers = {"ETag": tag, "Cache-Control": "max-age=60", "Vary": "Accept"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON if as_json else "text/html", headers=headers)


def _file(views: Views, request: Request) -> Response:
    target, key, name = (request.path_params[name] for name in ("target", "key", "name"))
    plain = name.removesuffix(_METADATA)
    try:
        service = views.service(target)
        served = service.file(key)
        if served is None:
            # Another worker, or this one before a restart, has made the page.
            service.page(plain.partition("-")[0], _files_of(request))
            served = service.file(key)
        if served is None or served.shown.name != plain:
            return _refused(404, "no such file in this view")
        return _content(service, served, request, is_metadata=name != plain)
    except (InvalidValueError, UpstreamError, OSError) as error:
        return _refused(502, f"{plain}: {error}")


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
    return _refused(404, "this wheel has its metadata inside only")


def _relayed(service: ViewService, url: str, request: Request) -> Response:
    """Hand a file on from an index that wants credentials."""
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers["Accept-Encoding"] = "identity"
    answer = service.upstream.fetcher.open(url, headers, request.method)
    back = {name: answer.headers[name] for name in _PASSED_BACK if answer.headers.get(name)}
    return Streaming(_pieces(answer), answer.status, back)


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    with answer:
        yield from pieces_of(answer, answer.url)


def _refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{redacted(reason)}\n", status)
