"""Which indexes a command would have asked: the upstream of its view."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.installers.command_line import layers
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.configured import (
    read_pip,
    read_uv,
    shared_options,
    without_index_options,
)
from nvidia_variant_provider.tools.installers.interpreter import default_index
from nvidia_variant_provider.tools.installers.named_folder import is_folder, without_auto
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nvidia_variant_provider.tools.installers.configured import Configured
    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream

_UV: Final = frozenset({"uv", "uvx"})
# What cannot be wrong and has no credentials: the usual address.
_PLAIN: Final = re.compile(
    r"(?:https?://[A-Za-z0-9.-]+(?::\d{1,5})?|(?:file://)?(?=/))(?:/[A-Za-z0-9._~+%/-]*)?"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The upstream of a command, and the command without what names indexes.

    ``addresses`` are those of its indexes and folders, without credentials. ``is_default`` says
    that the installer's own default index is the upstream.
    """

    configured: Configured
    indexes: tuple[str, ...]
    command: tuple[str, ...]
    is_default: bool
    addresses: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """Whether nothing but folders of this machine is asked."""
        return all(address.startswith("file:") for address in self.addresses)


def settings_for(command: Sequence[str], environ: Mapping[str, str], cwd: str) -> Settings:
    """Read what is configured for the installer of a command.

    Raises ``InvalidValueError`` where no index is known, for what is no address, for an index that
    pip would not ask, and for a file of certificates that is not there.
    """
    tool = words_of(command)[0]
    rest, options = _split(command)
    configured = read_uv(environ, options, cwd) if tool in _UV else read_pip(environ, options)
    standard = "" if configured.no_index else default_index(environ)
    index = configured.index_url or _of_tool(tool, environ) or standard
    if not index and not configured.no_index and not configured.extra:
        raise InvalidValueError(
            "no index is configured, and neither pip nor uv is here to say which is the default; "
            "expected one, such as PIP_INDEX_URL=https://…/simple/"
        )
    if tool == "pip":
        _check_plain_http((index, *configured.extra), configured.trusted_hosts)
    is_default = bool(standard) and _same(index, standard)
    indexes = _ordered(configured, index)
    addresses = _addresses(configured, indexes, environ)
    return Settings(configured, indexes, tuple(rest), is_default, addresses)


def _split(command: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return a command without its installers' options that name indexes, and these options.

    What a program takes that an installer starts is its own.
    """
    rest = list(command)
    options: dict[str, list[str]] = {}
    for line in reversed([line for line in layers(command) if line.takes_indexes]):
        own = without_auto(line.own) if line.tool in _UV else list(line.own)
        own, named = without_index_options(own)
        options |= named | shared_options(own)
        rest[line.begin : line.end] = own
    return rest, options


def _check_plain_http(indexes: Iterable[str], trusted: tuple[str, ...]) -> None:
    """Raise ``InvalidValueError`` for an index that pip leaves out: in a view it counts no more."""
    if not any(index.startswith("http://") for index in indexes):
        return
    from nvidia_variant_provider.tools.releases.logins import split_login
    from nvidia_variant_provider.tools.releases.network_settings import Tls, is_loopback

    tls = Tls(trusted=trusted)
    for index in indexes:
        clean, _ = split_login(index)
        host = clean.removeprefix("http://").partition("/")[0]
        if index.startswith("http://") and not is_loopback(host) and not tls.trusts(host):
            raise InvalidValueError(
                f"{clean}: pip takes nothing over plain http from a host that it is not "
                f"told to trust; use https, or add --trusted-host {host}"
            )


def upstream_of(settings: Settings, environ: Mapping[str, str]) -> Upstream:
    """Return the indexes of a command as one; raises ``InvalidValueError`` as ``settings_for``."""
    return _upstream(settings.configured, settings.indexes, environ, settings.command)


def families_for(
    settings: Settings, fetcher: Fetcher, addresses: Sequence[str], projects: Sequence[str]
) -> tuple[CudaFamily, ...]:
    """Return the per-CUDA indexes to ask: those that are named, or PyTorch's with the default.

    Who has an index of their own must not be sent to another one unasked, nor a command of uv that
    names one folder of such indexes: uv asks that first, and no other.
    """
    from nvidia_variant_provider.tools.views.upstream import CudaFamily

    family = frozenset({*FAMILY, *projects})
    configured = settings.configured
    is_chosen = configured.is_first_only and any(map(is_folder, configured.extra))
    named = addresses or ([TORCH_INDEX] if settings.is_default and not is_chosen else [])
    return tuple(CudaFamily(fetcher, address, family) for address in named)


def check_addresses(addresses: Sequence[str]) -> None:
    """Raise ``InvalidValueError`` for what is no address."""
    if not all(map(_PLAIN.fullmatch, addresses)):
        from nvidia_variant_provider.tools.releases.logins import split_login

        for address in addresses:
            split_login(address)


def _ordered(configured: Configured, index: str) -> tuple[str, ...]:
    if configured.no_index:
        return ()
    main = [index] if index else []
    # uv asks its other indexes before the default, pip puts all together.
    ordered = [*configured.extra, *main] if configured.is_first_only else [*main, *configured.extra]
    return tuple(ordered)


def _addresses(
    configured: Configured, indexes: tuple[str, ...], environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Return what is asked, without credentials; raises ``InvalidValueError`` for what cannot be.

    ``Upstream`` knows, but takes longer to import than all that comes before the command: it is
    left alone where every address is plain.
    """
    every = (*indexes, *configured.find_links)
    files = filter(None, (configured.cert or environ.get("SSL_CERT_FILE"), configured.client_cert))
    if all(map(_PLAIN.fullmatch, every)) and all(os.access(path, os.R_OK) for path in files):
        return tuple(f"file://{text}" if text.startswith("/") else text for text in every)
    upstream = _upstream(configured, indexes, environ, ())
    return (*upstream.indexes, *upstream.find_links)


def _upstream(
    configured: Configured,
    indexes: tuple[str, ...],
    environ: Mapping[str, str],
    command: Sequence[str],
) -> Upstream:
    from nvidia_variant_provider.tools.releases.configured_fetcher import fetcher_for
    from nvidia_variant_provider.tools.views.upstream import Upstream

    return Upstream(
        fetcher_for(configured, environ, command),
        indexes,
        configured.find_links,
        is_first_only=configured.is_first_only,
    )


def _of_tool(tool: str, environ: Mapping[str, str]) -> str:
    """Return the index that an installer's own variable names."""
    names = {"pdm": "PDM_PYPI_URL", "pipenv": "PIPENV_PYPI_MIRROR",
             "poetry": "POETRY_PYPI_MIRROR_URL"}  # fmt: skip
    return environ.get(names.get(tool, ""), "")


def _same(index: str, standard: str) -> bool:
    return index.rstrip("/").lower() == standard.rstrip("/").lower()
