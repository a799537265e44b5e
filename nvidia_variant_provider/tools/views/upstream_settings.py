"""Which indexes a command would have asked: the upstream of its view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.configured import (
    Configured,
    read_pip,
    read_uv,
    without_index_options,
)
from nvidia_variant_provider.tools.installers.interpreter import default_index
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UV: Final = frozenset({"uv", "uvx"})
_READS_OPTIONS: Final = frozenset({"pip", *_UV})


@dataclass(frozen=True, slots=True)
class Settings:
    """The upstream of a command, and the command without what names indexes.

    ``is_default`` says that the installer's own default index is the upstream.
    """

    upstream: Upstream
    command: tuple[str, ...]
    is_default: bool


def settings_for(command: Sequence[str], environ: Mapping[str, str], cwd: str) -> Settings:
    """Read what is configured for the installer of a command.

    Raises ``InvalidValueError`` where no index is known.
    """
    tool = words_of(command)[0]
    options: dict[str, list[str]] = {}
    rest = list(command[1:])
    if tool in _READS_OPTIONS:
        rest, options = without_index_options(rest)
    configured = read_uv(environ, options, cwd) if tool in _UV else read_pip(environ, options)
    standard = "" if configured.no_index else default_index(environ)
    index = configured.index_url or _of_tool(tool, environ) or standard
    if not index and not configured.no_index and not configured.extra:
        raise InvalidValueError(
            "no index is configured, and neither pip nor uv is here to say which is the default; "
            "expected one, such as PIP_INDEX_URL=https://…/simple/"
        )
    is_default = bool(standard) and _same(index, standard)
    return Settings(_upstream(configured, index, environ), (command[0], *rest), is_default)


def families_for(
    settings: Settings, addresses: Sequence[str], projects: Sequence[str]
) -> tuple[CudaFamily, ...]:
    """Return the per-CUDA indexes to ask: those that are named, or PyTorch's with the default.

    Who has an index of their own must not be sent to another one unasked.
    """
    family = frozenset({*FAMILY, *projects})
    named = addresses or ([TORCH_INDEX] if settings.is_default else [])
    return tuple(CudaFamily(settings.upstream.fetcher, address, family) for address in named)


def _upstream(configured: Configured, index: str, environ: Mapping[str, str]) -> Upstream:
    fetcher = Fetcher(environ, configured.cert, configured.proxy)
    main = [index] if index else []
    # uv asks its other indexes before the default, pip puts all together.
    indexes = [*configured.extra, *main] if configured.is_first_only else [*main, *configured.extra]
    return Upstream(
        fetcher,
        [] if configured.no_index else indexes,
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
