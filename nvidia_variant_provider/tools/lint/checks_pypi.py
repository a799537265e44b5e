"""NV7xx, with ``--for pypi``: what must be true before a release with labels goes to PyPI.

PyPI (tree of August 2026) reads the names of uploads with ``packaging``, which refuses labels; its
other rules are those for every upload, and what PEP 825 and PEP 850 ask of packages on PyPI.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement

from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.metadata.schemas import schema_of
from nvidia_variant_provider.tools.parsed import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.releases.lenient import LenientView

PYPI: Final[Registry[LenientView]] = Registry()

# PyPI's limit for a file unless a project asked for more.
_MAX_MB: Final = 100


@PYPI.check("NV701", Severity.ERROR, Uv.NONE, "PyPI does not accept wheels with a label yet")
def check_labels_accepted(release: LenientView) -> Iterator[Problem]:
    """Report variant wheels: an upload of one is refused for its file name."""
    for wheel in release.variant_wheels:
        message = f"the label {wheel.name.label} makes PyPI refuse the file name"
        yield Problem(wheel.source, "", message)


@PYPI.check("NV702", Severity.ERROR, Uv.NONE, "a draft of the format is not for production")
def check_final_format(release: LenientView) -> Iterator[Problem]:
    """Report formats whose version begins with 0."""
    for document in release.documents:
        schema = schema_of(document.schema or "")
        if schema is not None and schema.version.startswith("0."):
            message = f"version {schema.version}; expected 1.0.0 or later, which is not published"
            yield Problem(document.source, "$schema", message)


@PYPI.check("NV703", Severity.ERROR, Uv.NONE, "PyPI does not accept local versions")
def check_no_local_version(release: LenientView) -> Iterator[Problem]:
    """Report wheels with a local version, with a label or without."""
    for wheel in release.wheels:
        if "+" in wheel.name.version:
            yield Problem(wheel.source, "", f"the version is {wheel.name.version}")


@PYPI.check("NV704", Severity.WARNING, Uv.NONE, "the provider must be on PyPI first")
def check_providers_published(release: LenientView) -> Iterator[Problem]:
    """Name what a release relies on: a package on PyPI may not need a plugin from elsewhere."""
    reference = release.reference
    for namespace, provider in reference.providers.items() if reference else ():
        for text in texts(provider.get("requires")):
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            where = f"providers/{namespace}/requires"
            elsewhere = f"it comes from {requirement.url:.60}" if requirement.url else "not checked"
            message = f"{requirement.name} has to be on PyPI before this release: {elsewhere}"
            yield Problem(reference.source if reference else "", where, message)


@PYPI.check("NV705", Severity.ERROR, Uv.NONE, "no wheel without a label")
def check_plain_wheel(release: LenientView) -> Iterator[Problem]:
    """Report releases that have nothing for pip and others that know no variants."""
    has_plain = any(not wheel.name.label for wheel in release.wheels)
    if release.whole and release.variant_wheels and not has_plain:
        message = "pip, Poetry and PDM take wheels without a label only, and there is none"
        yield Problem(release.variant_wheels[0].source, "", message)


@PYPI.check("NV706", Severity.WARNING, Uv.NONE, "a file is larger than PyPI's default limit")
def check_sizes(release: LenientView) -> Iterator[Problem]:
    """Report wheels above the limit that holds unless a project asked for more."""
    for wheel in release.wheels:
        size = os.path.getsize(wheel.source)
        if size > _MAX_MB * 1024 * 1024:
            yield Problem(wheel.source, "", f"{size / 1024 / 1024:.0f} MB, more than {_MAX_MB} MB")
