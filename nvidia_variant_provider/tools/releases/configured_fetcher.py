"""Requests with what is configured for an installer: certificates, a proxy, a keyring."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.installers.interpreter import own_python
from nvidia_variant_provider.tools.installers.pip_settings import read_pip
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.keyring import Keyring
from nvidia_variant_provider.tools.releases.network_settings import Tls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.installers.configured import Configured


def fetcher_for(
    configured: Configured, environ: Mapping[str, str], command: Sequence[str] = ()
) -> Fetcher:
    """Return what asks indexes as the installer would; ``command`` is the installer's."""
    if configured.proxies:
        others = dict.fromkeys(("all_proxy", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"), "")
        environ = {**environ, **others, **dict(configured.proxies)}
    programs = tuple(_keyrings(configured.keyring, environ, command))
    keyring = Keyring(programs, environ) if programs else None
    cert = configured.cert or environ.get("SSL_CERT_FILE", "")
    tls = Tls(cert, configured.client_cert, configured.trusted_hosts)
    return Fetcher(environ, tls, configured.proxy, keyring=keyring, store=configured.store)


def pip_fetcher(environ: Mapping[str, str]) -> Fetcher:
    """Return what asks indexes as pip would here, for a command that no installer takes part in."""
    return fetcher_for(read_pip(environ, {}), environ)


def _keyrings(
    provider: str, environ: Mapping[str, str], command: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield the programs to ask: pip imports the one of its own Python, or starts the other."""
    if provider in {"auto", "import"} and command and (python := own_python(command, environ)):
        yield python, "-m", "keyring"
    program = shutil.which("keyring", path=environ.get("PATH"))
    if provider in {"auto", "subprocess"} and program:
        yield (program,)
