"""The server of views: ``/gh200@580/simple/torch/`` is torch as a GH200 with driver 580 sees it.

``/any/simple/`` is the main index, unchanged. ``/`` and ``/gh200@580/`` are for people, and
``/healthz`` and ``/metrics`` for operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.serve import front_pages, listing, refusals
from nvidia_variant_provider.tools.serve.bodies import (
    page_response,
    refused,
    wants_html,
    wants_json,
)
from nvidia_variant_provider.tools.serve.files import file_response, files_of
from nvidia_variant_provider.tools.serve.front_pages import ANY, Site
from nvidia_variant_provider.tools.serve.registry import Views
from nvidia_variant_provider.tools.views.rendering import render_list_html, render_list_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from nvidia_variant_provider.tools.views.service import ViewService

_VARIES: Final = {"Vary": "Accept"}


def make_app(
    service_for: Callable[[str], ViewService], say: Callable[[str], None], public_url: str = ""
) -> Starlette:
    """Return the application; ``service_for`` is also asked for ``any``.

    ``say`` is told each warning once. ``public_url`` is the address that people know, where a proxy
    stands in front; "" takes the one that is asked.
    """
    server = _Server(Views(service_for, say), public_url)
    places = (
        ("/", "front", server.front),
        ("/{target}/", "front", server.target),
        ("/{target}/simple/", "list", server.projects),
        ("/{target}/simple/{project}/", "page", server.page),
        ("/{target}/files/{key}/{name}", "file", server.file),
    )
    return Starlette(
        routes=[
            Route("/healthz", server.health),
            Route("/metrics", server.metrics),
            *(Route(path, server.counted(kind, answer)) for path, kind, answer in places),
            *(Route(path[:-1], _with_slash) for path, _, _ in places[1:4]),
        ],
        exception_handlers={404: server.no_page, 405: server.no_method},
    )


async def _with_slash(request: Request) -> Response:
    """Lead to the same address with a slash behind; relative, so it holds behind any proxy."""
    return RedirectResponse(f"./{request.url.path.rpartition('/')[2]}/", 302)


class _Server:
    """What is answered at each place."""

    def __init__(self, views: Views, public_url: str) -> None:
        self._views = views
        self._public_url = public_url

    def counted(
        self, kind: str, answer: Callable[[Request], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers in a thread and counts."""

        async def counting(request: Request) -> Response:
            response = await run_in_threadpool(answer, request)
            self._views.counts[kind, response.status_code] += 1
            return response

        return counting

    def _site(self, request: Request) -> Site:
        return Site(self._public_url or str(request.base_url))

    def front(self, request: Request) -> Response:
        site = self._site(request)
        if wants_html(request):
            return HTMLResponse(front_pages.front_page_html(site), headers=_VARIES)
        return PlainTextResponse(front_pages.front_page(site), headers=_VARIES)

    def target(self, request: Request) -> Response:
        service = self._service(request)
        if isinstance(service, Response):
            return service
        return self._about(request, service)

    def _about(self, request: Request, service: ViewService, more: str = "") -> Response:
        """Return the page of a machine, for people."""
        target, site = request.path_params["target"], self._site(request)
        machine = None if target == ANY else service.wanted().machine
        about = front_pages.About(target, machine, more, tuple(service.log.warnings))
        if wants_html(request):
            return HTMLResponse(front_pages.target_page_html(site, about), headers=_VARIES)
        return PlainTextResponse(front_pages.target_page(site, about), headers=_VARIES)

    def projects(self, request: Request) -> Response:
        service = self._service(request)
        if isinstance(service, Response):
            return service
        is_json = wants_json(request)
        whole = listing.whole_list(service.upstream)
        if whole and (is_json or request.path_params["target"] == ANY):
            return RedirectResponse(whole, 302, _VARIES)
        try:
            names = self._views.projects(service.upstream)
        except UpstreamError as error:
            if is_json:
                return refused(502, f"the list of projects: {error}")
            return self._about(request, service, f"Not shown here: {error}.")
        if is_json:
            return page_response(request, render_list_json(names), is_json=True)
        return page_response(request, render_list_html(names), is_json=False)

    def page(self, request: Request) -> Response:
        service = self._service(request)
        if isinstance(service, Response):
            return service
        page = service.page(request.path_params["project"], files_of(request))
        self._views.tell(request.path_params["target"], service)
        if page.moved:
            return RedirectResponse(page.moved, 302)
        if page.reason:
            return refused(page.status, page.reason)
        is_json = wants_json(request)
        return page_response(request, page.body(as_json=is_json), is_json=is_json)

    def file(self, request: Request) -> Response:
        service = self._service(request)
        if isinstance(service, Response):
            return service
        key, name = request.path_params["key"], request.path_params["name"]
        return file_response(service, key, name, request)

    def _service(self, request: Request) -> ViewService | Response:
        """Return the service of the machine in the address, or the refusal of what is none.

        What is wrong with an address is never 404: uv would ask its next index, and install from
        there without a word.
        """
        target = request.path_params["target"]
        try:
            return self._views.service(target)
        except InvalidValueError as error:
            if target == "simple":
                return self._nothing(request)
            return refused(400, refusals.no_machine(self._site(request), target, str(error)))

    def _nothing(self, request: Request) -> Response:
        return refused(400, refusals.no_page(self._site(request), request.url.path))

    async def health(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(self, _request: Request) -> Response:
        return PlainTextResponse("".join(self._views.metrics()))

    async def no_page(self, request: Request, _error: Exception) -> Response:
        return self._nothing(request)

    async def no_method(self, request: Request, error: Exception) -> Response:
        answer = refused(405, refusals.no_method(self._site(request), request.method))
        answer.headers.update(getattr(error, "headers", None) or {})
        return answer
