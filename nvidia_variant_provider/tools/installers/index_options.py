"""The options of a command line that name indexes, or that the view goes by as well.

Only options of the installer count. What comes after the program that it starts (``uv run python
-i``) is that program's. Source: the help of pip and uv, and tries with both: pip takes options
by their beginnings (``--index U``), and both take short ones in one word (``-qi U``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_line import layers, parse
from nvidia_variant_provider.tools.installers.environment import INDEX_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Options = dict[str, list[str]]
"""Values by the name of their option, without dashes: ``index-url``."""

VALUED: Final = {
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--default-index": "default-index",
    "--extra-index-url": "extra-index-url",
    "--index": "index",
    "-f": "find-links",
    "--find-links": "find-links",
}
BOOLEAN: Final = {"--no-index": "no-index"}
# pip takes any beginning of an option that no other one shares.
_SHORTEST: Final = {
    "--ind": "--index-url",
    "--pyp": "--pypi-url",
    "--ext": "--extra-index-url",
    "--fi": "--find-links",
    "--no-ind": "--no-index",
}
_MIRROR: Final = {"--pypi-mirror": "index-url"}
# Each tool that has such options, and those which it has.
_OF_TOOL: Final[Mapping[str, Mapping[str, str]]] = {
    "pip": VALUED,
    "pip-compile": VALUED,
    "uv": VALUED,
    "uvx": VALUED,
    "pipx": {name: VALUED[name] for name in ("-i", "--index-url")},
    "pipenv": _MIRROR,
}
# Short options without a value, which others may follow in the same word.
_FLAGS: Final = frozenset("hvqnVUI")
# Of the view as much as of the command, which keeps them.
_SHARED: Final = frozenset({
    "--cert", "--proxy", "--keyring-provider", "--client-cert", "--trusted-host",
    "--allow-insecure-host", "--index-strategy", "--directory", "--project", "--config-file",
})  # fmt: skip
_SHARED_FLAGS: Final = frozenset({"--no-input", "--no-config"})


def without_index_options(command: Sequence[str]) -> tuple[list[str], Options]:
    """Return a command without the options that name indexes, and those with their values.

    An installer that another one starts counts as well: ``uv run pip install -i U``.
    """
    rest = list(command)
    options: Options = {}
    for line in reversed(list(layers(command))):
        names = _OF_TOOL.get(line.tool, {})
        if not names or not line.takes_indexes:
            continue
        kept, given = _split(line.own, names, is_pip=line.tool.startswith("pip"))
        rest[line.begin : line.end] = kept
        options |= given
    return rest, options


def _split(
    words: Sequence[str], names: Mapping[str, str], *, is_pip: bool
) -> tuple[list[str], Options]:
    kept: list[str] = []
    options: Options = {}
    left = iter(words)
    for word in left:
        name, given, before = _index_option(word, names, is_pip=is_pip)
        if not name:
            kept.append(word)
            continue
        is_flag = name in BOOLEAN.values()
        value = "" if is_flag else next(left, "") if given is None else given
        options.setdefault(name, []).append(value)
        kept += [before] if before else []
    return kept, options


def without_variables(
    command: Sequence[str], names: Collection[str] = INDEX_VARIABLES
) -> tuple[list[str], dict[str, str]]:
    """Return a command without what ``env`` sets of some variables, and all that it sets.

    What stands there is nearer to the installer than our environment: ``env PIP_INDEX_URL=U pip``.
    """
    start = parse(command).start
    kept: list[str] = []
    variables: dict[str, str] = {}
    for word in command[:start]:
        name, equals, value = word.partition("=")
        if equals and name.isidentifier():
            variables[name] = value
        if not (equals and name in names):
            kept.append(word)
    return [*kept, *command[start:]], variables


def shared_options(command: Sequence[str]) -> Options:
    """Return the options of a command by which the view asks indexes, too."""
    words = parse(command).own
    given: Options = {}
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in _SHARED:
            following = "".join(words[index + 1 : index + 2])
            given.setdefault(name[2:], []).append(value if equals else following)
        elif word in _SHARED_FLAGS:
            given[word[2:]] = [""]
    return given


def index_in_pip_args(command: Sequence[str]) -> str:
    """Return the option in ``--pip-args`` of pipx or pip-compile that names an index; "" if none.

    They hand these to the installer behind its own, so that it goes past a view.
    """
    _, text = without_option(command, "--pip-args")
    if not text or parse(command).tool not in {"pipx", "pip-compile"}:
        return ""
    import shlex

    try:
        words = shlex.split(text)
    except ValueError:
        # The tool itself says what is wrong with it.
        return ""
    _, options = without_index_options(["pip", "install", *words])
    return next(iter(options), "")


def without_option(command: Sequence[str], name: str) -> tuple[list[str], str]:
    """Return a command without an option that has a value, and the last value; "" for none."""
    line = parse(command)
    kept, value = list(command[: line.begin]), ""
    left = iter(line.own)
    for word in left:
        option, equals, given = word.partition("=")
        if option != name:
            kept.append(word)
        else:
            value = given if equals else next(left, "")
    return [*kept, *line.program], value


def program_of(command: Sequence[str]) -> str:
    """Return the program that ``uv run`` and its like start, "" where there is none."""
    return "".join(parse(command).program[:1])


def _index_option(
    word: str, names: Mapping[str, str], *, is_pip: bool
) -> tuple[str, str | None, str]:
    """Return the name of an index option, its value if the word has it, and what else it has.

    The name is "" for any other word.
    """
    name, equals, value = word.partition("=")
    if word.startswith("--"):
        full = _completed(name) if is_pip else name
        option = names.get(full) or (BOOLEAN.get(full, "") if names is VALUED else "")
        return option, value if equals else None, ""
    letters = word[1:] if word.startswith("-") else ""
    for at, letter in enumerate(letters):
        if f"-{letter}" in names:
            rest = letters[at + 1 :].removeprefix("=")
            return names[f"-{letter}"], rest or None, f"-{letters[:at]}" if at else ""
        if letter not in _FLAGS:
            break
    return "", None, ""


def _completed(name: str) -> str:
    """Return the option that pip takes a beginning for: ``--extra-index``."""
    for shortest, full in _SHORTEST.items():
        if name.startswith(shortest) and full.startswith(name):
            return full
    return name
