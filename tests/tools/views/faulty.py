"""How an index may fail: what a stand-in does instead of answering, and what is said of it."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.tools.views.stand_in import JSON

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from tests.tools.views.stand_in import Act

# Hints, each by the words it begins with.
LOGIN = "give a user name and a password"
WRONG_LOGIN = "check the user name and the password"
ADDRESS = "check the address of the index"
SERVER = "the index has a fault of its own"
CUT = "try again; if it stays so"
NETWORK = "check the network"
LISTED = "the index lists a file that it does not have"
CHANGED = "do not install this file"
_SIGN_IN: Final = b"<html><body><form>Sign in to the network</form></body></html>"


class Fault(NamedTuple):
    """A fault of a page: what the index does, and the words and the hint of ``run`` for it.

    ``is_lasting``: installers ask once only.
    """

    act: Act
    words: str
    hint: str
    is_lasting: bool = True


def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Act:
    """Answer with a status, headers and a body."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status, http.client.responses.get(status))
        handler.send_header("Connection", "close")
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return act


def silent(_handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing for longer than anybody waits."""
    time.sleep(90)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Answer with bytes that do not end."""
    answer(200, {"Content-Type": "text/html", "Content-Length": ""})(handler)
    while handler.command != "HEAD":
        handler.wfile.write(b"x" * 65_536)


cut = answer(200, {"Content-Type": JSON, "Content-Length": "99999"}, b"PK")
# By name of the project that has the fault.
PAGES: Final = {
    "denied": Fault(answer(401), "401 Unauthorized", WRONG_LOGIN),
    "forbidden": Fault(answer(403), "403 Forbidden", ADDRESS),
    "busy": Fault(answer(429), "429 Too Many Requests", SERVER, is_lasting=False),
    "broken": Fault(answer(500), "500 Internal Server Error", SERVER, is_lasting=False),
    "cut": Fault(cut, "ended after 2 bytes of 99999", CUT, is_lasting=False),
    "malformed": Fault(
        answer(200, {"Content-Type": JSON}, b"{"), "not a page of the simple API", ADDRESS
    ),
    "packed": Fault(answer(200, {"Content-Encoding": "br"}, b"x"), "packed as 'br'", ADDRESS),
    "local": Fault(answer(302, {"Location": "file:///etc/passwd"}), "not allowed", ADDRESS),
    "circle": Fault(answer(302, {"Location": "."}), "infinite loop", ADDRESS),
    "gone": Fault(answer(404), "no index has this project", ADDRESS),
    "empty": Fault(answer(200, {"Content-Type": "text/html"}, _SIGN_IN), "lists no files", ADDRESS),
}
