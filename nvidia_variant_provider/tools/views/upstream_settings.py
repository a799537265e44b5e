"""Which indexes a command would have asked: the upstream of its view."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.installers.chosen import (
    PIP,
    UV,
    choose,
    may_start_uv,
    named_files,
    tools_of,
)
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.index_options import (
    index_in_pip_args,
    program_of,
    shared_options,
    without_index_options,
    without_option,
    without_variables,
)
from nvidia_variant_provider.tools.installers.interpreter import default_index
from nvidia_variant_provider.tools.installers.named_folder import is_folder
from nvidia_variant_provider.tools.installers.requirements_files import check_lines
from nvidia_variant_provider.tools.installers.scripts import check_script
from nvidia_variant_provider.tools.installers.uv_files import uv_folder
from nvidia_variant_provider.tools.installers.uv_indexes import Detours, uv_detours
from nvidia_variant_provider.value_types import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.installers.configured import Configured
    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream

_AUTO: Final = "auto"
_HERE: Final = re.compile(r"http://(?:127\.0\.0\.1|localhost)[:/]")
# What cannot be wrong and has no credentials: the usual address.
_PLAIN: Final = re.compile(
    r"(?:https?://[A-Za-z0-9.-]+(?::\d{1,5})?|(?:file://)?(?=/))(?:/[A-Za-z0-9._~+%/-]*)?"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The upstream of a command, and the command without what names indexes.

    ``addresses`` are those of its indexes and folders, without credentials. ``is_default`` says
    that the installer's own default index is the upstream. ``detours`` are what of uv's settings
    would send it past the view. ``notes`` and ``warnings`` are for whoever runs the command.
    """

    configured: Configured
    indexes: tuple[str, ...]
    command: tuple[str, ...]
    is_default: bool
    addresses: tuple[str, ...]
    detours: Detours = field(default_factory=Detours)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether nothing but folders of this machine is asked."""
        return all(address.startswith("file:") for address in self.addresses)


def settings_for(command: Sequence[str], environ: Mapping[str, str], cwd: str) -> Settings:
    """Read what is configured for the installer of a command.

    Raises ``InvalidValueError`` where no index is known, for what is no address, for an index that
    pip would not ask, and for a file of certificates that is not there.
    """
    words = words_of(command)
    rest, variables = without_variables(command)
    environ = {**environ, **variables}
    rest, options = without_index_options(rest)
    options |= shared_options(rest)
    chosen = choose(command, environ, options, cwd)
    configured = chosen.configured
    standard = "" if configured.no_index else default_index(environ)
    index = configured.index_url or standard
    if not index and not configured.no_index and not configured.extra:
        raise InvalidValueError(
            "no index is configured, and neither pip nor uv is here to say which is the default; "
            "expected one, such as PIP_INDEX_URL=https://…/simple/"
        )
    check_lines(named_files(command, environ, cwd, options).paths, cwd)
    if option := index_in_pip_args(rest):
        raise InvalidValueError(
            f"--pip-args: {option} there beats the view; name the index outside of --pip-args "
            "(--index-url URL, PIP_INDEX_URL or UV_DEFAULT_INDEX)"
        )
    if words[0] == "uv":
        check_script(program_of(command), uv_folder(environ, options, cwd))
    warnings = [*_shown(chosen.warnings)]
    if tools_of(command)[1] in PIP:
        index, configured, ignored = _without_plain_http(index, configured)
        warnings += ignored
    rest, notes = _without_torch_backend(rest, words, environ)
    detours = Detours()
    if may_start_uv(command):
        detours = _detours(environ, options, cwd, words)
        if detours.left_out:
            rest, _ = without_option(rest, "--config-file")
            rest, _ = without_variables(rest, {"UV_CONFIG_FILE"})
    is_default = bool(standard) and _same(index, standard)
    indexes = _ordered(configured, index)
    addresses = _addresses(configured, indexes, environ)
    others = _shown([url for _, urls in detours.pinned for url in urls])
    return Settings(
        configured,
        indexes,
        tuple(rest),
        is_default,
        (*addresses, *others),
        detours,
        (*_shown(chosen.notes), *notes, *detours.notes),
        tuple(warnings),
    )


def _shown(texts: Sequence[str]) -> tuple[str, ...]:
    """Return texts without the credentials of addresses in them."""
    if not texts:
        return ()
    from nvidia_variant_provider.tools.releases.logins import redacted

    return tuple(map(redacted, texts))


def _detours(
    environ: Mapping[str, str], options: Mapping[str, list[str]], cwd: str, words: Sequence[str]
) -> Detours:
    """Return what would send uv past the view; raises ``InvalidValueError`` as uv would."""
    if words[0] in UV:
        return uv_detours(environ, options, cwd, words, FAMILY)
    try:
        return uv_detours(environ, {}, cwd, ("uv", "pip"), FAMILY)
    except InvalidValueError:
        # A file that uv may never read.
        return Detours()


def _without_torch_backend(
    command: Sequence[str], words: Sequence[str], environ: Mapping[str, str]
) -> tuple[list[str], tuple[str, ...]]:
    """Take out what makes uv choose among PyTorch's indexes itself, and say so.

    A folder that is named (``--torch-backend=cu126``) stays: what uv finds there is judged after
    the command.
    """
    rest, stated = list(command), ""
    if words[0] in UV:
        without, stated = without_option(command, "--torch-backend")
        rest = without if stated == _AUTO else rest
    if stated == _AUTO:
        return rest, ("--torch-backend=auto is left out: the view selects the build",)
    variable = environ.get("UV_TORCH_BACKEND", "")
    if variable and not stated and may_start_uv(command):
        return rest, (f"UV_TORCH_BACKEND={variable} is left out: the view selects the build",)
    return rest, ()


def _without_plain_http(
    index: str, configured: Configured
) -> tuple[str, Configured, tuple[str, ...]]:
    """Leave out what pip leaves out: plain http from hosts that it is not told to trust.

    Also returns warnings. Raises ``InvalidValueError`` where nothing is left. In a view, which is
    on this machine, such pages would count.
    """
    every = (index, *configured.extra, *configured.find_links)
    # This machine is known without what takes long to import; the parts below look closely.
    if not any(address.startswith("http://") and not _HERE.match(address) for address in every):
        return index, configured, ()
    from nvidia_variant_provider.tools.releases.logins import split_login
    from nvidia_variant_provider.tools.releases.network_settings import Tls, is_loopback

    tls = Tls(trusted=configured.trusted_hosts)
    ignored = {}
    for address in every:
        clean, _ = split_login(address)
        host = clean.removeprefix("http://").partition("/")[0]
        if clean.startswith("http://") and not is_loopback(host) and not tls.trusts(host):
            ignored[address] = (
                clean,
                (
                    "pip takes nothing over plain http from a host that it is not told to trust; "
                    f"use https, or add --trusted-host {host}"
                ),
            )
    if ignored and all(address in ignored for address in every if address):
        raise InvalidValueError(": ".join(next(iter(ignored.values()))))
    left = replace(
        configured,
        extra=tuple(address for address in configured.extra if address not in ignored),
        find_links=tuple(address for address in configured.find_links if address not in ignored),
    )
    return (
        "" if index in ignored else index,
        left,
        tuple(f"{clean} is left out: {why}" for clean, why in ignored.values()),
    )


def upstream_of(settings: Settings, environ: Mapping[str, str]) -> Upstream:
    """Return the indexes of a command as one; raises ``InvalidValueError`` as ``settings_for``."""
    pinned = dict(settings.detours.pinned)
    return _upstream(settings.configured, settings.indexes, environ, settings.command, pinned)


def families_for(
    settings: Settings, fetcher: Fetcher, addresses: Sequence[str], projects: Sequence[str]
) -> tuple[CudaFamily, ...]:
    """Return the per-CUDA indexes to ask: those that are named, or PyTorch's with the default.

    Who has an index of their own must not be sent to another one unasked, nor a command of uv that
    names one folder of such indexes: uv asks that first, and no other. The same holds for a project
    whose source names an index.
    """
    from nvidia_variant_provider.tools.views.upstream import CudaFamily

    elsewhere = () if addresses else dict(settings.detours.pinned)
    family = frozenset({*FAMILY, *projects}.difference(elsewhere))
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
    pinned: Mapping[str, Sequence[str]] | None = None,
) -> Upstream:
    from nvidia_variant_provider.tools.releases.configured_fetcher import fetcher_for
    from nvidia_variant_provider.tools.views.upstream import Upstream

    return Upstream(
        fetcher_for(configured, environ, command),
        indexes,
        configured.find_links,
        is_first_only=configured.is_first_only,
        passed_over=dict(configured.passed_over),
        pinned=pinned,
    )


def _same(index: str, standard: str) -> bool:
    return index.rstrip("/").lower() == standard.rstrip("/").lower()
