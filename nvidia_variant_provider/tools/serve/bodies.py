"""Pages as answers: JSON or HTML as asked, packed, and not sent again where they are known."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, Response

from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.views.rendering import JSON, entity_tag, is_known, prefers_json

if TYPE_CHECKING:
    from starlette.requests import Request

_SMALL: Final = 1024
# Pages are made anew after a minute, too.
_KEPT: Final = "max-age=60"


def wants_json(request: Request) -> bool:
    """Tell whether JSON is asked for at least as much as HTML."""
    return prefers_json(request.headers.get("accept", ""))


def wants_html(request: Request) -> bool:
    """Tell whether a browser asks: curl and installers of text take text."""
    return "text/html" in request.headers.get("accept", "")


def page_response(request: Request, body: bytes, *, is_json: bool) -> Response:
    """Return a page with its ``ETag``, packed where that is understood; 304 if it is known."""
    tag = entity_tag(body)
    headers = {"Cache-Control": _KEPT, "Vary": "Accept, Accept-Encoding"}
    if len(body) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body = _packed(body)
        tag = f'{tag[:-1]}-gzip"'
        headers["Content-Encoding"] = "gzip"
    headers["ETag"] = tag
    if is_known(request.headers.get("if-none-match", ""), tag):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON if is_json else "text/html", headers=headers)


@lru_cache(maxsize=64)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 5, mtime=0)


def refused(status: int, reason: str) -> Response:
    """Return an error with its reason as text, without credentials."""
    return PlainTextResponse(f"{redacted(reason)}\n", status)
