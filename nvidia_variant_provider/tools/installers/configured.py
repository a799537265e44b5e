"""What a person has configured for pip and uv: the upstream of a view.

Sources: the documentation of both, and tests with the real ones. Of the command line only the
options that name indexes are read; ``without_index_options`` takes them out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.uv_credentials import store_path
from nvidia_variant_provider.tools.parsed import mapping, parse_toml
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})
VALUED: Final = {
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--default-index": "index-url",
    "--extra-index-url": "extra-index-url",
    "--index": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
}
BOOLEAN: Final = {"--no-index": "no-index"}
_LISTS: Final = frozenset({"extra-index-url", "find-links"})
_PIP_SETTINGS: Final = (
    "index-url", "extra-index-url", "find-links", "no-index", "cert", "proxy", "keyring-provider",
    "no-input", "client-cert", "trusted-host", "requirement", "constraint",
)  # fmt: skip
# Of the view as much as of the command, which keeps them.
_SHARED: Final = frozenset({
    "--cert", "--proxy", "--keyring-provider", "--client-cert", "--trusted-host",
    "--allow-insecure-host",
})  # fmt: skip
_SHARED_FLAGS: Final = frozenset({"--no-input"})


@dataclass(frozen=True, slots=True)
class Configured:
    """The indexes of an installer. ``index_url`` is "" where it uses its default.

    ``extra`` and ``find_links`` are in the order that counts. ``keyring`` is how credentials of a
    keyring are found: "auto", "import", "subprocess", or "" where none is asked.
    ``client_cert`` is a file with the installer's own certificate; certificates of
    ``trusted_hosts`` are not looked at. ``is_first_only`` says that the first index with a project
    decides. ``explicit`` are uv's indexes for the projects that name them alone, and ``store`` is
    the file in which uv keeps credentials.
    """

    index_url: str = ""
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    cert: str = ""
    client_cert: str = ""
    trusted_hosts: tuple[str, ...] = ()
    proxy: str = ""
    is_first_only: bool = False
    keyring: str = ""
    explicit: tuple[str, ...] = ()
    store: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """Every index that is named, each once; the default of the installer is none of them."""
        indexes = (self.index_url, *self.extra, *self.explicit)
        return () if self.no_index else tuple(dict.fromkeys(filter(None, indexes)))


def read_both(environ: Mapping[str, str], cwd: str) -> tuple[Configured, ...]:
    """Read the settings of pip and of uv; only those that name what may be asked."""
    is_offline = environ.get("UV_OFFLINE", "").lower() in _TRUE
    settings = [read_pip(environ, {}), *(() if is_offline else (read_uv(environ, {}, cwd),))]
    return tuple(configured for configured in settings if configured.named or configured.find_links)


def read_pip(environ: Mapping[str, str], options: Mapping[str, list[str]]) -> Configured:
    """Read pip's settings: the command line, the environment, its files."""
    settings = _pip_settings(environ)
    return Configured(
        index_url=(options.get("index-url") or [settings.get("index-url", "")])[-1],
        extra=(*_words(settings.get("extra-index-url", "")), *options.get("extra-index-url", ())),
        find_links=(*_words(settings.get("find-links", "")), *options.get("find-links", ())),
        no_index="no-index" in options or settings.get("no-index", "").lower() in _TRUE,
        cert=_cert_of_pip(settings, options, environ),
        client_cert=(options.get("client-cert") or [settings.get("client-cert", "")])[-1],
        trusted_hosts=(
            *_words(settings.get("trusted-host", "")),
            *options.get("trusted-host", ()),
        ),
        proxy=(options.get("proxy") or [settings.get("proxy", "")])[-1],
        keyring=_keyring_of_pip(settings, options),
    )


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for path in _pip_files(environ):
        settings.update(_pip_file(path))
    for name in _PIP_SETTINGS:
        value = environ.get("PIP_" + name.upper().replace("-", "_"), "")
        # An empty variable counts as unset; pip takes the file's value then.
        if value:
            settings[name] = value
    return settings


def _cert_of_pip(
    settings: Mapping[str, str], options: Mapping[str, list[str]], environ: Mapping[str, str]
) -> str:
    """Return the certificates that pip goes by: what its library for requests is told beats it."""
    told = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE", "")
    own = (options.get("cert") or [settings.get("cert", "")])[-1]
    return told or own or environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR", "")


