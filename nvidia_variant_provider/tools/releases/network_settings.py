"""Proxies and certificates of an installer, from its options and its environment."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORT: Final = re.compile(r":\d+$")


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

    def of(self, url: str) -> str:
        """Return the proxy of an address, such as ``proxy.example:3128``; "" without one."""
        proxy = "" if self.are_bypassed(url) else self.by_scheme.get(urlsplit(url).scheme, "")
        return (proxy.partition("://")[2] or proxy).rpartition("@")[2].rstrip("/")


def _configured(environ: Mapping[str, str]) -> dict[str, str]:
    def setting(name: str) -> str:
        return environ.get(name) or environ.get(name.upper()) or ""

    shared = setting("all_proxy")
    chosen = {scheme: setting(f"{scheme}_proxy") or shared for scheme in ("http", "https")}
    return {scheme: proxy for scheme, proxy in chosen.items() if proxy}


@dataclass(frozen=True, slots=True)
class Tls:
    """How servers are known, as an installer is told: "" and () where it is told nothing.

    ``cert`` is a file or a folder of certificates, ``client_cert`` a file with a certificate of our
    own and its key. ``trusted`` are hosts whose certificates are not looked at, such as
    ``mirror.example`` or ``mirror.example:8443``; ``*`` is every host.
    """

    cert: str = ""
    client_cert: str = ""
    trusted: tuple[str, ...] = ()

    def trusts(self, host: str) -> bool:
        """Tell whether the certificate of a host, such as ``h:443``, is not looked at."""
        listed = {each.lower().partition("://")[2] or each.lower() for each in self.trusted}
        return not listed.isdisjoint({_without_login(host), _name_of(host), "*"})


def is_loopback(host: str) -> bool:
    """Tell whether a host, such as ``localhost:80``, is this machine."""
    name = _name_of(host).strip("[]")
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_to_trust(address: str) -> str:
    """Return the host that pip has to be told to trust before it takes an address; "" for none.

    That is one of plain http on another machine: pip leaves it out with a warning.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_open = parts.scheme == "http" and not is_loopback(parts.netloc)
    return (parts.hostname or "") if is_open else ""


def _without_login(host: str) -> str:
    return host.lower().rpartition("@")[2]


def _name_of(host: str) -> str:
    return _PORT.sub("", _without_login(host))


class Certificates:
    """The certificates by which servers are known.

    Reading them takes longer than everything else before a request, so it waits for the first
    address that needs them; that a file is missing shows at once.
    """

    def __init__(self, tls: Tls) -> None:
        """Raise ``InvalidValueError`` for a file that cannot be read."""
        self._tls = tls
        self._lock = threading.Lock()
        self._contexts: dict[bool, ssl.SSLContext] = {}
        if any(path and not os.access(path, os.R_OK) for path in (tls.cert, tls.client_cert)):
            self.context()

    def context(self, host: str = "") -> ssl.SSLContext:
        """Return the context of all connections to a host; raises ``InvalidValueError``."""
        is_trusted = self._tls.trusts(host)
        with self._lock:
            if is_trusted not in self._contexts:
                context = _read(self._tls.cert)
                if is_trusted:
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                if self._tls.client_cert:
                    _add_own(context, self._tls.client_cert)
                self._contexts[is_trusted] = context
            return self._contexts[is_trusted]


def _read(path: str) -> ssl.SSLContext:
    if path and os.path.isdir(path):
        return ssl.create_default_context(capath=path)
    try:
        context = ssl.create_default_context(cafile=path or None)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not path and not _has_certificates(context):
        # Slim images have none, nor has Python's own build for macOS; pip and uv bring theirs.
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _has_certificates(context: ssl.SSLContext) -> bool:
    """Tell whether the system has some: those of a folder are read when they are needed."""
    if context.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath
    return bool(folder and os.path.isdir(folder) and os.listdir(folder))


def _add_own(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_cert_chain(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> InvalidValueError:
    words = str(error) or type(error).__name__
    return InvalidValueError(f"{path}: cannot be read as certificates: {words}")
