"""What PowerShell reads: assignments of variables, and a script that completes commands.

Untested in PowerShell itself, which no machine of the project has; docs and --help say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

_SHORT: Final = "nvp"
# PowerShell completes names of files itself where this block returns nothing.
_BLOCK: Final = """\
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($wordToComplete) { $words = @($words | Select-Object -SkipLast 1) }
    $command = if ($words.Count) { $words[0] } else { '' }
    $previous = if ($words.Count -gt 1) { $words[-1] } else { '' }
    $known = $values["$command $previous"]
    if (-not $known) { $known = $names[$command] }
    $known | Where-Object { $_.StartsWith($wordToComplete) } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
"""


def assignment(name: str, value: str) -> str:
    """Return the line that sets a variable of the environment: ``$env:UV_X = 'on'``."""
    return f"$env:{name} = {quoted(value)}"


def quoted(text: str) -> str:
    """Return a literal text: between single quotes nothing but these is special."""
    return "'" + text.replace("'", "''") + "'"


def completion_script(
    commands: Mapping[str, argparse.ArgumentParser], choices: Mapping[int, Iterable[str]]
) -> str:
    """Return the script; ``choices`` are the values that an argument takes, by its identity.

    The values of an argument without a name are offered beside the options of its command.
    """
    names = {"": list(commands)}
    values: dict[str, list[str]] = {}
    for command, parser in commands.items():
        names[command] = []
        for action in parser._actions:  # noqa: SLF001 - as shtab reads them
            known = list(choices.get(id(action), ()))
            names[command] += action.option_strings or known
            if known:
                values.update({f"{command} {name}": known for name in action.option_strings})
    return "\n".join(_lines(names, values))


def _lines(names: Mapping[str, list[str]], values: Mapping[str, list[str]]) -> Iterator[str]:
    called = f"{output.PROGRAM}, {_SHORT}"
    yield f"Register-ArgumentCompleter -Native -CommandName {called} -ScriptBlock {{"
    yield "    param($wordToComplete, $commandAst, $cursorPosition)"
    for variable, table in (("names", names), ("values", values)):
        yield f"    ${variable} = @{{"
        for key, entries in table.items():
            yield f"        {quoted(key)} = @({', '.join(map(quoted, entries))})"
        yield "    }"
    yield _BLOCK.rstrip()
