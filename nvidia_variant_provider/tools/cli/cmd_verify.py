"""``verify``: check that a variant wheel's properties match its device code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import checking, output
from nvidia_variant_provider.tools.cli.paths import has_label, wheels_of
from nvidia_variant_provider.tools.cli.threshold import add_threshold
from nvidia_variant_provider.tools.files import missing
from nvidia_variant_provider.tools.tagging.threshold import DEFAULT_SHARE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.findings.model import Finding
    from nvidia_variant_provider.tools.findings.selection import Selection
    from nvidia_variant_provider.tools.verify.json_model import ShareModel, WheelModel
    from nvidia_variant_provider.tools.verify.wheel import ExaminedWheel

    Verified = tuple[ExaminedWheel, list[Finding]]

_EPILOG: Final = """\
The properties that a wheel states are compared with the code of its own libraries, one kernel
container after the other. To compare the wheels of a release with each other, name all of them.
docs/verify.md has a section for every code.

examples:
  nvidia-variant-provider verify variants/*.whl
  nvidia-variant-provider verify --threshold 50 --ignore NV306 variants/*.whl
  nvidia-variant-provider verify --select NV30,NV32 --json variants/*.whl
  nvidia-variant-provider verify --output-format junit variants/ > verify.xml
  nvidia-variant-provider verify --list

exit codes:
  0  nothing worse than a note
  1  errors or warnings
  2  a wheel could not be verified
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "verify",
        help="check that a variant wheel's properties match its device code",
        description="Check that a variant wheel's properties match its device code.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "wheels", nargs="*", metavar="WHEEL", help="variant wheel, or folder of them"
    )
    add_threshold(parser, default=None)
    checking.add_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Verify every wheel, print what was found, and name what could not be verified."""
    from nvidia_variant_provider.tools.verify.engine import RULES

    configuration = checking.configuration_for(args, RULES)
    selection = checking.selection_of(configuration)
    if args.list:
        return checking.show_rules(RULES, selection)
    if not args.wheels:
        raise InvalidValueError("no wheel to verify; expected wheels or a folder of them")
    threshold = args.threshold or configuration.threshold or DEFAULT_SHARE
    wheels, failures = _read(wheels_of(args.wheels, has_label, all_exist=False), threshold)
    verified = _verify(wheels, selection)
    _emit(args.output_format, threshold, verified, failures, selection)
    for error in failures.values():
        output.fail("verify", error)
    if failures:
        return checking.EXIT_UNREADABLE
    fails = any(finding.fails for _, findings in verified for finding in findings)
    return checking.EXIT_FINDINGS if fails else checking.EXIT_OK


def _read(paths: Sequence[str], threshold: float) -> tuple[list[ExaminedWheel], dict[str, str]]:
    from nvidia_variant_provider.tools.verify.wheel import examine_wheel

    wheels, failures = [], {}
    for path in paths:
        if not os.path.exists(path):
            failures[path] = f"{path}: {missing(path)}"
            continue
        try:
            wheels.append(examine_wheel(path, threshold, min(os.cpu_count() or 1, 4)))
        except InvalidValueError as error:
            failures[path] = str(error)
    return wheels, failures


def _verify(wheels: Sequence[ExaminedWheel], selection: Selection) -> list[Verified]:
    from nvidia_variant_provider.tools.verify.engine import verify_release, verify_wheel

    between = list(verify_release(wheels, selection))
    return [
        (
            wheel,
            [
                *verify_wheel(wheel, selection),
                *(finding for finding in between if finding.problem.source == wheel.path),
            ],
        )
        for wheel in wheels
    ]


def _emit(
    form: str,
    threshold: float,
    verified: Sequence[Verified],
    failures: Mapping[str, str],
    selection: Selection,
) -> None:
    if form in {checking.TEXT, checking.JSON}:
        from nvidia_variant_provider.tools.verify.json_model import Verification, WheelModel

        if form == checking.JSON:
            document = Verification.of(threshold, verified, failures)
            output.emit_document(document)
            return
        praise = (
            "the properties match the device code"
            if selection.is_everything
            else "no findings of the selected codes"
        )
        for wheel, findings in verified:
            counts = checking.tally(findings, selection) if findings else praise
            output.emit_text([f"{wheel.path}: {counts}"])
            output.emit_text(_shares(WheelModel.of(wheel, findings)))
            checking.emit_findings(findings)
        return
    from nvidia_variant_provider.tools.findings.formats import Run, failure

    listed = [finding for _, findings in verified for finding in findings]
    listed += [failure(path, error) for path, error in failures.items()]
    files = (*(wheel.path for wheel, _ in verified), *failures)
    checking.emit_run(form, Run("verify", files, tuple(listed)))


def _shares(wheel: WheelModel) -> Iterator[str]:
    """Yield a line for each stated value; what groups have in common is told once."""
    for index, stated in enumerate(wheel.stated):
        told: dict[str, list[str]] = {}
        for part in wheel.groups:
            text = _share(part.stated[index], part.containers)
            told.setdefault(text, []).append(part.name.removeprefix("CUDA "))
        parts = [f"{text} [CUDA {', '.join(names)}]" for text, names in told.items()]
        yield f"  {stated.value}: {'; '.join(parts) or _share(stated, wheel.containers)}"


def _share(stated: ShareModel, containers: int) -> str:
    share = 100 * stated.serving / containers if containers else 0
    kind = "PTX" if stated.value.endswith("virtual") else "native code"
    text = f"{kind} for it in {stated.serving} of {containers} kernel containers ({share:.0f} %)"
    is_exact = stated.value.endswith("virtual") or not stated.serving
    return text if is_exact else f"{text}, {stated.exact} built exactly for it"
