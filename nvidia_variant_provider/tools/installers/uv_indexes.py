"""The indexes that a person has configured for uv, and what keeps uv from asking them itself.

Sources: uv's documentation of indexes, and tries with the version that ``table.py`` names.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.tools.installers.configured import Configured, keyring_of
from nvidia_variant_provider.tools.installers.uv_credentials import store_path
from nvidia_variant_provider.tools.installers.uv_files import (
    is_true,
    project_sources,
    texts_of,
    uv_folder,
    uv_settings,
    without_detours,
)
from nvidia_variant_provider.tools.parsed import mapping
from nvidia_variant_provider.value_types import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_NAMED: Final = re.compile(r"([A-Za-z0-9._-]+)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Index:
    """One index: its name ("" without one), and the codes after which uv asks the next one."""

    url: str
    name: str = ""
    is_default: bool = False
    is_explicit: bool = False
    passed_over: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Detours:
    """What uv's files name that would send it past the index it is given, and how it is kept off.

    ``rest`` are the other settings, for a file to be named in UV_CONFIG_FILE; ``left_out`` are the
    names of those that it lacks. ``variables`` are set beside it. ``pinned`` are projects whose
    source names an index of its own: the view asks this one alone for them.
    """

    rest: Mapping[str, object] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    pinned: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person is told of them."""
        proxies = [name for name in self.left_out if name.endswith("-proxy")]
        indexes = [name for name in self.left_out if name not in proxies]
        pinned = self.variables.get("UV_NO_SOURCES_PACKAGE", "")
        told = {
            f"uv's files set {', '.join(indexes)}: uv runs without, as the view asks the indexes "
            "and selects the build; uv keeps its other settings by UV_CONFIG_FILE": indexes,
            f"uv's files set {', '.join(proxies)}: uv asks the view, which is on this machine, "
            "without it (no-proxy in UV_CONFIG_FILE)": proxies,
            "[tool.uv.sources] names an index, which the view asks in its place: uv runs with "
            f"UV_NO_SOURCES_PACKAGE={pinned!r}": pinned,
        }
        return tuple(text for text, is_so in told.items() if is_so)


def read_uv(
    environ: Mapping[str, str],
    options: Mapping[str, list[str]],
    cwd: str,
    command: Sequence[str] = ("uv", "pip"),
) -> Configured:
    """Read uv's settings: the command line, the environment, its files.

    ``command`` is that of uv, as ``words_of`` returns it: the section ``[pip]`` counts for
    ``uv pip`` alone, and of a project nothing for ``uv tool``.
    """
    files = uv_settings(environ, cwd, options, is_tool=_is_tool(command))
    pip = mapping(files.get("pip")) if "pip" in command[1:2] else {}
    folder = uv_folder(environ, options, cwd)
    default, others, explicit = _indexes(environ, options, files, pip, folder)
    named = [*others, *([default] if default else []), *explicit]
    strategy = (
        _last(options, "index-strategy")
        or environ.get("UV_INDEX_STRATEGY")
        or str(pip.get("index-strategy") or files.get("index-strategy", ""))
    )
    keyring = (
        _last(options, "keyring-provider")
        or environ.get("UV_KEYRING_PROVIDER")
        or pip.get("keyring-provider")
        or files.get("keyring-provider")
    )
    links = options.get("find-links") or environ.get("UV_FIND_LINKS", "").replace(",", " ").split()
    return Configured(
        store=store_path(environ),
        index_url=_with_login(default, environ) if default else "",
        extra=tuple(_with_login(index, environ) for index in others),
        find_links=(
            *(_in(folder, link) for link in links),
            *texts_of(pip.get("find-links")),
            *texts_of(files.get("find-links")),
        ),
        no_index="no-index" in options or is_true(environ.get("UV_NO_INDEX", ""))
        or True in (pip.get("no-index"), files.get("no-index")),
        cert=environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR", ""),
        client_cert=environ.get("SSL_CLIENT_CERT", ""),
        trusted_hosts=(
            *environ.get("UV_INSECURE_HOST", "").split(),
            *texts_of(files.get("allow-insecure-host")),
            *options.get("allow-insecure-host", ()),
            *options.get("trusted-host", ()),
        ),
        is_first_only=not strategy.startswith("unsafe"),
        keyring=keyring_of(str(keyring)),
        explicit=tuple(_with_login(index, environ) for index in explicit),
        passed_over=tuple((_with_login(index, environ), index.passed_over)
                          for index in named if index.passed_over),
        proxies=_proxies(files),
    )  # fmt: skip


