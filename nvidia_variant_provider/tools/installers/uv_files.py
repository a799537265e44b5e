"""Which of uv's files count for a command, put together as uv does it.

A file that is named (``--config-file``, UV_CONFIG_FILE) counts alone, even under UV_NO_CONFIG.
Else the project's, the person's and the system's count, in this order: lists are joined, of
anything else the first is taken. Source: uv's documentation of its configuration files, and tries
with the version of uv that ``table.py`` names.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.parsed import mapping, parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# Settings in which a path is one from the folder of its file.
_PATHS: Final = ("index-url", "extra-index-url", "find-links")
# What sends uv past the index that it is given.
_INDEXES: Final = ("index", *_PATHS, "no-index", "torch-backend")
_DETOURS: Final = frozenset({*_INDEXES, "index-strategy"})
_PROXIES: Final = ("http-proxy", "https-proxy")
LOOPBACK: Final = ("127.0.0.1", "localhost")
# pyproject.toml alone may have these, and uv reads them there whatever file is named.
_OF_PROJECTS: Final = frozenset({
    "workspace", "sources", "dev-dependencies", "default-groups", "dependency-groups", "managed",
    "package", "build-backend", "conflicts", "environments", "required-environments",
})  # fmt: skip


def is_true(text: str) -> bool:
    """Tell whether the value of a variable switches something on."""
    return text.lower() in TRUE


def uv_folder(environ: Mapping[str, str], options: Mapping[str, list[str]], cwd: str) -> str:
    """Return the folder that uv works in: with ``--directory`` another one than the command's."""
    named = (options.get("directory") or [environ.get("UV_WORKING_DIR", "")])[-1]
    return os.path.abspath(os.path.join(cwd, named))


def uv_settings(
    environ: Mapping[str, str],
    cwd: str,
    options: Mapping[str, list[str]] | None = None,
    *,
    is_tool: bool = False,
) -> dict[str, object]:
    """Return the settings of uv's files; for ``uv tool`` and ``uvx`` no project's count.

    Raises ``InvalidValueError`` for a file that cannot be read.
    """
    given = options or {}
    folder = uv_folder(environ, given, cwd)
    named = (given.get("config-file") or [environ.get("UV_CONFIG_FILE", "")])[-1]
    if named:
        return _file(os.path.join(folder, named)) or {}
    if "no-config" in given or is_true(environ.get("UV_NO_CONFIG", "")):
        return {}
    project = (given.get("project") or [environ.get("UV_PROJECT", "")])[-1]
    files = [] if is_tool else [_of_project(os.path.abspath(os.path.join(folder, project)))]
    return _joined([*files, _file(_own_path(environ)) or {}, _of_system(environ)])


def project_sources(folder: str) -> tuple[Mapping[str, object], dict[str, object]]:
    """Return ``[tool.uv.sources]`` of the project that a folder belongs to, and its settings.

    The sources of a workspace's root count for every member that does not name others.
    """
    for place in folders_upwards(folder):
        if os.path.isfile(path := os.path.join(place, "pyproject.toml")):
            own, root = _uv_table(path), _root(place)
            shared = _uv_table(os.path.join(root, "pyproject.toml"))
            sources = {**mapping(shared.get("sources")), **mapping(own.get("sources"))}
            settings = [_anchored(dict(own), place), _anchored(dict(shared), root)]
            return sources, _joined(settings)
    return {}, {}


