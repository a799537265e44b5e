"""The options of a command line that name indexes, or that the view goes by as well.

Only options of the installer count. What comes after the program that it starts (``uv run python
-i``) is that program's. Source: the help of pip and uv, and tries with both: pip takes options
by their beginnings (``--index U``), and both take short ones in one word (``-qi U``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.commands import module_at, value_follows, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
_COMMANDS_OF_PIP: Final = frozenset({"install", "download", "wheel", "lock", "list", "index"})
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
# Options of ``uv run`` and its like whose value is the next word.
_VALUED_BEFORE_PROGRAM: Final = frozenset({
    "--with", "--with-editable", "--with-requirements", "--from", "--env-file", "--package",
    "--no-extra", "--only-group", "--no-group", "--spec", "--pip-args", "--backend",
    "--python-preference", "--exclude-newer-package", "--no-sources-package", "--bounds",
})  # fmt: skip
# Of the view as much as of the command, which keeps them.
_SHARED: Final = frozenset({
    "--cert", "--proxy", "--keyring-provider", "--client-cert", "--trusted-host",
    "--allow-insecure-host", "--index-strategy", "--directory", "--project", "--config-file",
})  # fmt: skip
_SHARED_FLAGS: Final = frozenset({"--no-input", "--no-config"})


def without_index_options(command: Sequence[str]) -> tuple[list[str], Options]:
    """Return a command without the options that name indexes, and those with their values."""
    tool = words_of(command)[0]
    names = _OF_TOOL.get(tool, {})
    start, end = _own_words(command)
    if not names or (tool == "pip" and _COMMANDS_OF_PIP.isdisjoint(command[start:end])):
        return list(command), {}
    kept: list[str] = []
    options: Options = {}
    left = iter(command[start:end])
    for word in left:
        name, given, before = _index_option(word, names, is_pip=tool.startswith("pip"))
        if not name:
            kept.append(word)
            continue
        is_flag = name in BOOLEAN.values()
        value = "" if is_flag else next(left, "") if given is None else given
        options.setdefault(name, []).append(value)
        kept += [before] if before else []
    return [*command[:start], *kept, *command[end:]], options


def shared_options(command: Sequence[str]) -> Options:
    """Return the options of a command by which the view asks indexes, too."""
    start, end = _own_words(command)
    words = command[start:end]
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
    if not text or words_of(command)[0] not in {"pipx", "pip-compile"}:
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
    start, end = _own_words(command)
    kept, value = list(command[:start]), ""
    left = iter(command[start:end])
    for word in left:
        option, equals, given = word.partition("=")
        if option != name:
            kept.append(word)
        else:
            value = given if equals else next(left, "")
    return [*kept, *command[end:]], value


def program_of(command: Sequence[str]) -> str:
    """Return the program that ``uv run`` and its like start, "" where there is none."""
    _, end = _own_words(command)
    program = command[end:]
    return "".join((program[1:] if "--" in program[:1] else program)[:1])


def _own_words(command: Sequence[str]) -> tuple[int, int]:
    """Return where the words of the installer begin and end, those of its program left out."""
    start = module_at(command) + 1
    tool, *words = words_of(command)
    end = start + next((at for at, word in enumerate(words) if word == "--"), len(words))
    # The words that come before the program: ``uv run``, ``uv tool run``, ``uvx``, ``pipx run``.
    before = {"uvx": 0, "pipx": 1, "uv": 1}.get(tool)
    if before is None:
        return start, end
    plain = list(_plain(command, start, end))
    verbs = [command[at] for at in plain[:2]]
    if tool == "uv" and verbs == ["tool", "run"]:
        before = 2
    elif tool != "uvx" and verbs[:1] != ["run"]:
        return start, end
    return start, plain[before] if len(plain) > before else end


def _plain(command: Sequence[str], start: int, end: int) -> Sequence[int]:
    """Return where the words are that are neither options nor their values."""
    positions = []
    is_value = False
    for at in range(start, end):
        word = command[at]
        if not is_value and not word.startswith("-"):
            positions.append(at)
        is_value = not is_value and (value_follows(word) or word in _VALUED_BEFORE_PROGRAM)
    return positions


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
