"""The indexes of PDM, Pipenv and Poetry: each has settings of its own, and none reads pip's index.

``PIP_INDEX_URL`` and pip.conf count for none of them; a project that names sources has these asked
by the tool itself. Sources: their documentation, and tries with the versions of ``table.py``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.uv_files import folders_upwards
from nvidia_variant_provider.tools.parsed import mapping, parse_toml
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_VARIABLES: Final = {
    "pdm": "PDM_PYPI_URL",
    "pipenv": "PIPENV_PYPI_MIRROR",
    "poetry": "POETRY_PYPI_MIRROR_URL",
}
PROJECT_TOOLS: Final = frozenset(_VARIABLES)
_NAMES: Final = {"pdm": "PDM", "pipenv": "Pipenv", "poetry": "Poetry"}
_FALSE: Final = frozenset({"0", "false", "no", "off", "f", "n"})


@dataclass(frozen=True, slots=True)
class ToolIndex:
    """The index that a tool uses in place of its default, "" for none, and what it asks besides.

    ``trusted`` is a host whose certificate is not looked at. ``own`` are the sources that it asks
    itself, past a view: their names and addresses, and ``where`` they stand.
    """

    url: str = ""
    trusted: str = ""
    own: tuple[tuple[str, str], ...] = ()
    where: str = ""


def index_of_tool(tool: str, environ: Mapping[str, str], cwd: str, default: str) -> ToolIndex:
    """Read what a tool is configured to ask; ``default`` is the index that needs no configuring."""
    variable = environ.get(_VARIABLES[tool], "")
    if tool == "pdm":
        return _of_pdm(variable, environ, cwd)
    path = _find_up("Pipfile" if tool == "pipenv" else "pyproject.toml", cwd)
    content = _toml(path)
    if tool == "pipenv":
        from urllib.parse import urlsplit

        sources = _sources(content.get("source"))
        host = urlsplit(default).netloc
        own = tuple(source for source in sources if urlsplit(source[1]).netloc != host)
        return ToolIndex(variable, own=own, where=path)
    own = _sources(mapping(mapping(content.get("tool")).get("poetry")).get("source"))
    mirror = variable or _mirror_of_poetry(environ, path)
    return ToolIndex(_with_login(mirror, *_login_of_poetry(environ)), own=own, where=path)


def past_the_view(tool: str, index: ToolIndex) -> str:
    """Say which sources a tool asks itself, whatever a view shows; "" if none.

    Addresses still have their credentials.
    """
    if not index.own:
        return ""
    listed = ", ".join(f"{name} ({url})" for name, url in index.own)
    return (
        f"{index.where} names {listed}: {_NAMES[tool]} asks there itself, past the view, so a build"
        " from there is not judged"
    )


def _of_pdm(variable: str, environ: Mapping[str, str], cwd: str) -> ToolIndex:
    """Read PDM's files: of the project, the person, the system; the first that says it counts."""
    from urllib.parse import urlsplit

    path = _find_up("pyproject.toml", cwd)
    tables = [_flat(_toml(name).get("pypi")) for name in _files_of_pdm(environ, path, cwd)]
    own = _sources(mapping(mapping(_toml(path).get("tool")).get("pdm")).get("source"))
    names = dict.fromkeys(key.partition(".")[0] for table in tables for key in table if "." in key)
    stored = [(name, _first(tables, f"{name}.url")) for name in names]
    url = variable or _first(tables, "url")
    user = environ.get("PDM_PYPI_USERNAME") or _first(tables, "username")
    password = environ.get("PDM_PYPI_PASSWORD") or _first(tables, "password")
    verifies = environ.get("PDM_PYPI_VERIFY_SSL") or _first(tables, "verify_ssl")
    trusted = urlsplit(url).netloc.rpartition("@")[2] if verifies.lower() in _FALSE else ""
    where = path if own else "PDM's configuration"
    url = _with_login(url, user, password)
    return ToolIndex(url, trusted, (*own, *((name, at) for name, at in stored if at)), where)


def _files_of_pdm(environ: Mapping[str, str], project: str, cwd: str) -> Iterator[str]:
    root = os.path.dirname(project) or cwd
    yield os.path.join(root, "pdm.toml")
    yield os.path.join(root, ".pdm.toml")
    yield environ.get("PDM_CONFIG_FILE") or os.path.join(_config(environ), "pdm", "config.toml")
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield os.path.join(folder, "pdm", "config.toml")