def without_detours(settings: Mapping[str, object]) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the settings as a file of their own may have them, without those on indexes.

    Also returns the names of the latter, and of a proxy: uv asks it for this machine, too, unless
    its own setting ``no-proxy`` keeps it from that. Where there are none no file is needed.
    """
    pip = mapping(settings.get("pip"))
    names = [name for name in (*_INDEXES, *_PROXIES) if settings.get(name)]
    names += [f"pip.{name}" for name in _INDEXES if pip.get(name)]
    left_out = _DETOURS | _OF_PROJECTS
    rest = {name: value for name, value in settings.items() if name not in left_out}
    if pip:
        rest["pip"] = {name: value for name, value in pip.items() if name not in _DETOURS}
    if any(settings.get(name) for name in _PROXIES):
        rest["no-proxy"] = [*texts_of(settings.get("no-proxy")), *LOOPBACK]
    return rest, tuple(names)


def texts_of(value: object) -> list[str]:
    """Return the texts of an array, or a single one."""
    if isinstance(value, list):
        return [str(element) for element in value]
    return [] if value is None else [str(value)]


def _own_path(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return os.path.join(config, "uv", "uv.toml")


def _of_system(environ: Mapping[str, str]) -> dict[str, object]:
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    for folder in (*folders, "/etc"):
        if (settings := _file(os.path.join(folder, "uv", "uv.toml"))) is not None:
            return settings
    return {}


def _of_project(folder: str) -> dict[str, object]:
    """Return what the first file has from the root of the project upwards.

    Below that root uv.toml does not count. A folder outside of projects is a root of its own.
    """
    for place in folders_upwards(_root(folder)):
        settings = _file(os.path.join(place, "uv.toml"))
        path = os.path.join(place, "pyproject.toml")
        if settings is None and "uv" in mapping(_toml(path).get("tool")):
            settings = _anchored(dict(_uv_table(path)), place)
        if settings is not None:
            return settings
    return {}


def _root(folder: str) -> str:
    """Return the folder of the project, or of the workspace that the project is a member of."""
    places = [place for place in folders_upwards(folder)
              if os.path.isfile(os.path.join(place, "pyproject.toml"))]  # fmt: skip
    if not places or "project" not in _toml(os.path.join(places[0], "pyproject.toml")):
        return folder
    for place in places:
        workspace = mapping(_uv_table(os.path.join(place, "pyproject.toml")).get("workspace"))
        if workspace and (place == places[0] or _has_member(workspace, place, places[0])):
            return place
    return places[0]


def _has_member(workspace: Mapping[str, object], root: str, folder: str) -> bool:
    from fnmatch import fnmatchcase

    path = os.path.relpath(folder, root).replace(os.sep, "/")

    def fits(name: str) -> bool:
        return any(fnmatchcase(path, glob.rstrip("/")) for glob in texts_of(workspace.get(name)))

    return fits("members") and not fits("exclude")


def folders_upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those above it."""
    while True:
        yield folder
        if os.path.dirname(folder) == folder:
            return
        folder = os.path.dirname(folder)


def _joined(files: Sequence[Mapping[str, object]]) -> dict[str, object]:
    joined: dict[str, object] = {}
    for file in files:
        for name, value in file.items():
            before = joined.get(name)
            if before is None:
                joined[name] = value
            elif isinstance(before, list) and isinstance(value, list):
                joined[name] = [*before, *value]
            elif isinstance(before, dict) and isinstance(value, dict):
                joined[name] = _joined([before, value])
    return joined


def _anchored(settings: dict[str, object], folder: str) -> dict[str, object]:
    """Return settings in which paths of indexes and of links are whole ones."""

    def whole(text: object) -> str:
        return str(text) if _ADDRESS.match(str(text)) else os.path.join(folder, str(text))

    for name in _PATHS:
        value = settings.get(name)
        if isinstance(value, list):
            settings[name] = [whole(text) for text in value]
        elif isinstance(value, str):
            settings[name] = whole(value)
    tables = settings.get("index")
    if isinstance(tables, list):
        settings["index"] = [
            {**mapping(table), "url": whole(mapping(table).get("url", ""))} for table in tables
        ]
    pip = settings.get("pip")
    return {**settings, "pip": _anchored(pip, folder)} if isinstance(pip, dict) else settings


def _file(path: str) -> dict[str, object] | None:
    """Return the settings of a uv.toml; ``None`` where there is no such file."""
    if not os.path.isfile(path):
        return None
    return _anchored(_toml(path), os.path.dirname(path))


def _uv_table(path: str) -> Mapping[str, object]:
    return mapping(mapping(_toml(path).get("tool")).get("uv"))


def _toml(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            return parse_toml(file.read())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{path}: cannot be read: {error}") from None
