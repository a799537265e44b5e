"""Which installer's settings are the upstream of a command's view.

pip's and uv's settings are two worlds. A command that is neither may start either: then those count
that name an index, and where both do, pip's, which is said.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.command_line import layers
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


def tools_of(command: Sequence[str]) -> tuple[str, str]:
    """Return the tool of a command, and the installer that it starts: itself, if it starts none."""
    tools = [line.tool for line in layers(command)] or [""]
    return tools[0], tools[-1] if tools[-1] in UV | PIP | PROJECT_TOOLS else tools[0]


def may_start_uv(command: Sequence[str]) -> bool:
    """Tell whether a command is uv or may start it."""
    return any(tool not in PIP | PROJECT_TOOLS for tool in tools_of(command))


def choose(
    command: Sequence[str], environ: Mapping[str, str], options: Mapping[str, list[str]], cwd: str
) -> Chosen:
    """Return the settings that count for a command, and for what it starts.

    Raises ``InvalidValueError`` for a file of the installer that cannot be read.
    """
    outer, inner = tools_of(command)
    if outer in UV and inner not in UV:
        # uv may need packages of its own for it.
        uv = read_uv(environ, options, cwd, words_of(command))
        started = _of_tool(inner, command, environ, options, cwd)
        return _either(started, uv, inner)
    return _of_tool(inner, command, environ, options, cwd)


def _of_tool(
    tool: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    options: Mapping[str, list[str]],
    cwd: str,
) -> Chosen:
    if tool in UV:
        words = next(line.words for line in layers(command) if line.tool == tool)
        return Chosen(read_uv(environ, options, cwd, words))
    pip = read_pip(environ, options, command)
    if tool in PROJECT_TOOLS:
        return _of_project_tool(tool, pip, environ, options, cwd)
    if tool in PIP:
        return Chosen(pip)
    try:
        uv = read_uv(environ, options, cwd)
    except InvalidValueError:
        # A file that uv may never read.
        return Chosen(pip)
    if tool == "pipx":
        return Chosen(uv if _pipx_takes_uv(words_of(command), environ) else pip)
    return _either(Chosen(pip), uv, "pip")


def _either(other: Chosen, uv: Configured, name: str) -> Chosen:
    """Return the settings of uv or of another installer: those that name an index."""
    theirs = other.configured
    if not _names_something(uv):
        return other
    if not _names_something(theirs):
        return replace(other, configured=uv)
    if _asked(theirs) == _asked(uv):
        return other
    note = (
        f"{name} and uv are configured with different indexes. The view asks {name}'s "
        f"({', '.join(sorted(_asked(theirs))) or 'none'}) for both, not uv's "
        f"({', '.join(sorted(_asked(uv))) or 'none'}); with uv itself as the command, uv's are "
        "asked"
    )
    return replace(other, notes=(*other.notes, note))


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
    of_pip, of_uv = NamedFiles(), NamedFiles()
    if any(tool not in UV | PROJECT_TOOLS for tool in tools_of(command)):
        settings = pip_settings(environ, command)
        of_pip = NamedFiles(
            tuple(settings.get("requirement", "").split()),
            tuple(settings.get("constraint", "").split()),
        )
    if may_start_uv(command):
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
