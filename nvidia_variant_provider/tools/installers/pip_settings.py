"""The indexes that a person has configured for pip, and what pip asks them by.

Sources: pip's documentation of its configuration, and tries with pip 23.0 to 26.3.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.configured import Configured, keyring_of
from nvidia_variant_provider.tools.installers.interpreter import prefix_of_pip
from nvidia_variant_provider.tools.installers.uv_files import is_true

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SETTINGS: Final = (
    "index-url", "extra-index-url", "find-links", "no-index", "cert", "proxy", "keyring-provider",
    "no-input", "client-cert", "trusted-host", "requirement", "constraint",
)  # fmt: skip
_VERBS: Final = frozenset({"install", "download", "wheel", "lock", "list", "index"})


def read_pip(
    environ: Mapping[str, str], options: Mapping[str, list[str]], command: Sequence[str] = ()
) -> Configured:
    """Read pip's settings: the command line, the environment, its files.

    ``command`` is the whole one: its Python has a file of its own, its verb a section of the files.
    """
    settings = pip_settings(environ, command)
    # ``--index`` is what pip takes for ``--index-url``.
    main = [*options.get("index-url", ()), *options.get("index", ())]
    return Configured(
        index_url=(main or [settings.get("index-url", "")])[-1],
        extra=(*settings.get("extra-index-url", "").split(), *options.get("extra-index-url", ())),
        find_links=(*settings.get("find-links", "").split(), *options.get("find-links", ())),
        no_index="no-index" in options or is_true(settings.get("no-index", "")),
        cert=_cert(settings, options, environ),
        client_cert=(options.get("client-cert") or [settings.get("client-cert", "")])[-1],
        trusted_hosts=(
            *settings.get("trusted-host", "").split(),
            *options.get("trusted-host", ()),
        ),
        proxy=(options.get("proxy") or [settings.get("proxy", "")])[-1],
        keyring=_keyring(settings, options),
    )


def pip_settings(environ: Mapping[str, str], command: Sequence[str] = ()) -> dict[str, str]:
    """Return what pip's files and variables say: of its verb more than of all commands.

    Raises ``InvalidValueError`` for a file that cannot be read.
    """
    words = words_of(command) if command else []
    verb = next((word for word in words[1:] if word in _VERBS), "install")
    sections: dict[str, dict[str, str]] = {"global": {}, verb: {}}
    for path in _files(environ, command):
        for name, settings in _file(path).items():
            sections.setdefault(name, {}).update(settings)
    merged = sections["global"] | sections[verb]
    for name in _SETTINGS:
        value = environ.get("PIP_" + name.upper().replace("-", "_"), "")
        # An empty variable counts as unset; pip takes the file's value then.
        if value:
            merged[name] = value
    return merged


def _cert(
    settings: Mapping[str, str], options: Mapping[str, list[str]], environ: Mapping[str, str]
) -> str:
    """Return the certificates that pip goes by: what its library for requests is told beats it."""
    told = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE", "")
    own = (options.get("cert") or [settings.get("cert", "")])[-1]
    return told or own or environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR", "")


def _keyring(settings: Mapping[str, str], options: Mapping[str, list[str]]) -> str:
    """Return pip's way to a keyring; by default none if pip must not ask a person anything."""
    named = (options.get("keyring-provider") or [settings.get("keyring-provider", "")])[-1]
    is_quiet = "no-input" in options or is_true(settings.get("no-input", ""))
    return keyring_of(named or ("" if is_quiet else "auto"))


def _files(environ: Mapping[str, str], command: Sequence[str]) -> Iterator[str]:
    """Yield pip's files, the weakest first; a file that is named takes the place of the user's."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = environ.get("HOME") or os.path.expanduser("~")
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield os.path.join(folder, "pip", "pip.conf")
    yield "/etc/pip.conf"
    if not (named and os.path.exists(named)):
        config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        yield os.path.join(home, ".pip", "pip.conf")
        yield os.path.join(config, "pip", "pip.conf")
    if prefix := prefix_of_pip(command, environ):
        yield os.path.join(prefix, "pip.conf")
    if named:
        yield named


def _file(path: str) -> dict[str, dict[str, str]]:
    if not os.path.exists(path):
        return {}
    # Most machines have no such file, and a command is waiting.
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InvalidValueError(f"{path}: cannot be read as pip's configuration: {error}") from None
    return {
        section: {name.replace("_", "-"): text for name, text in parser.items(section)}
        for section in parser.sections()
    }
