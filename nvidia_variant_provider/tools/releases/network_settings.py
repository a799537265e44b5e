"""Proxies and certificates of an installer, from its options and its environment."""

from __future__ import annotations

import os
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Proxies:
    """The proxies by scheme, and the hosts that are asked without one (``no_proxy``)."""

    def __init__(self, environ: Mapping[str, str], proxy: str = "") -> None:
        """Take the one of an option, or else those of the environment."""
        self.by_scheme = {"http": proxy, "https": proxy} if proxy else _configured(environ)
        listed = environ.get("no_proxy", environ.get("NO_PROXY", "")).lower().split(",")
        self._direct = [name.strip().lstrip(".") for name in listed if name.strip()]

    def are_bypassed(self, url: str) -> bool:
        """Tell whether the host of an address is asked without a proxy."""
        host = (urlsplit(url).hostname or "").lower()
        return any(name in {"*", host} or host.endswith(f".{name}") for name in self._direct)


def _configured(environ: Mapping[str, str]) -> dict[str, str]:
    def setting(name: str) -> str:
        return environ.get(name) or environ.get(name.upper()) or ""

    shared = setting("all_proxy")
    chosen = {scheme: setting(f"{scheme}_proxy") or shared for scheme in ("http", "https")}
    return {scheme: proxy for scheme, proxy in chosen.items() if proxy}


class Certificates:
    """The certificates by which servers are known: a file, a folder, or the system's for "".

    Reading them takes longer than everything else before a request, so it waits for the first
    address that needs them; that a file is missing shows at once.
    """

    def __init__(self, path: str) -> None:
        """Raise ``InvalidValueError`` for a file that cannot be read."""
        self._path = path
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        if path and not os.access(path, os.R_OK):
            self.context()

    def context(self) -> ssl.SSLContext:
        """Return the context of all connections; raises ``InvalidValueError``."""
        with self._lock:
            if self._context is None:
                self._context = _read(self._path)
            return self._context


def _read(path: str) -> ssl.SSLContext:
    if path and os.path.isdir(path):
        return ssl.create_default_context(capath=path)
    try:
        return ssl.create_default_context(cafile=path or None)
    except OSError as error:
        words = str(error) or type(error).__name__
        raise InvalidValueError(f"{path}: cannot be read as certificates: {words}") from error
