"""Selects checks, runs them over what was read, and collects the findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity, Uv
from nvidia_variant_provider.tools.findings.selection import EVERYTHING, Selection
from nvidia_variant_provider.tools.lint.checks_document import DOCUMENT
from nvidia_variant_provider.tools.lint.checks_lock import LOCK, documents_of
from nvidia_variant_provider.tools.lint.checks_property import PROPERTY
from nvidia_variant_provider.tools.lint.checks_provider import PROVIDER
from nvidia_variant_provider.tools.lint.checks_pypi import PYPI
from nvidia_variant_provider.tools.lint.checks_release import RELEASE
from nvidia_variant_provider.tools.lint.checks_requirement import REQUIREMENT
from nvidia_variant_provider.tools.lint.checks_selection import SELECTION
from nvidia_variant_provider.tools.lint.sources import gather
from nvidia_variant_provider.tools.metadata.as_written import Broken, Kind
from nvidia_variant_provider.tools.metadata.document import SCHEMA_825, SCHEMA_850
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.metadata.schemas import DRAFTS
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.tools.lint.sources import Gathered
    from nvidia_variant_provider.tools.metadata.as_written import Document
    from nvidia_variant_provider.tools.releases.lenient import LenientView

REFUSED: Final = Rule("NV199", Severity.ERROR, "the format does not allow the file")
FILE_NAME: Final = Rule("NV410", Severity.ERROR, "no installer looks for this file name", Uv.SKIPS)

WHEEL_NAME: Final = Rule("NV411", Severity.ERROR, "not a wheel's file name", Uv.SKIPS)

_DOCUMENT_CHECKS: Final = (*DOCUMENT.checks, *PROVIDER.checks, *PROPERTY.checks)

RULES: Final = tuple(
    sorted(
        (
            REFUSED,
            FILE_NAME,
            WHEEL_NAME,
            *(check.rule for check in _DOCUMENT_CHECKS),
            *LOCK.rules,
            *RELEASE.rules,
            *REQUIREMENT.rules,
            *SELECTION.rules,
            *PYPI.rules,
        ),
        key=lambda rule: rule.code,
    )
)
"""Every rule, by code."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run looked at, and the findings in the order of files and codes."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def fails(self) -> bool:
        """Tell whether there is more than notes."""
        return any(finding.fails for finding in self.findings)


def lint(
    paths: Iterable[str],
    selection: Selection = EVERYTHING,
    watch: Callable[[int], Callable[[int, str], None]] = lambda _files: lambda _more, _name: None,
    *,
    for_pypi: bool = False,
) -> Report:
    """Lint files and folders; raises ``InvalidValueError`` for a path that is neither.

    ``for_pypi`` adds the checks of NV7xx, which hold for uploads to PyPI alone.

    A release is read, judged and let go before the next one. ``watch`` is told the number of
    files and returns what is told of every number that is done, with the name of what is in work.
    """
    gathered = gather(paths)
    done = watch(len(gathered.files))
    findings = [finding for finding in _of_names(gathered) if selection.keeps(finding)]
    for document in gathered.documents:
        done(1, document.source)
        findings += [finding for finding in _of_documents([document]) if selection.keeps(finding)]
    for lock in gathered.locks:
        done(1, lock.source)
        of_lock = [finding for check in LOCK.checks for finding in check.run(lock)]
        findings += [
            finding
            for finding in (*of_lock, *_of_documents(documents_of(lock)))
            if selection.keeps(finding)
        ]
    for read in gathered.releases:
        done(0, f"{read.name} {read.version}")
        release = read.lenient
        more = PYPI.checks if for_pypi else ()
        of_upload = [finding for check in more for finding in check.run(release)]
        findings += [
            finding for finding in (*_of_release(release), *of_upload) if selection.keeps(finding)
        ]
        done(len(release.wheels) + (release.index is not None), "")
    return Report(gathered.files, tuple(_merge(findings)))


def _of_release(release: LenientView) -> list[Finding]:
    findings = list(_of_documents(release.documents))
    # Which build wins is no question as long as the metadata cannot be read as it was meant.
    refused = any(finding.rule.severity is Severity.ERROR for finding in findings)
    always = (*RELEASE.checks, *REQUIREMENT.checks)
    for check in always if refused else (*always, *SELECTION.checks):
        findings += check.run(release)
    return findings


def _of_documents(documents: Iterable[Document]) -> Iterator[Finding]:
    for document in documents:
        if document.broken is not None:
            # Nothing else can be said of it, but which of the two it is.
            checks = [check for check in _DOCUMENT_CHECKS if check.rule.code in _OF_BROKEN]
        else:
            checks = list(_DOCUMENT_CHECKS)
        findings = [finding for check in checks for finding in check.run(document)]
        yield from findings
        if all(finding.rule.severity is not Severity.ERROR for finding in findings):
            yield from _refused(document)


_OF_BROKEN: Final = {"NV101", "NV102"}


def _refused(document: Document) -> Iterator[Finding]:
    """Hold a document without an error to the reader that the other tools use."""
    if document.kind is Kind.PYPROJECT or document.broken is Broken.SYNTAX:
        return
    data = document.data
    if document.schema in DRAFTS:
        # What was replaced has a warning of its own; the rest is held to the present format.
        current = SCHEMA_850 if "providers" in document.raw else SCHEMA_825
        data = json.dumps({**document.raw, "$schema": current}).encode()
    try:
        parse_metadata(data, document.source)
    except MetadataError as error:
        message = f"seen {error.seen}, expected {error.expected}"
        yield Finding(REFUSED, Problem(document.source, error.key, message))


def _of_names(gathered: Gathered) -> Iterator[Finding]:
    for path in gathered.unnamed:
        message = "expected {name}-{version}-variants.json with '_' for '-' in name and version"
        yield Finding(FILE_NAME, Problem(path, "", message))
    for path, message in gathered.misnamed:
        yield Finding(WHEEL_NAME, Problem(path, "", message))


def _merge(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Show a problem that several files share once, under the first."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.rule.code, finding.problem.key, finding.problem.message)
        groups.setdefault(key, []).append(finding)
    for first, *others in groups.values():
        sources = dict.fromkeys(other.problem.source for other in others)
        sources.pop(first.problem.source, None)
        yield replace(first, also_in=tuple(sources))