def uv_detours(
    environ: Mapping[str, str],
    options: Mapping[str, list[str]],
    cwd: str,
    command: Sequence[str],
    projects: Collection[str],
) -> Detours:
    """Return what uv's files name that would send it past the index it is given.

    Indexes of uv.toml and pyproject.toml come before the default one; sources of a project that
    name an index beat all, and count whatever file is named. Where there are none nothing is
    switched off.
    """
    settings = uv_settings(environ, cwd, options, is_tool=_is_tool(command))
    rest, left_out = without_detours(settings)
    folder = os.path.join(
        uv_folder(environ, options, cwd), _last(options, "project") or environ.get("UV_PROJECT", "")
    )
    places = [folder, *(word for word in map(_project_in, command[1:]) if word)]
    known = list(_tables(settings))
    named: dict[str, list[str]] = {}
    for place in places:
        sources, own = project_sources(os.path.abspath(os.path.join(folder, place)))
        known += _tables(own)
        for project in projects:
            names = [str(mapping(entry).get("index", "")) for entry in _entries(sources, project)]
            named.setdefault(project, []).extend(filter(None, names))
    pinned = {project: names for project, names in named.items() if names}
    before = environ.get("UV_NO_SOURCES_PACKAGE", "").split()
    every = " ".join([*before, *sorted(pinned)])
    return Detours(
        rest,
        left_out,
        {"UV_NO_SOURCES_PACKAGE": every} if pinned else {},
        tuple(
            (project, urls)
            for project, names in sorted(pinned.items())
            if (urls := tuple(_private(names, known, environ)))
        ),
    )


def _entries(sources: Mapping[str, object], project: str) -> list[object]:
    """Return the sources of a project: a table, or several with a marker each."""
    entry = sources.get(project)
    return entry if isinstance(entry, list) else [entry]


def _private(
    names: Sequence[str], known: Sequence[_Index], environ: Mapping[str, str]
) -> Iterator[str]:
    """Yield the addresses of named indexes but PyTorch's own, among which a view chooses."""
    for name in dict.fromkeys(names):
        index = next((index for index in known if index.name == name), None)
        if index is not None and not index.url.startswith(TORCH_INDEX):
            yield _with_login(index, environ)


def uv_has_variants_on(environ: Mapping[str, str], words: Sequence[str], cwd: str) -> bool:
    """Tell whether a person has switched uv's preview of variants on."""
    from nvidia_variant_provider.tools.installers.index_options import shared_options

    texts = [environ.get("UV_PREVIEW_FEATURES", "")]
    for index, word in enumerate(words):
        if word.startswith("--preview-feature"):
            following = words[index + 1] if index + 1 < len(words) else ""
            texts.append(word.partition("=")[2] or following)
    settings = uv_settings(environ, cwd, shared_options(words))
    texts.extend(texts_of(settings.get("preview-features")))
    is_all = is_true(environ.get("UV_PREVIEW", "")) or "--preview" in words
    return (
        is_all or settings.get("preview") is True or any("wheel-variants" in text for text in texts)
    )


def _is_tool(command: Sequence[str]) -> bool:
    return command[0] == "uvx" or "tool" in command[1:2]


def _project_in(word: str) -> str:
    """Return the folder of a project that a word names, such as ``./app[gpu]``; "" for others."""
    path = word.removesuffix("pyproject.toml").partition("[")[0] or "."
    is_path = word.startswith((".", "/")) or word.endswith("pyproject.toml")
    return path if is_path and "://" not in word else ""


