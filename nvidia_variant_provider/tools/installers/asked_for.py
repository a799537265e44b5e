"""What a command asks for: projects, and the versions that it allows of each.

Read are its arguments, its requirements and constraints files, the variables and settings that name
such files, the dependencies of a project that it installs, and the lock file that decides. What
cannot be read is left to the installer, which reports it. Files are bounded.
"""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from packaging.markers import UndefinedEnvironmentName, default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from nvidia_variant_provider.tools.installers.chosen import named_files
from nvidia_variant_provider.tools.installers.command_line import (
    parse,
    plain_words,
    working_folder,
)
from nvidia_variant_provider.tools.installers.commands import lock_of
from nvidia_variant_provider.tools.installers.requirements_files import files_of, lines_of
from nvidia_variant_provider.tools.parsed import mapping, parse_toml, texts
from nvidia_variant_provider.value_types import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

_ACTIONS: Final = frozenset({"install", "download", "add", "wheel"})
_MOST_BYTES: Final = 16 << 20
_READ_FILES: Final = frozenset({"pip", "uv", "uvx", "pip-compile"})
_WITH: Final = frozenset({"--with", "--from", "-w"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command asks for.

    ``named`` are the projects of its arguments, ``listed`` those of files. ``versions`` are the
    specifiers of every project that is named or constrained anywhere: ``==2.11.0,<3``.
    """

    named: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def of(self, project: str) -> str:
        """Return the versions that are allowed of a project; "" for any."""
        return self.versions.get(project, "")


def asked_of(
    command: Sequence[str], environ: Mapping[str, str], cwd: str, python: str = ""
) -> Asked:
    """Read what a command asks for; ``python`` is the version that is installed for, "3.11.7"."""
    environment = _environment(python)
    line = parse(command)
    words = line.words
    lock = lock_of(command, cwd)
    folder = working_folder(line, environ, cwd)
    in_files = [] if lock else list(_in_files(words, environ, cwd, folder))
    required = _in_lock(lock) if lock else [text for text, is_required in in_files if is_required]
    named = list(_parsed(_arguments(words), environment))
    listed = list(_parsed(required, environment))
    limits = _parsed((text for text, is_required in in_files if not is_required), environment)
    return Asked(
        tuple(dict.fromkeys(name for name, _ in named)),
        tuple(dict.fromkeys(name for name, _ in listed)),
        _joined([*named, *listed, *limits]),
    )


def matches(version: Version | str, asked_for: str) -> bool:
    """Tell whether a version, a prerelease too, is one that is asked for: ``==2.11.0``.

    A local version that is asked for counts as its public one: ``==2.11.0+cu126`` is 2.11.0.
    """
    if not asked_for:
        return True
    return SpecifierSet(public_of(asked_for)).contains(version, prereleases=True)


def public_of(asked_for: str) -> str:
    """Return specifiers without local versions: ``==2.11.0+cu126,<3`` is ``==2.11.0,<3``."""
    return re.sub(r"\+[^,]*", "", asked_for)


def label_asked_for(asked_for: str) -> tuple[str, str]:
    """Return the public version and the local one of a pin: ``==2.11.0+cu126``; "" without it."""
    match = re.search(r"===?\s*([^,+\s]+)\+([^,\s]+)", asked_for)
    return (match[1], match[2]) if match else ("", "")


def _joined(requirements: Iterable[tuple[str, str]]) -> dict[str, str]:
    versions: dict[str, dict[str, None]] = {}
    for name, specifier in requirements:
        versions.setdefault(name, {})
        if specifier:
            versions[name][specifier] = None
    return {name: ",".join(specifiers) for name, specifiers in versions.items()}


def _environment(python: str) -> dict[str, str]:
    environment: dict[str, str] = {**default_environment(), "extra": ""}  # type: ignore[dict-item]  # a TypedDict of texts
    if python:
        environment["python_full_version"] = python
        environment["python_version"] = ".".join(python.split(".")[:2])
    return environment


def _parsed(requirements: Iterable[str], environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the projects, normalised, and versions of the requirements that hold."""
    for text in requirements:
        try:
            requirement = Requirement(text)
            holds = requirement.marker is None or requirement.marker.evaluate(environment)
        except (InvalidRequirement, InvalidSpecifier, UndefinedEnvironmentName):
            continue
        if holds:
            name = canonicalize_name(requirement.name)
            of_wheel = _in_wheel_name(requirement.url) if requirement.url else ()
            yield next(iter(of_wheel), (name, str(requirement.specifier)))


def _arguments(words: Sequence[str]) -> Iterator[str]:
    """Yield the requirements among a command's arguments."""
    if words[0] == "uvx" or list(words[:2]) in (["uv", "run"], ["uv", "tool"]):
        for option, word in pairwise(words):
            if option in _WITH:
                yield from word.split(",")
    action = next((at for at, word in enumerate(words) if word in _ACTIONS), len(words))
    for word in plain_words(words[action + 1 :]):
        yield from _argument(word)


def _argument(word: str) -> Iterator[str]:
    if _is_wheel(word):
        yield from (f"{name}{versions}" for name, versions in _in_wheel_name(word))
    elif not re.search(r"[/\\]", word) or "@" in word.partition("://")[0]:
        yield word


def _in_wheel_name(address: str) -> Iterator[tuple[str, str]]:
    """Yield the project and the version of a wheel that is named by its path or address."""
    from urllib.parse import unquote

    base = os.path.basename(unquote(address.partition("#")[0].partition("?")[0]))
    try:
        name, version, *_ = parse_wheel_filename(base)
    except InvalidWheelFilename:
        return
    yield name, f"=={version}"


def _in_files(
    words: Sequence[str], environ: Mapping[str, str], cwd: str, folder: str
) -> Iterator[tuple[str, bool]]:
    """Yield the requirements of files and projects, and whether each is more than a constraint.

    ``folder`` is the one that the installer changes to.
    """
    if words[0] not in _READ_FILES:
        return
    settings = named_files(words, environ, cwd)
    files = [
        *files_of(words),
        *((path, False) for path in settings.requirements),
        *((path, True) for path in settings.constraints),
    ]
    for line in lines_of(files, folder):
        if not line.text.startswith("-"):
            yield _without_options(line.text), not line.is_constraint
    yield from ((text, False) for text in settings.texts)
    extras = ",".join(_values_of(words, "--extra"))
    projects = [path.removesuffix("pyproject.toml") for path, _ in files if _is_project(path)]
    for path in [*projects, *(word for word in words[1:] if word.startswith((".", "/")))]:
        yield from ((text, True) for text in _of_project(folder, path, extras))
    for group in _values_of(words, "--group"):
        yield from ((text, True) for text in _of_group(folder, group))


def _values_of(words: Sequence[str], option: str) -> list[str]:
    """Return every value that an option is given: ``--group dev``, ``--group=dev``."""
    inline = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    return [*inline, *(value for word, value in pairwise(words) if word == option)]


def _is_project(path: str) -> bool:
    return os.path.basename(path) == "pyproject.toml"


def _without_options(text: str) -> str:
    """Return a requirement without what pip allows after it, such as ``--hash=sha256:…``."""
    text = re.split(r"\s--?[A-Za-z]", text, maxsplit=1)[0].strip()
    return next(iter(_argument(text)), "") if _is_wheel(text) else text


def _is_wheel(text: str) -> bool:
    """Tell whether a text is the path or address of a wheel, and no requirement that has one."""
    return " " not in text and text.partition("#")[0].partition("?")[0].endswith(".whl")


def _of_project(cwd: str, path: str, more: str) -> Iterator[str]:
    """Yield the dependencies of a project by its folder, with extras: ``./project[gpu]``."""
    folder, _, extras = path.rstrip("]").partition("[")
    whole = _toml(os.path.join(cwd, folder, "pyproject.toml"))
    project = mapping(whole.get("project"))
    yield from texts(project.get("dependencies"))
    optional = mapping(project.get("optional-dependencies"))
    for extra in f"{extras},{more}".split(","):
        yield from texts(optional.get(extra.strip()))


def _of_group(cwd: str, named: str) -> Iterator[str]:
    """Yield the requirements of a dependency group (PEP 735): ``dev``, ``sub/pyproject.toml:dev``.

    Groups that it includes are left to the installer.
    """
    path, _, name = named.rpartition(":")
    groups = mapping(_toml(os.path.join(cwd, path or "pyproject.toml")).get("dependency-groups"))
    yield from texts(groups.get(name))


def _in_lock(path: str) -> Iterator[str]:
    """Yield the packages of a lock file: of uv, Poetry, PDM (TOML) or Pipenv (JSON)."""
    if os.path.basename(path) != "Pipfile.lock":
        packages = _toml(path).get("package")
        for entry in packages if isinstance(packages, list) else ():
            package = mapping(entry)
            yield f"{package.get('name')}=={package.get('version')}"
        return
    whole = _json(path)
    for section in ("default", "develop"):
        for name, value in mapping(whole.get(section)).items():
            yield f"{name}{mapping(value).get('version', '')}"


def _toml(path: str) -> Mapping[str, object]:
    try:
        with open(path, "rb") as file:
            return parse_toml(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}


def _json(path: str) -> Mapping[str, object]:
    try:
        with open(path, "rb") as file:
            return mapping(json.loads(file.read(_MOST_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}
