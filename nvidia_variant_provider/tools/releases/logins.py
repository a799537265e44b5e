"""Credentials of indexes: in addresses, in netrc, in uv's store and in a keyring.

They are bound to their host, and shown nowhere.
"""

from __future__ import annotations

import base64
import contextlib
import netrc
import os
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.addresses import encoded
from nvidia_variant_provider.tools.releases.uv_store import stored_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.releases.keyring import Keyring


def redacted(text: str) -> str:
    """Return a text in which no address shows credentials: before its host, or in its query."""
    without_login = re.sub(r"(?<=//)[^/\s]+@", "", text)
    return re.sub(r"(\w://[^\s?#'\"]*)\?[^\s#'\"]+", r"\1?...", without_login)


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password, or a bearer token; none is shown by ``repr``."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    is_bearer: bool = False

    @property
    def header(self) -> str:
        """The value of the header ``Authorization``."""
        if self.is_bearer:
            return f"Bearer {self.password}"
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


def split_login(url: str) -> tuple[str, Login | None]:
    """Return an address without its credentials, and those.

    Raises ``InvalidValueError`` for what is no address.
    """
    try:
        clean = encoded(url)
        parts = urlsplit(clean)
        _ = parts.port
    except ValueError as error:
        start, _, rest = url.partition("//")
        _, at, host = rest.rpartition("@")
        # The error quotes what stands where a port should be, such as a password.
        why = (
            "in a user name or a password, / is written as %2F, # as %23, ? as %3F, @ as %40"
            if at
            else str(error)
        )
        raise InvalidValueError(f"{start}//{host[:200]}: not an address: {why}") from None
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return clean, None
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=host)), Login(unquote(user), unquote(password))


def origin_of(url: str) -> tuple[str, str]:
    """Return scheme, host and port of an address: what credentials are bound to."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


class Logins:
    """The credentials that are known: of the addresses that were given, in netrc, in uv's store.

    ``store`` is the path of that, "" for installers that do not read it. A ``keyring`` is asked for
    a host that answers 401, as it may take seconds or ask a person.
    """

    def __init__(
        self, environ: Mapping[str, str], keyring: Keyring | None = None, store: str = ""
    ) -> None:
        self._environ = environ
        self._store = store
        self._keyring = keyring
        self._lock = threading.Lock()
        self._asked: set[tuple[str, str]] = set()
        self._addresses: list[str] = []
        self._by_origin: dict[tuple[str, str], Login | None] = {}
        self._needed: dict[str, bool] = {}
        self._settled: set[tuple[str, str]] = set()

    def remember(self, url: str) -> str:
        """Keep the credentials of an address for its host; return the address without them.

        Raises ``InvalidValueError`` for what is no address.
        """
        clean, login = split_login(url)
        self._addresses.append(clean)
        if login is not None:
            self._by_origin[origin_of(clean)] = login
        return clean

    def of(self, url: str) -> Login | None:
        """Return the credentials for the host of an address."""
        origin = origin_of(url)
        if origin not in self._settled:
            stated = self._by_origin.get(origin)
            host = urlsplit(url).hostname or ""
            known = stated or _from_netrc(host, self._environ)
            if known is None or not known.password:
                known = self._of_store(url, known) or known
            self._by_origin[origin] = known
            self._settled.add(origin)
        return self._by_origin[origin]

    def _of_store(self, url: str, stated: Login | None) -> Login | None:
        """Return what uv's store has for an address, or for an index on the same host."""
        if not self._store:
            return None
        addresses = [url, *self._indexes_of(origin_of(url))]
        entry = stored_for(self._store, addresses, stated.user if stated else "")
        return Login(*entry) if entry else None

    def close(self) -> None:
        """Ask the keyring no more."""
        if self._keyring is not None:
            self._keyring.close()

    def of_keyring(self, url: str, refused: Login | None) -> Login | None:
        """Return what the keyring has for a host that has refused a request; ``None`` if nothing.

        ``refused`` is what the request had: a name without a password leads the search, and a
        password that was stated is never replaced. Of several threads one asks, for all of them.
        """
        if self._keyring is None or (refused is not None and refused.password):
            return None
        origin = origin_of(url)
        with self._lock:
            if origin not in self._asked:
                self._asked.add(origin)
                pair = self._keyring.ask(self._services(url), refused.user if refused else "")
                if pair is not None:
                    self._by_origin[origin] = Login(*pair)
                    self._needed.clear()
        login = self._by_origin.get(origin)
        return None if login == refused else login

    def _services(self, url: str) -> list[str]:
        """Return what a keyring may know a host by: the addresses of its indexes, its name."""
        origin = origin_of(url)
        indexes = self._indexes_of(origin)
        named = [f"{address.rstrip('/')}/" for address in sorted(indexes, key=len)[::-1]]
        above = [address for address in named if f"{url}/".startswith(address)] or named
        return list(dict.fromkeys([*above, *(address[:-1] for address in above), origin[1]]))

    def _indexes_of(self, origin: tuple[str, str]) -> list[str]:
        return [address for address in self._addresses if origin_of(address) == origin]

    def are_needed(self, url: str) -> bool:
        """Tell whether requests to an address carry credentials."""
        # Pages list thousands of addresses of one host.
        start = url[: url.find("/", len("https://")) + 1] or url
        known = self._needed.get(start)
        if known is None:
            known = self._needed[start] = self.of(url) is not None
        return known


def _from_netrc(host: str, environ: Mapping[str, str]) -> Login | None:
    home = environ.get("HOME") or os.path.expanduser("~")
    names = [environ["NETRC"]] if environ.get("NETRC") else []
    names += [os.path.join(home, file) for file in (".netrc", "_netrc")]
    for name in names:
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            entry = netrc.netrc(name).authenticators(host)
            return Login(entry[0], entry[2] or "") if entry else None
    return None
