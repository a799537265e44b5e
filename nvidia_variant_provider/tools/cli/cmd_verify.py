"""``verify``: hold the tags of variant wheels to the device code inside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.threshold import add_threshold

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.verify.engine import Selection
    from nvidia_variant_provider.tools.verify.facts import Facts
    from nvidia_variant_provider.tools.verify.json_model import (
        ShareRecord,
        Verification,
        WheelRecord,
    )
    from nvidia_variant_provider.tools.verify.model import Finding

_EPILOG: Final = """\
What a wheel states is compared with the code of its own libraries, container by container; give
all wheels of a release at once to have them compared with each other. docs/verify.md has a
section for every code.

examples:
  nvidia-variant-provider verify variants/*.whl
  nvidia-variant-provider verify --threshold 50 --ignore NV306 variants/*.whl
  nvidia-variant-provider verify --select NV30,NV32 --json variants/*.whl
  nvidia-variant-provider verify --codes

exit codes:
  0  nothing worse than a note
  1  errors or warnings
  2  a wheel could not be verified
"""
_EXIT_FINDINGS: Final = 1
_EXIT_UNREADABLE: Final = 2


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "verify",
        help="hold the tags of variant wheels to their device code",
        description="Compare the properties that variant wheels state with their device code.",
        epilog=_EPILOG,
    )
    parser.add_argument("wheels", nargs="*", metavar="WHEEL", help="variant wheel")
    parser.add_argument(
        "--select", type=_codes, default=(), metavar="CODES", help="report these alone: NV30,NV32"
    )
    parser.add_argument(
        "--ignore", type=_codes, default=(), metavar="CODES", help="do not report these"
    )
    add_threshold(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--codes", action="store_true", help="list the codes and stop")
    return parser


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code.strip().upper() for code in text.split(",") if code.strip())


def run(args: argparse.Namespace) -> int:
    """Verify every wheel, print what was found, and name what could not be verified."""
    from nvidia_variant_provider.errors import InvalidValueError
    from nvidia_variant_provider.tools.verify.engine import Selection, all_rules
    from nvidia_variant_provider.tools.verify.json_model import build_document

    if args.codes:
        output.emit_lines(f"{one.code} {one.severity.value}: {one.title}" for one in all_rules())
        return 0
    if not args.wheels:
        raise InvalidValueError("name the wheels to verify, or --codes")
    selection = Selection.build(args.select, args.ignore)
    wheels, failures = _read(args.wheels, args.threshold)
    document = build_document(args.threshold, _verify(wheels, selection), failures)
    if args.json:
        output.emit_json(document.model_dump(mode="json"))
    else:
        _show(document, "the tags are true" if selection == Selection() else "nothing of these")
    for error in failures.values():
        output.fail("verify", error)
    if failures:
        return _EXIT_UNREADABLE
    return 0 if document.passed else _EXIT_FINDINGS


def _read(paths: Sequence[str], threshold: float) -> tuple[list[Facts], dict[str, str]]:
    from nvidia_variant_provider.errors import InvalidValueError
    from nvidia_variant_provider.tools.verify.facts import read_facts

    wheels, failures = [], {}
    for path in dict.fromkeys(paths):
        try:
            wheels.append(read_facts(path, threshold, min(os.cpu_count() or 1, 4)))
        except InvalidValueError as error:  # noqa: PERF203 - one must not hide the others
            failures[path] = str(error)
    return wheels, failures


def _verify(wheels: Sequence[Facts], selection: Selection) -> list[tuple[Facts, list[Finding]]]:
    from nvidia_variant_provider.tools.verify.engine import verify_release, verify_wheel

    between = list(verify_release(wheels, selection))
    return [
        (
            facts,
            [
                *verify_wheel(facts, selection),
                *(one for one in between if one.wheel == facts.wheel),
            ],
        )
        for facts in wheels
    ]


def _shares(wheel: WheelRecord) -> Iterator[str]:
    """Yield a line for each stated value; what groups have in common is told once."""
    for index, one in enumerate(wheel.stated):
        told: dict[str, list[str]] = {}
        for part in wheel.groups:
            text = _share(part.stated[index], part.containers)
            told.setdefault(text, []).append(part.name.removeprefix("CUDA "))
        parts = [f"{text} [CUDA {', '.join(names)}]" for text, names in told.items()]
        yield f"  {one.value}: {'; '.join(parts) or _share(one, wheel.containers)}"


def _share(one: ShareRecord, containers: int) -> str:
    share = 100 * one.serving / containers if containers else 0
    counts = f"{one.serving} of {containers} containers ({share:.0f} %)"
    is_exact = one.value.endswith("virtual") or not one.serving
    return counts if is_exact else f"{counts}, {one.exact} of them for just this"


def _show(document: Verification, praise: str) -> None:
    for wheel in document.wheels:
        output.emit_lines([f"{wheel.path}: {_summary(wheel) or praise}"])
        output.emit_lines(_shares(wheel))
        for finding in wheel.findings:
            subject = f"{finding.subject}: " if finding.subject else ""
            output.emit_lines([f"  {finding.code} {finding.severity}: {subject}{finding.message}"])


def _summary(wheel: WheelRecord) -> str:
    counts = {
        name: sum(one.severity == name for one in wheel.findings)
        for name in ("error", "warning", "note")
    }
    words = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
    return ", ".join(words)
