"""The Python that an installer installs for: its tags and version; and pip's default index."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_line import parse, starts_in_conda, value_of
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.tags import Tag

_TIMEOUT_S: Final = 20
# Isolated, so that no file of the working folder is imported; our own copy of packaging, which
# reads interpreters back to 3.8.
_ASK: Final = """
import json, os, sys, sysconfig
sys.path.insert(0, sys.argv[1])
from packaging.tags import sys_tags
# Without the module site no environment is known: its folder has this file.
base = os.path.dirname(os.path.dirname(sys.executable))
own = os.path.exists(os.path.join(base, "pyvenv.cfg"))
scheme = ["venv"] if own and "venv" in sysconfig.get_scheme_names() else []
where = {"vars": {"base": base, "platbase": base}} if own else {}
site = sysconfig.get_path("platlib", *scheme, **where)
print(json.dumps([sys.version.split()[0], [str(it) for it in sys_tags()], site]))
"""
# With these uv installs for another Python than it finds here.
_UV_ELSEWHERE: Final = frozenset(
    {"--python-platform", "--python-version", "--directory", "--project"}
)
_INDEX: Final = "pip._internal.models.index"
_CONSTANT: Final = re.compile(r"""PyPI\s*=\s*PackageIndex\(\s*["'](https://[^"']+)["']""")
_STATED: Final = re.compile(r"(?:by default|default):?\s*<?(https?://[^\s>\])]+)")


@dataclass(frozen=True, slots=True)
class TargetPython:
    """The wheel tags that an installer takes, best first, and the version, such as "3.11.7".

    ``site`` is the folder of its packages, "" where none is known.
    """

    tags: tuple[Tag, ...]
    version: str
    site: str = ""


def target_python(command: Sequence[str], environ: Mapping[str, str]) -> TargetPython | None:
    """Return the Python that a command installs for; ``None`` where that is not plain."""
    line = parse(command)
    words = line.words
    if starts_in_conda(command):
        return None
    if words[0] == "uv":
        python = _python_of_uv(line.behind, words, environ)
        return _asked(python) if python else None
    if words[0] != "pip":
        return None
    named = value_of(words, ("--python",))
    own = _interpreter_at(named) if named else own_python(command, environ)
    crossed = _options(words)
    if crossed:
        return _crossed(crossed, own)
    return _asked(own) if own else None


def _interpreter_at(path: str) -> str:
    """Return the interpreter that ``pip --python`` names: itself, or the folder around it."""
    inside = (
        os.path.join(path, *parts) for parts in (("bin", "python"), ("Scripts", "python.exe"))
    )
    return next((name for name in (path, *inside) if os.path.isfile(name)), "")


def _python_of_uv(command: Sequence[str], words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the interpreter that ``uv pip`` installs for, as uv says; "" where it says none.

    uv looks at ``--python``, UV_PYTHON, VIRTUAL_ENV, CONDA_PREFIX and for a ``.venv`` upwards.
    """
    if "pip" not in words or _UV_ELSEWHERE.intersection(word.partition("=")[0] for word in words):
        return ""
    asked = [*command[: list(command).index("pip")], "python", "find", "--no-project"]
    if "--system" in words or environ.get("UV_SYSTEM_PYTHON"):
        asked.append("--system")
    named = value_of(words, ("--python", "-p")) or environ.get("UV_PYTHON", "")
    try:
        done = subprocess.run(
            [*asked, *([named] if named else [])], env=dict(environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def has_package(command: Sequence[str], environ: Mapping[str, str], name: str) -> bool:
    """Tell whether a tool that is written in Python has a package beside it, such as a plugin.

    A tool whose Python is not plain counts as having it.
    """
    python = own_python(command, environ)
    if not python:
        return True
    ask = "import importlib.metadata, sys; importlib.metadata.version(sys.argv[1])"
    try:
        done = subprocess.run(
            [python, "-I", "-c", ask, name], capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return True
    return done.returncode == 0


def own_python(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the interpreter of a pip: the one that is called, or the one its script names.

    "" where it is another one in the end, as in an environment of conda.
    """
    import shutil

    if starts_in_conda(command):
        return ""
    command = parse(command).behind or ("",)
    path = shutil.which(command[0], path=environ.get("PATH")) or ""
    if os.path.basename(command[0]).startswith(("python", "pypy")):
        return path
    try:
        with open(path, "rb") as file:
            first = file.readline(1000).decode("utf-8", "replace")
    except OSError:
        return ""
    match = re.match(r"#!\s*(\S*python[\d.]*)\s*$", first)
    if match is None:
        beside = os.path.join(os.path.dirname(path), "python")
        return beside if os.path.exists(beside) and "exec" not in first else ""
    return match[1]


def prefix_of_pip(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the folder of the Python that a pip belongs to, which may have a pip.conf.

    For a command that is no pip it is the environment that is active, or that of the pip on PATH.
    Python is not started for it: an environment has the file pyvenv.cfg, anything else is where
    its interpreter really lies.
    """
    words = parse(command).words
    if words[0] != "pip":
        return environ.get("VIRTUAL_ENV") or _prefix(own_python(("pip",), environ))
    named = value_of(words, ("--python",))
    return _prefix(_interpreter_at(named) if named else own_python(command, environ))


def _prefix(python: str) -> str:
    if not python:
        return ""
    for folder in (os.path.dirname(python), os.path.dirname(os.path.dirname(python))):
        if os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            return folder
    return os.path.dirname(os.path.dirname(os.path.realpath(python)))


def _asked(python: str) -> TargetPython | None:
    import json

    spec = importlib.util.find_spec("packaging")
    folder = os.path.dirname(os.path.dirname(spec.origin or "")) if spec else ""
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", _ASK, folder],
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        version, tags, site = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    from packaging.tags import Tag

    return TargetPython(tuple(Tag(*tag.split("-")) for tag in tags), str(version), str(site or ""))


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the options by which pip is told of another interpreter."""
    options: dict[str, list[str]] = {}
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in {"--platform", "--python-version", "--abi", "--implementation"}:
            given = value if equals else words[index + 1] if index + 1 < len(words) else ""
            options.setdefault(name, []).append(given)
    return options


def _crossed(options: Mapping[str, list[str]], own: str) -> TargetPython | None:
    """Return the tags that pip takes for another platform."""
    from packaging.tags import compatible_tags, cpython_tags

    if options.get("--implementation", ["cp"]) != ["cp"]:
        return None
    version = (options.get("--python-version") or [""])[-1]
    if not version:
        asked = _asked(own) if own else None
        if asked is None:
            return None
        version = asked.version
    digits = version.replace(".", "", 1) if version.count(".") == 1 else version
    numbers = (
        tuple(int(part) for part in version.split(".")[:2])
        if "." in version
        else (int(digits[:1]), int(digits[1:] or 0))
    )
    platforms = [platform for text in options.get("--platform", ()) for platform in _expanded(text)]
    tags = (
        *cpython_tags(numbers, options.get("--abi"), platforms or None),
        *compatible_tags(numbers, f"cp{numbers[0]}{numbers[1]}", platforms or None),
    )
    return TargetPython(tuple(tags), ".".join(map(str, numbers)))


def _expanded(platform: str) -> list[str]:
    """Return what pip takes for a platform tag: a manylinux of old also means its predecessors."""
    match = re.fullmatch(r"manylinux2014_(.+)", platform)
    if match is None:
        return [platform]
    older = [f"manylinux2010_{match[1]}", f"manylinux1_{match[1]}"]
    return [platform, *older] if match[1] in {"x86_64", "i686"} else [platform]


def default_index(environ: Mapping[str, str]) -> str:
    """Return the index that installers use by default: a constant of pip, or what uv says.

    "" where neither is there.
    """
    return _constant_of_pip() or _said_by_uv(environ)


def _constant_of_pip() -> str:
    """Return the constant of the pip of this environment, or of the one that comes with Python."""
    spec = importlib.util.find_spec("pip")
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        path = os.path.join(place, *_INDEX.split(".")[1:]) + ".py"
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return _constant_in(file.read())
    import ensurepip
    import zipimport

    folder = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    wheel = next((name for name in sorted(names) if name.startswith("pip-")), "")
    try:
        importer = zipimport.zipimporter(os.path.join(folder, wheel)) if wheel else None
        return _constant_in(importer.get_source(_INDEX) or "" if importer else "")
    except (ImportError, OSError):
        return ""


def _constant_in(source: str) -> str:
    match = _CONSTANT.search(source)
    return f"{match[1].rstrip('/')}/simple" if match else ""


def _said_by_uv(environ: Mapping[str, str]) -> str:
    import shutil

    uv = shutil.which("uv", path=environ.get("PATH"))
    if uv is None:
        return ""
    try:
        done = subprocess.run(
            [uv, "pip", "install", "--help"],
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    match = _STATED.search(done.stdout)
    return match[1] if match else ""
