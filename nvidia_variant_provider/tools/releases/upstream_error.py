"""What goes wrong with an index: in words, with what to do, and whether to ask again."""

from __future__ import annotations

import ssl
from typing import Final
from urllib.error import URLError

from nvidia_variant_provider.errors import ProviderError
from nvidia_variant_provider.tools.releases.logins import redacted

# These may be answered otherwise a moment later.
_PASSING: Final = frozenset({408, 425, 429})
_OF_SERVERS: Final = 500
_PROXY_LOGIN: Final = 407
_BY_STATUS: Final = {
    401: "give a user name and a password for this host: in the address of the index, in ~/.netrc "
    "or in a keyring",
    403: "check the address of the index, and that it lets you read this project",
    _PROXY_LOGIN: "give the proxy a user name and a password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
}
REFUSED_LOGIN: Final = (
    "check the user name and the password for this host: those in the address of the index, else "
    "in ~/.netrc, else in the keyring"
)
_OF_SERVER: Final = "the index has a fault of its own: try again later"
NO_PAGE: Final = (
    "check the address of the index: it ends above the projects, as in https://HOST/simple/"
)
_NO_CERTIFICATE: Final = (
    "name the file of the authority that signed it (pip: --cert FILE; uv: SSL_CERT_FILE=FILE)"
)
_NO_PROXY: Final = (
    "check the proxy (HTTPS_PROXY, HTTP_PROXY); hosts that are to be asked without it are named in "
    "NO_PROXY"
)
NO_ANSWER: Final = (
    "check the network, the address of the index and the proxy (HTTPS_PROXY, NO_PROXY), then try "
    "again"
)
_CUT: Final = "try again; if it stays so, the index or a proxy on the way cuts its answers short"
_LISTED: Final = "the index lists a file that it does not have; ask those who run the index"
_CHANGED: Final = "do not install this file; ask those who run the index which of the two is right"


class UpstreamError(ProviderError):
    """An index did not answer as it should.

    ``status`` is that of its answer, 0 without a whole one; of an answer that cannot be used it is
    below 400. ``hint`` says what a person may do.
    """

    def __init__(self, message: str, status: int = 0, hint: str = "") -> None:
        self.status = status
        self.hint = hint or _hint(status)
        super().__init__(message)

    @property
    def is_lasting(self) -> bool:
        """Whether the same question would get the same answer, now."""
        return 0 < self.status < _OF_SERVERS and self.status not in _PASSING


class LoginWantedError(UpstreamError):
    """The host that was asked answers nobody without credentials."""


class NoAnswerError(UpstreamError):
    """The host that was asked has not answered, or not in time."""


def no_answer(url: str, error: Exception, proxy: str = "") -> UpstreamError:
    """Return what to raise for a request that was not answered; ``url`` has no credentials.

    ``proxy`` is who was asked in the place of the host, "" if it was asked itself.
    """
    reason = error.reason if isinstance(error, URLError) else error
    words = words_of(error)
    hint = _NO_PROXY if proxy else NO_ANSWER
    if isinstance(reason, ssl.SSLCertVerificationError):
        hint = _NO_CERTIFICATE
    elif proxy and f" {_PROXY_LOGIN} " in words:
        hint = _BY_STATUS[_PROXY_LOGIN]
    through = f"through the proxy {proxy}: " if proxy else ""
    return NoAnswerError(f"{url}: {through}{words}", hint=hint)


def too_late(url: str, seconds: float) -> UpstreamError:
    """Return what to raise for an answer that takes longer than it may."""
    return NoAnswerError(f"{redacted(url)}: not complete after {seconds:g} s", hint=NO_ANSWER)


def cut_short(url: str, words: str) -> UpstreamError:
    """Return what to raise for an answer that has ended early."""
    return UpstreamError(f"{redacted(url)}: {words}", hint=_CUT)


def unusable(url: str, words: str, status: int = 200) -> UpstreamError:
    """Return what to raise for a whole answer that cannot be used."""
    return UpstreamError(f"{redacted(url)}: {words}", status)


def changed_since(name: str, what: str = "another hash") -> UpstreamError:
    """Return what to raise for a file that is not the one which its page lists."""
    return UpstreamError(f"{name}: has {what} than its page states", 200, _CHANGED)


def hint_of_file(error: UpstreamError) -> str:
    """Return the hint for a file that a page lists; without one "not found" is no fault."""
    return _LISTED if error.status in {404, 410} else error.hint


def words_of(error: Exception) -> str:
    """Return what an exception of the network says, on one line."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {reason.verify_message}"
    return " ".join(redacted(str(reason) or type(reason).__name__).split())


def _hint(status: int) -> str:
    if status >= _OF_SERVERS or status in _PASSING:
        return _OF_SERVER
    if 0 < status < min(_BY_STATUS):
        return NO_PAGE
    return _BY_STATUS.get(status, "")