def _indexes(
    environ: Mapping[str, str],
    options: Mapping[str, list[str]],
    files: Mapping[str, object],
    pip: Mapping[str, object],
    folder: str,
) -> tuple[_Index | None, list[_Index], list[_Index]]:
    """Return the default index, the others in uv's order, and those that projects must name.

    An option takes the place of its variable, and of two indexes of one name the first counts.
    """
    tables = list(_tables(files))
    stated = options.get("index") or environ.get("UV_INDEX", "").split()
    extra = options.get("extra-index-url") or environ.get("UV_EXTRA_INDEX_URL", "").split()
    listed = [*(_parsed(text, folder) for text in stated), *tables,
              *(_parsed(text, folder) for text in extra),
              *(_parsed(text, "") for text in texts_of(pip.get("extra-index-url"))),
              *(_parsed(text, "") for text in texts_of(files.get("extra-index-url")))]  # fmt: skip
    listed = list(_each_name_once(listed))
    default = _last(options, "default-index") or environ.get("UV_DEFAULT_INDEX", "")
    older = _last(options, "index-url") or environ.get("UV_INDEX_URL", "")
    in_files = str(pip.get("index-url") or files.get("index-url") or "")
    marked = next((index for index in listed if index.is_default), None)
    chosen = _parsed(default or older, folder) if default or older else marked
    chosen = chosen or (_parsed(in_files, "") if in_files else None)
    others = [index for index in listed if not index.is_default and not index.is_explicit]
    return chosen, others, [index for index in listed if index.is_explicit]


def _tables(files: Mapping[str, object]) -> Iterator[_Index]:
    tables = files.get("index")
    for entry in tables if isinstance(tables, list) else ():
        table = mapping(entry)
        codes = table.get("ignore-error-codes")
        yield _Index(
            str(table.get("url", "")),
            str(table.get("name", "")),
            table.get("default") is True,
            table.get("explicit") is True,
            tuple(code for code in codes if isinstance(code, int))
            if isinstance(codes, list)
            else (),
        )


def _proxies(files: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the proxies of uv's files: with them no variable counts, NO_PROXY neither."""
    named = {name: str(files.get(f"{name}-proxy") or "") for name in ("http", "https")}
    if not any(named.values()):
        return ()
    direct = ",".join(texts_of(files.get("no-proxy")))
    return (*((f"{name}_proxy", proxy) for name, proxy in named.items()), ("no_proxy", direct))


def _parsed(text: str, folder: str) -> _Index:
    """Return an index of a variable or an option: ``URL`` or ``NAME=URL``."""
    match = _NAMED.fullmatch(text)
    name, url = (match[1], match[2]) if match else ("", text)
    return _Index(_in(folder, url), name)


def _each_name_once(indexes: Iterable[_Index]) -> Iterator[_Index]:
    seen = set()
    for index in indexes:
        if index.name not in seen:
            yield index
        if index.name:
            seen.add(index.name)


def _with_login(index: _Index, environ: Mapping[str, str]) -> str:
    """Return the address of an index with the credentials that its name has in the environment.

    They take the place of those in the address: UV_INDEX_CORP_A_PASSWORD is for ``corp-a``.
    """
    prefix = f"UV_INDEX_{re.sub('[^A-Z0-9]', '_', index.name.upper())}"
    user = environ.get(f"{prefix}_USERNAME", "")
    password = environ.get(f"{prefix}_PASSWORD", "")
    if not index.name or not (user or password):
        return index.url
    from urllib.parse import quote

    scheme, mark, rest = index.url.partition("://")
    if not mark:
        return index.url
    host, slash, path = rest.partition("/")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"{scheme}://{login}@{host.rpartition('@')[2]}{slash}{path}"


def _in(folder: str, text: str) -> str:
    """Return an address, or a path as a whole one."""
    return text if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) else os.path.join(folder, text)


def _last(options: Mapping[str, list[str]], name: str) -> str:
    return (options.get(name) or [""])[-1]