def _keyring_of_pip(settings: Mapping[str, str], options: Mapping[str, list[str]]) -> str:
    """Return pip's way to a keyring; by default none if pip must not ask a person anything."""
    named = (options.get("keyring-provider") or [settings.get("keyring-provider", "")])[-1]
    is_quiet = "no-input" in options or settings.get("no-input", "").lower() in _TRUE
    return _keyring(named or ("" if is_quiet else "auto"))


def _keyring(named: str) -> str:
    return named if named in {"auto", "import", "subprocess"} else ""


def _pip_files(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield pip's files, the weakest first."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = environ.get("HOME") or os.path.expanduser("~")
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield os.path.join(folder, "pip", "pip.conf")
    yield "/etc/pip.conf"
    yield os.path.join(home, ".pip", "pip.conf")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    yield os.path.join(config, "pip", "pip.conf")
    if environ.get("VIRTUAL_ENV"):
        yield os.path.join(environ["VIRTUAL_ENV"], "pip.conf")
    if named:
        yield named


def _pip_file(path: str) -> dict[str, str]:
    if not os.path.exists(path):
        return {}
    # Most machines have no such file, and a command is waiting.
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InvalidValueError(f"{path}: cannot be read as pip's configuration: {error}") from None
    settings: dict[str, str] = {}
    for section in ("global", "install", "download"):
        if parser.has_section(section):
            settings.update({name.replace("_", "-"): text for name, text in parser.items(section)})
    return settings


def read_uv(environ: Mapping[str, str], options: Mapping[str, list[str]], cwd: str) -> Configured:
    """Read uv's settings likewise: the project's file, then the person's."""
    files = {} if environ.get("UV_NO_CONFIG") else _uv_settings(environ, cwd)
    default, extra = _uv_indexes(files)
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or default
    named = [word.rpartition("=")[2] if "=" in word.partition("://")[0] else word
             for word in _words(environ.get("UV_INDEX", ""))]  # fmt: skip
    more = [*named, *_words(environ.get("UV_EXTRA_INDEX_URL", "")), *extra]
    links = _words(environ.get("UV_FIND_LINKS", "").replace(",", " "))
    strategy = environ.get("UV_INDEX_STRATEGY") or str(files.get("index-strategy", ""))
    no_index = str(files.get("no-index", "")) == "True"
    pip = mapping(files.get("pip"))
    keyring = (
        (options.get("keyring-provider") or [""])[-1]
        or environ.get("UV_KEYRING_PROVIDER")
        or pip.get("keyring-provider")
        or files.get("keyring-provider")
    )
    return Configured(
        store=store_path(environ),
        index_url=(options.get("index-url") or [default])[-1],
        extra=(*options.get("extra-index-url", ()), *more),
        find_links=(*links, *_texts(files.get("find-links")), *options.get("find-links", ())),
        no_index="no-index" in options or environ.get("UV_NO_INDEX", "").lower() in _TRUE
        or no_index,
        cert=environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR", ""),
        client_cert=environ.get("SSL_CLIENT_CERT", ""),
        trusted_hosts=(
            *_words(environ.get("UV_INSECURE_HOST", "")),
            *_texts(files.get("allow-insecure-host")),
            *options.get("allow-insecure-host", ()),
            *options.get("trusted-host", ()),
        ),
        is_first_only=not strategy.startswith("unsafe"),
        keyring=_keyring(str(keyring)),
        explicit=_explicit(files),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """What settings add to every command: files of requirements and of constraints, and texts."""

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def named_files(tool: str, environ: Mapping[str, str], cwd: str) -> NamedFiles:
    """Return the requirements and constraints that pip or uv is configured to add to a command."""
    if tool != "pip":
        files = {} if environ.get("UV_NO_CONFIG") else _uv_settings(environ, cwd)
        stated = [*_texts(files.get("constraint-dependencies")),
                  *_texts(files.get("override-dependencies"))]  # fmt: skip
        words = [*_words(environ.get("UV_CONSTRAINT", "")), *_words(environ.get("UV_OVERRIDE", ""))]
        return NamedFiles(constraints=tuple(words), texts=tuple(stated))
    settings = _pip_settings(environ)
    return NamedFiles(
        tuple(_words(settings.get("requirement", ""))),
        tuple(_words(settings.get("constraint", ""))),
    )


def _uv_settings(environ: Mapping[str, str], cwd: str) -> dict[str, object]:
    """Return uv's settings: of uv.toml or pyproject.toml upwards of here, above the person's."""
    home = environ.get("HOME") or os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    settings: dict[str, object] = {}
    for path in ("/etc/uv/uv.toml", os.path.join(config, "uv", "uv.toml")):
        settings.update(_toml(path))
    if environ.get("UV_CONFIG_FILE"):
        return settings | _toml(environ["UV_CONFIG_FILE"])
    folder = os.path.abspath(cwd)
    while True:
        tool = mapping(_toml(os.path.join(folder, "pyproject.toml")).get("tool"))
        own = _toml(os.path.join(folder, "uv.toml")) or dict(mapping(tool.get("uv")))
        if own or os.path.dirname(folder) == folder:
            return settings | own
        folder = os.path.dirname(folder)


def _uv_indexes(files: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return the default index and the others, in uv's order."""
    pip = mapping(files.get("pip"))
    default = str(pip.get("index-url") or files.get("index-url") or "")
    extra = [*_texts(pip.get("extra-index-url")), *_texts(files.get("extra-index-url"))]
    tables = files.get("index")
    listed = [mapping(table) for table in tables] if isinstance(tables, list) else []
    for table in listed:
        if table.get("default") is True:
            default = str(table.get("url", ""))
    shared = [str(index.get("url", "")) for index in listed if not index.get("default")
              and not index.get("explicit")]  # fmt: skip
    return default, [*shared, *extra]


def _explicit(files: Mapping[str, object]) -> tuple[str, ...]:
    tables = files.get("index")
    listed = [mapping(table) for table in tables] if isinstance(tables, list) else []
    return tuple(str(index.get("url", "")) for index in listed if index.get("explicit") is True)


def uv_overrides(environ: Mapping[str, str], cwd: str, projects: Collection[str]) -> dict[str, str]:
    """Return the variables without which uv's files send it past the index it is given.

    Indexes of uv.toml and pyproject.toml come before the default one; sources of a project that
    name an index beat all. Where there are none nothing is switched off.
    """
    if environ.get("UV_NO_CONFIG"):
        return {}
    settings = _uv_settings(environ, cwd)
    pip = mapping(settings.get("pip"))
    names = (
        "index", "index-url", "extra-index-url", "find-links", "no-index", "torch-backend",
    )  # fmt: skip
    variables = {}
    if any(settings.get(name) or pip.get(name) for name in names):
        variables["UV_NO_CONFIG"] = "1"
    sources = mapping(settings.get("sources"))
    pinned = sorted(project for project in projects if "index" in str(sources.get(project, "")))
    if pinned:
        variables["UV_NO_SOURCES_PACKAGE"] = " ".join(pinned)
    return variables


def uv_has_variants_on(environ: Mapping[str, str], words: Sequence[str], cwd: str) -> bool:
    """Tell whether a person has switched uv's preview of variants on."""
    texts = [environ.get("UV_PREVIEW_FEATURES", "")]
    for index, word in enumerate(words):
        if word.startswith("--preview-feature"):
            following = words[index + 1] if index + 1 < len(words) else ""
            texts.append(word.partition("=")[2] or following)
    settings = {} if environ.get("UV_NO_CONFIG") else _uv_settings(environ, cwd)
    texts.extend(_texts(settings.get("preview-features")))
    is_all = environ.get("UV_PREVIEW", "").lower() in _TRUE or "--preview" in words
    return (
        is_all or settings.get("preview") is True or any("wheel-variants" in text for text in texts)
    )


def without_index_options(words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return a command line without the options that name indexes, and those with their values."""
    kept: list[str] = []
    options: dict[str, list[str]] = {}
    left = iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        short = word[:2] if not word.startswith("--") and word[:2] in VALUED else ""
        if word in BOOLEAN:
            options.setdefault(BOOLEAN[word], []).append("")
        elif name in VALUED and (equals or word in VALUED):
            options.setdefault(VALUED[name], []).append(value if equals else next(left, ""))
        elif short:
            options.setdefault(VALUED[short], []).append(word[2:].lstrip("="))
        else:
            kept.append(word)
    return kept, options


def shared_options(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the options of a command line by which the view asks indexes, too."""
    given: dict[str, list[str]] = {}
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in _SHARED:
            following = "".join(words[index + 1 : index + 2])
            given.setdefault(name[2:], []).append(value if equals else following)
        elif word in _SHARED_FLAGS:
            given[word[2:]] = [""]
    return given


def _toml(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            return parse_toml(file.read())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{path}: cannot be read: {error}") from None


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(element) for element in value]
    return [] if value is None else [str(value)]


def _words(text: str) -> list[str]:
    return text.split()


def shown(words: Sequence[str]) -> str:
    """Return a command line as a shell takes it."""
    import shlex

    return shlex.join(words)
