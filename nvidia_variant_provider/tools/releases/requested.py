"""What a person asks for: a project, or a version of one, as a requirement."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement

from nvidia_variant_provider.errors import InvalidValueError


def requirement_of(package: str, subject: str = "--package") -> Requirement:
    """Read ``torch`` or ``torch==2.14.1``, given by the option or argument ``subject``.

    Raises ``InvalidValueError`` naming both.
    """
    try:
        return Requirement(package)
    except InvalidRequirement as error:
        raise InvalidValueError(
            f"{subject} {package[:60]!r}: expected a requirement such as 'torch==2.14.1'"
        ) from error


def is_pin(package: str) -> bool:
    """Tell whether a requirement names one version, which takes yanked files too (PEP 592)."""
    try:
        operators = {specifier.operator for specifier in Requirement(package).specifier}
    except InvalidRequirement:
        return False
    return bool(operators & {"==", "==="})
