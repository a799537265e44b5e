"""What ``lint``, ``verify`` and ``inspect`` share: options, configuration, forms of output."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.tools.findings.configuration import Configuration
    from nvidia_variant_provider.tools.findings.formats import Run
    from nvidia_variant_provider.tools.findings.model import Finding, Rule
    from nvidia_variant_provider.tools.findings.selection import Selection

EXIT_OK: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_UNREADABLE: Final = 2

TEXT: Final = "text"
JSON: Final = "json"
# The colour of each severity.
TONES: Final = {"error": output.Tone.BAD, "warning": output.Tone.WARNING, "note": output.Tone.FAINT}


class NamedLater:
    """The choices of an option, of which nothing is loaded until one is made."""

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)


def _forms() -> Iterator[str]:
    from nvidia_variant_provider.tools.findings.formats import FORMATS

    yield from (TEXT, JSON, *FORMATS)


FORMS: Final = NamedLater(_forms)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--select``, ``--ignore``, ``--list``, ``--output-format`` and ``--json``."""
    group = parser.add_argument_group("findings")
    for name, verb in (("--select", "report only"), ("--ignore", "do not report")):
        group.add_argument(
            name,
            type=_codes,
            action="extend",
            metavar="CODE[,CODE]",
            help=f"{verb} codes with this prefix; the longer prefix wins over the other option",
        )
    group.add_argument("--list", action="store_true", help="list every code and stop")
    add_form(parser)


def add_form(parser: argparse._ActionsContainer) -> argparse._MutuallyExclusiveGroup:
    """Add ``--output-format``, and ``--json``, which is short for one of its forms.

    Returns their group, for forms that one command has alone.
    """
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--output-format",
        choices=FORMS,
        default=TEXT,
        metavar="FORM",
        help="text, json, or a form that other programs read, such as github, gitlab, sarif, junit"
        " [default: text]",
    )
    form.add_argument(
        "--json",
        action="store_const",
        const=JSON,
        dest="output_format",
        help="print one JSON document",
    )
    return form


def _codes(text: str) -> list[str]:
    from nvidia_variant_provider.tools.findings.configuration import parse_code

    return [parse_code(code) for code in text.split(",") if code.strip()]


def configuration_for(args: argparse.Namespace, rules: Iterable[Rule]) -> Configuration:
    """Return what the command line asks for, and where it is silent the nearest pyproject.toml.

    Raises ``InvalidValueError`` for a code that does not exist.
    """
    from nvidia_variant_provider.tools.findings.configuration import read_configuration
    from nvidia_variant_provider.tools.findings.selection import check_codes
    from nvidia_variant_provider.value_types import replace

    check_codes([*(args.select or ()), *(args.ignore or ())], rules)
    nearest = read_configuration(os.getcwd())
    check_codes(nearest.codes, _every_rule() if nearest.codes else (), f"{nearest.path}: ")
    return replace(
        nearest,
        select=nearest.select if args.select is None else tuple(args.select),
        ignore=nearest.ignore if args.ignore is None else tuple(args.ignore),
    )


def selection_of(configuration: Configuration) -> Selection:
    """Return which findings count."""
    from nvidia_variant_provider.tools.findings.selection import Selection

    return Selection(configuration.select, configuration.ignore, configuration.per_file)


def _every_rule() -> list[Rule]:
    """Return the rules of all tools: a project has one configuration for all of them."""
    from nvidia_variant_provider.tools.binaries import findings
    from nvidia_variant_provider.tools.lint.engine import RULES as LINT
    from nvidia_variant_provider.tools.verify.engine import RULES as VERIFY

    return [*LINT, *VERIFY, *findings.RULES]


def show_rules(rules: Iterable[Rule], selection: Selection) -> int:
    """Print the selected rules, one a line."""
    rows = [(rule.code, rule.severity.value, rule.title) for rule in rules if rule in selection]
    if rows:
        output.emit_table((), rows)
    return EXIT_OK


def emit_run(form: str, run: Run) -> None:
    """Print a run in a form that other tools read."""
    from nvidia_variant_provider.tools.findings.formats import FORMATS

    output.emit_lines(FORMATS[form](run))


def emit_findings(findings: Iterable[Finding]) -> None:
    """Print a line for each finding, in the colour of its severity."""
    output.emit_toned((TONES[finding.rule.severity.value], str(finding)) for finding in findings)


def tally(findings: Iterable[Finding], selection: Selection) -> str:
    """Count findings by their severity: ``1 error, 2 notes``; or say that there are none."""
    counts = Counter(finding.rule.severity.value for finding in findings)
    shown = ", ".join(output.count(number, name) for name, number in counts.items())
    return shown or (
        "no findings" if selection.is_everything else "no findings of the selected codes"
    )
