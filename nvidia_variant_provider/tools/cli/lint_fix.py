"""``lint --fix``: repairs what ``convert`` and ``index`` can, and nothing that is a judgement.

Drafts of the format are converted to the present schema, in files and inside wheels. The metadata
file of a release is made of its wheels again where it is missing or differs from them. A file that
lists labels without a wheel stays: the wheels may lie elsewhere, and what it says would be lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output, previews
from nvidia_variant_provider.tools.files import write_atomically
from nvidia_variant_provider.tools.metadata.as_written import Kind, parse_document
from nvidia_variant_provider.tools.releases.files import METADATA_SUFFIX, ReleaseKey
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nvidia_variant_provider.tools.convert.files import Planned
    from nvidia_variant_provider.tools.findings.model import Finding
    from nvidia_variant_provider.tools.lint.engine import Report

CONVERTED: Final = frozenset({"NV104", "NV106"})
COMBINED: Final = frozenset({"NV401", "NV402", "NV404", "NV413"})


def convert_drafts(report: Report, *, dry_run: bool, as_diff: bool) -> bool:
    """Convert the files whose findings are about drafts; tell whether there were any."""
    done = False
    for path in sorted(_files(report, CONVERTED)):
        for planned in _planned(path):
            done = True
            if not dry_run:
                planned.write()
            _tell(planned, dry_run=dry_run, as_diff=as_diff)
    return done


def combine(report: Report, *, dry_run: bool, as_diff: bool) -> None:
    """Make the metadata files again that are missing or differ from the wheels beside them."""
    wrong = _files(report, COMBINED)
    for folder in sorted({path.parent for path in wrong}):
        for change in _changes(folder, wrong):
            if _loses_labels(change):
                output.note(
                    f"{change.path}: not fixed: it lists labels without a wheel, which would be "
                    f"lost; if they are to go: nvidia-variant-provider index {folder}"
                )
                continue
            if dry_run:
                previews.show([change], as_diff=as_diff)
            elif change.after is not None:
                write_atomically(change.path, change.after)
                output.emit_text([f"fixed: {change.path}"])


def _loses_labels(change: previews.Change) -> bool:
    """Tell whether a metadata file lists labels that no wheel beside it has."""
    if change.before is None or change.after is None:
        return False
    before = parse_document(change.before, str(change.path), Kind.RELEASE)
    after = parse_document(change.after, str(change.path), Kind.RELEASE)
    return not set(before.variants) <= set(after.variants)


def _planned(path: Path) -> Iterator[Planned]:
    from nvidia_variant_provider.tools.convert.document import TARGETS
    from nvidia_variant_provider.tools.convert.files import plan

    try:
        yield from (
            conversion for conversion in plan([str(path)], TARGETS["850"]) if conversion.is_changed
        )
    except InvalidValueError as error:
        output.note(f"not fixed: {error}")


def _tell(planned: Planned, *, dry_run: bool, as_diff: bool) -> None:
    if as_diff:
        output.emit_lines(planned.diff())
        return
    renamed = f" (renamed to {planned.target.name})" if planned.target != planned.path else ""
    output.emit_text([f"{'would change' if dry_run else 'fixed'}: {planned.path}{renamed}"])


def _changes(folder: Path, wrong: Collection[Path]) -> Iterator[previews.Change]:
    """Yield the metadata files of a folder's releases that have a finding and would change."""
    from nvidia_variant_provider.tools.index.releases import read_folder

    keys = {key for path in wrong if path.parent == folder and (key := _key(path)) is not None}
    try:
        releases = read_folder(folder).releases
    except InvalidValueError as error:
        output.note(f"not fixed: {error}")
        return
    for release in releases:
        path = folder / release.document_name
        before = path.read_bytes() if path.is_file() else None
        if release.document and _key(path) in keys and before != release.document:
            yield previews.Change(path, before, release.document)


def _key(path: Path) -> ReleaseKey | None:
    """Return the release that a wheel or a metadata file belongs to by its name."""
    if path.name.endswith(METADATA_SUFFIX):
        return ReleaseKey.of_metadata(path.name)
    return ReleaseKey.of_wheel(WheelName.parse(path.name))


def _files(report: Report, codes: Collection[str]) -> set[Path]:
    """Return the files that findings of these codes are about."""
    concerned = (finding for finding in report.findings if finding.rule.code in codes)
    return {_file(source) for finding in concerned for source in _sources(finding)}


def _sources(finding: Finding) -> tuple[str, ...]:
    return (finding.problem.source, *finding.also_in)


def _file(source: str) -> Path:
    """Return the file of a source, which may name a member of a wheel or a table of a file."""
    return Path(source.partition("!")[0].removesuffix("[variant]"))