def _mirror_of_poetry(environ: Mapping[str, str], project: str) -> str:
    """Return the mirror of Poetry's plugin: of the project's poetry.toml, or the person's file."""
    for settings in _settings_of_poetry(environ, project):
        mirror = mapping(mapping(settings.get("plugins")).get("pypi_mirror"))
        if mirror.get("url"):
            return str(mirror["url"])
    return ""


def _settings_of_poetry(environ: Mapping[str, str], project: str) -> list[Mapping[str, object]]:
    """Return Poetry's settings: the project's, then the person's."""
    folder = environ.get("POETRY_CONFIG_DIR") or os.path.join(_config(environ), "pypoetry")
    own = os.path.join(os.path.dirname(project), "poetry.toml")
    return [_toml(own), _toml(os.path.join(folder, "config.toml"))]


def virtualenvs_of_poetry(environ: Mapping[str, str], cwd: str) -> str:
    """Return the folder of Poetry's virtual environments, which lie in its cache by default.

    With another cache Poetry would make, and leave behind, environments that it does not find
    again without it. Placeholders other than ``{cache-dir}`` are left to Poetry.
    """
    stated = _settings_of_poetry(environ, _find_up("pyproject.toml", cwd))
    paths = (str(mapping(settings.get("virtualenvs")).get("path") or "") for settings in stated)
    caches = (str(settings.get("cache-dir") or "") for settings in stated)
    path = environ.get("POETRY_VIRTUALENVS_PATH") or next(filter(None, paths), "")
    cache = environ.get("POETRY_CACHE_DIR") or next(filter(None, caches), "")
    path = path or os.path.join("{cache-dir}", "virtualenvs")
    return path.replace("{cache-dir}", cache or _cache_of_poetry(environ))


def _cache_of_poetry(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
        return os.path.join(base, "pypoetry", "Cache")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "pypoetry")
    return os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "pypoetry")


def _login_of_poetry(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return user name and password that Poetry has for the index that its plugin replaces."""
    folder = environ.get("POETRY_CONFIG_DIR") or os.path.join(_config(environ), "pypoetry")
    logins = mapping(_toml(os.path.join(folder, "auth.toml")).get("http-basic"))
    stated = next((mapping(logins[name]) for name in logins if name.lower() == "pypi"), {})
    prefix = "POETRY_HTTP_BASIC_PYPI"
    return (
        environ.get(f"{prefix}_USERNAME") or str(stated.get("username") or ""),
        environ.get(f"{prefix}_PASSWORD") or str(stated.get("password") or ""),
    )


def _with_login(url: str, user: str, password: str) -> str:
    """Return an address with credentials, if it has none of its own."""
    from urllib.parse import quote, urlsplit

    parts = urlsplit(url)
    if not url or not (user or password) or "@" in parts.netloc:
        return url
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    return parts._replace(netloc=f"{login}{parts.netloc}").geturl()


def _sources(tables: object) -> tuple[tuple[str, str], ...]:
    listed = [mapping(table) for table in tables] if isinstance(tables, list) else []
    return tuple((str(table.get("name", "")), str(table["url"]))
                 for table in listed if table.get("url"))  # fmt: skip


def _flat(table: object) -> dict[str, str]:
    """Return settings by dotted names, as PDM counts them: ``extra.url``."""
    flat = {}
    for name, value in mapping(table).items():
        if isinstance(value, dict):
            flat.update({f"{name}.{key}": text for key, text in _flat(value).items()})
        else:
            flat[name] = str(value)
    return flat


def _first(tables: Iterable[Mapping[str, str]], name: str) -> str:
    return next((table[name] for table in tables if table.get(name)), "")


def _config(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    return environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")


def _find_up(name: str, folder: str) -> str:
    places = (os.path.join(place, name) for place in folders_upwards(os.path.abspath(folder)))
    return next(filter(os.path.isfile, places), "")


def _toml(path: str) -> Mapping[str, object]:
    """Return the tables of a file; none of one that the tool itself will complain of."""
    try:
        with open(path, "rb") as file:
            return parse_toml(file.read())
    except (OSError, ValueError):
        return {}
