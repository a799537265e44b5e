"""Which findings count: the one selector of ``lint``, ``verify`` and ``inspect``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.findings.model import Finding, Rule


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes by their beginnings; of a selected and an ignored beginning the longer one wins.

    Without ``select`` every code is selected. ``NV301`` selected and ``NV30`` ignored leaves NV301
    of the NV30x; equally long, the code is ignored. ``per_file`` ignores more in files whose path
    or name matches a pattern: ``("*-null.whl", ("NV332",))``.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __contains__(self, rule: Rule) -> bool:
        return _longest(self.select or ("",), rule) > _longest(self.ignore, rule)

    def keeps(self, finding: Finding) -> bool:
        """Tell whether a finding counts, in the file that it is of."""
        if finding.rule not in self:
            return False
        path = finding.problem.source.partition("!")[0]
        return not any(
            finding.rule.code.startswith(codes)
            for pattern, codes in self.per_file
            if _matches(path, pattern)
        )

    @property
    def is_everything(self) -> bool:
        """Tell whether no code is left out by request."""
        return self == EVERYTHING


EVERYTHING: Final = Selection()


def check_codes(prefixes: Sequence[str], rules: Iterable[Rule], where: str = "") -> None:
    """Hold beginnings of codes to the codes there are; a misspelt one would silence nothing.

    Raises ``InvalidValueError`` naming the beginning and near codes.
    """
    codes = sorted(rule.code for rule in rules)
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in codes):
            raise InvalidValueError(
                f"{where}no code starts with {prefix!r:.60}; there are {_shown(codes, prefix)}"
            )


def _shown(codes: Sequence[str], prefix: str) -> str:
    near = [code for code in codes if code[:3] == prefix[:3]] or codes
    return ", ".join(near)


def _matches(path: str, pattern: str) -> bool:
    name = path.replace("\\", "/").rpartition("/")[2]
    return fnmatchcase(path, pattern) or fnmatchcase(name, pattern)


def _longest(prefixes: Iterable[str], rule: Rule) -> int:
    return max((len(prefix) for prefix in prefixes if rule.code.startswith(prefix)), default=-1)
