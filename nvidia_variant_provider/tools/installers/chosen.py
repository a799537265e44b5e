"""Which installer's settings are the upstream of a command's view.

pip's and uv's settings are two worlds. A command that is neither may start either: then those count
that name an index, and where both do, pip's, which is said.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.interpreter import default_index
from nvidia_variant_provider.tools.installers.pip_settings import pip_settings, read_pip
from nvidia_variant_provider.tools.installers.project_tools import (
    PROJECT_TOOLS,
    index_of_tool,
    past_the_view,
)
from nvidia_variant_provider.tools.installers.uv_files import (
    is_true,
    texts_of,
    uv_folder,
    uv_settings,
)
from nvidia_variant_provider.tools.installers.uv_indexes import read_uv
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.installers.configured import Configured

UV: Final = frozenset({"uv", "uvx"})
PIP: Final = frozenset({"pip", "pip-compile"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings of one installer, and what a person is told of the choice.

    Addresses in ``notes`` and ``warnings`` still have their credentials.
    """

    configured: Configured
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def may_start_uv(words: Sequence[str]) -> bool:
    """Tell whether a command, as ``words_of`` returns it, is uv or may start it."""
    return words[0] not in PIP | PROJECT_TOOLS


def choose(
    command: Sequence[str], environ: Mapping[str, str], options: Mapping[str, list[str]], cwd: str
) -> Chosen:
    """Return the settings that count for a command, and for what it starts.

    Raises ``InvalidValueError`` for a file of the installer that cannot be read.
    """
    words = words_of(command)
    if words[0] in UV:
        return Chosen(read_uv(environ, options, cwd, words))
    pip = read_pip(environ, options, command)
    if words[0] in PROJECT_TOOLS:
        return _of_project_tool(words[0], pip, environ, options, cwd)
    if words[0] in PIP:
        return Chosen(pip)
    try:
        uv = read_uv(environ, options, cwd)
    except InvalidValueError:
        # A file that uv may never read.
        return Chosen(pip)
    if words[0] == "pipx":
        return Chosen(uv if _pipx_takes_uv(words, environ) else pip)
    return _either(pip, uv)


def _either(pip: Configured, uv: Configured) -> Chosen:
    if not _names_something(uv):
        return Chosen(pip)
    if not _names_something(pip):
        return Chosen(uv)
    if _asked(pip) == _asked(uv):
        return Chosen(pip)
    named = {"pip": ", ".join(sorted(_asked(pip))), "uv": ", ".join(sorted(_asked(uv)))}
    return Chosen(
        pip,
        (
            (
                f"pip and uv are configured with different indexes. The view asks pip's "
                f"({named['pip'] or 'none'}) for both, not uv's ({named['uv'] or 'none'}); with "
                "uv itself as the command, uv's are asked"
            ),
        ),
    )


def _names_something(configured: Configured) -> bool:
    return bool(_asked(configured)) or configured.no_index


def _asked(configured: Configured) -> frozenset[str]:
    named = () if configured.no_index else (configured.index_url, *configured.extra)
    every = filter(None, (*named, *configured.find_links))
    return frozenset(address.rstrip("/") for address in every)


def _pipx_takes_uv(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether pipx starts uv: it does if it finds one, unless it is told otherwise."""
    import shutil

    stated = environ.get("PIPX_DEFAULT_BACKEND", "")
    for at, word in enumerate(words):
        if word.startswith("--backend"):
            stated = word.partition("=")[2] or "".join(words[at + 1 : at + 2])
    return stated == "uv" if stated else bool(shutil.which("uv", path=environ.get("PATH")))


def _of_project_tool(
    tool: str,
    pip: Configured,
    environ: Mapping[str, str],
    options: Mapping[str, list[str]],
    cwd: str,
) -> Chosen:
    """Return the index of PDM, Pipenv or Poetry, asked with pip's certificates and proxy."""
    index = index_of_tool(tool, environ, cwd, default_index(environ))
    trusted = (*pip.trusted_hosts, index.trusted) if index.trusted else pip.trusted_hosts
    configured = replace(
        pip,
        index_url=(options.get("index-url") or [index.url])[-1],
        extra=(),
        find_links=(),
        no_index=False,
        trusted_hosts=trusted,
    )
    told = past_the_view(tool, index)
    return Chosen(configured, warnings=(told,) if told else ())


def read_both(environ: Mapping[str, str], cwd: str) -> tuple[Configured, ...]:
    """Read the settings of pip and of uv; only those that name what may be asked."""
    is_offline = is_true(environ.get("UV_OFFLINE", ""))
    settings = [read_pip(environ, {}), *(() if is_offline else (read_uv(environ, {}, cwd),))]
    return tuple(configured for configured in settings if configured.named or configured.find_links)


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """What settings add to every command: files of requirements and of constraints, and texts."""

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[tuple[str, bool], ...]:
        """The files, and whether each one constrains only."""
        return (
            *((path, False) for path in self.requirements),
            *((path, True) for path in self.constraints),
        )


def named_files(
    command: Sequence[str],
    environ: Mapping[str, str],
    cwd: str,
    options: Mapping[str, list[str]] | None = None,
) -> NamedFiles:
    """Return the requirements and constraints that pip and uv are configured to add to a command.

    Where a command may start either, those of both.
    """
    words = words_of(command)
    of_pip, of_uv = NamedFiles(), NamedFiles()
    if words[0] not in UV | PROJECT_TOOLS:
        settings = pip_settings(environ, command)
        of_pip = NamedFiles(
            tuple(settings.get("requirement", "").split()),
            tuple(settings.get("constraint", "").split()),
        )
    if may_start_uv(words):
        files = uv_settings(environ, cwd, options)
        folder = uv_folder(environ, options or {}, cwd)
        of_uv = NamedFiles(
            constraints=tuple(
                os.path.join(folder, path)
                for name in ("UV_CONSTRAINT", "UV_OVERRIDE")
                for path in environ.get(name, "").split()
            ),
            texts=(
                *texts_of(files.get("constraint-dependencies")),
                *texts_of(files.get("override-dependencies")),
            ),
        )
    return NamedFiles(of_pip.requirements, (*of_pip.constraints, *of_uv.constraints), of_uv.texts)
