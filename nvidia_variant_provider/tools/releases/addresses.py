"""Addresses as they are sent: indexes write spaces and letters of any language into them."""

from __future__ import annotations

import string
from urllib.parse import quote, urlsplit, urlunsplit


def encoded(url: str) -> str:
    """Return an address with spaces and letters beyond ASCII percent-encoded, as browsers do.

    ``https://host/a b/é.whl`` becomes ``https://host/a%20b/%C3%A9.whl``; what is encoded already
    stays. Raises ``ValueError`` for what is no address.
    """
    if url.isascii() and " " not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(
            path=quote(parts.path, safe=string.punctuation),
            query=quote(parts.query, safe=string.punctuation),
        )
    )
