"""Variant markers in requirements: ``cublas; variant_label == 'cuda13.0'``.

Source: PEP 825, Environment markers. ``variant_label`` is a text, empty for the wheel without a
label. ``variant_namespaces``, ``variant_features`` and ``variant_properties`` are sets, which can
only be asked for a member. All other variables are the environment's: ``packaging`` reads those.

No released installer reads these markers. ``evaluate`` answers them for one label, so that what
is left of a requirement is text that every installer reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.metadata.ordering import Properties

LABEL: Final = "variant_label"
NAMESPACES: Final = "variant_namespaces"
FEATURES: Final = "variant_features"
PROPERTIES: Final = "variant_properties"
SETS: Final = (NAMESPACES, FEATURES, PROPERTIES)

# Measured with these versions; a later one that reads the markers narrows the sentence.
WHO_REFUSES_MARKERS: Final = (
    "uv refuses the release, pip 26.3 the wheel, and Poetry 2.5 drops the dependency"
)

_PREFIX: Final = "variant_"
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>[()]|[<>=!~]+))\s*"""
)
_SHOWN: Final = 90
# Each level costs five calls; deeper nesting is nobody's requirement.
_DEEPEST: Final = 50


@dataclass(frozen=True, slots=True)
class EnvironmentTest:
    """One comparison that says nothing of variants, as written: ``sys_platform == 'linux'``."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class VariantTest:
    """One comparison with a variant variable: ``value`` is the text it is compared with.

    ``operator`` is ``==``, ``!=``, ``in`` or ``not in``. ``is_reversed`` says that the text stands
    on the left, as it must with a set: ``'nvidia' in variant_namespaces``.
    """

    variable: str
    operator: str
    value: str
    is_reversed: bool

    def __str__(self) -> str:
        quote = '"' if "'" in self.value else "'"
        sides = (f"{quote}{self.value}{quote}", self.variable)
        left, right = sides if self.is_reversed else sides[::-1]
        return f"{left} {self.operator} {right}"

    def answer(self, label: str, properties: Properties) -> bool | None:
        """Tell whether it holds for a label; ``None`` if the machine decides.

        PEP 825 takes from ``variant_properties`` what the machine does not support, so of several
        values of one feature nobody knows beforehand which ones are left.
        """
        if self.variable != LABEL:
            return _has_member(self, properties)
        if self.operator in {"==", "!="}:
            return (self.value == label) == (self.operator == "==")
        part, whole = (self.value, label) if self.is_reversed else (label, self.value)
        return (part in whole) == (self.operator == "in")


@dataclass(frozen=True, slots=True)
class Combined:
    """Tests that ``and`` or ``or`` joins; always two or more."""

    word: str
    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        inner = (f"({part})" if isinstance(part, Combined) else str(part) for part in self.parts)
        return f" {self.word} ".join(inner)


Expression: TypeAlias = EnvironmentTest | VariantTest | Combined


@dataclass(frozen=True, slots=True)
class MarkedRequirement:
    """A requirement with a variant marker: what stands before ``;``, and the marker."""

    requirement: str
    marker: Expression

    @property
    def tests(self) -> tuple[VariantTest, ...]:
        """The comparisons with variant variables, from left to right."""
        return tuple(_tests(self.marker))

    def evaluate(self, label: str, properties: Properties) -> str | None:
        """Return the requirement that is left for a label; ``None`` if it does not apply.

        ``label`` is empty for the wheel without one. Raises ``InvalidValueError`` for a marker
        whose answer depends on the machine.
        """
        left = _simplified(self.marker, label, properties)
        if isinstance(left, bool):
            return self.requirement if left else None
        if open_tests := list(_tests(left)):
            raise InvalidValueError(
                f"{self.requirement}: {open_tests[0]}: {label or 'the wheel'} has several values of"
                f" this feature, and the machine decides which of them count; expected a marker"
                f" that the label decides, such as {LABEL} == {label!r}"
            )
        # Behind an address a semicolon would be part of it.
        return f"{self.requirement}{' ;' if '@' in self.requirement else ';'} {left}"


def parse_marked(text: str) -> MarkedRequirement | None:
    """Read a requirement; ``None`` if it has no variant marker, which is for ``packaging`` then.

    Raises ``InvalidValueError`` for one that has, and is not of the form it should be.
    """
    before, marker = _split(text)
    if not any(word.startswith(_PREFIX) for word in _words(marker)):
        return None
    try:
        Requirement(before)
    except InvalidRequirement as error:
        raise InvalidValueError(f"{text:.{_SHOWN}}: not a requirement: {before!r:.60}") from error
    return MarkedRequirement(before, _Parser(marker, text).parse())


def has_marker(text: str) -> bool:
    """Tell whether a requirement has a variant marker that can be read."""
    return not fault_of_marker(text) and parse_marked(text) is not None


def fault_of_marker(text: str) -> str:
    """Say what is wrong with a requirement's variant marker; empty if nothing is."""
    try:
        parse_marked(text)
    except InvalidValueError as error:
        return str(error)
    return ""


def _split(text: str) -> tuple[str, str]:
    # An address may hold a semicolon; one with a blank before it ends the address.
    is_url = re.match(r"\s*[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\]\s*)?@", text) is not None
    before, _, marker = re.sub(r"\s;", "\0", text, count=1).partition("\0") if is_url else (
        text.partition(";")
    )  # fmt: skip
    return before.strip(), marker


def _words(marker: str) -> Iterator[str]:
    yield from re.findall(r"[A-Za-z_][\w.]*", re.sub(r"'[^']*'|\"[^\"]*\"", " ", marker))


class _Parser:
    """Recursive descent over one marker; ``whole`` is the requirement, for messages."""

    def __init__(self, marker: str, whole: str) -> None:
        self._whole = whole
        self._tokens: list[str] = []
        self._at = 0
        place = 0
        while place < len(marker):
            match = _TOKEN.match(marker, place)
            if match is None:
                raise self._error(f"cannot be read from {marker[place : place + 20]!r} on")
            self._tokens.append(match[0].strip())
            place = match.end()

    def parse(self) -> Expression:
        expression = self._joined("or", 0)
        if self._at < len(self._tokens):
            raise self._error(f"seen {self._peek()!r:.40}, expected 'and', 'or' or the end")
        return expression

    def _joined(self, word: str, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise self._error(f"more than {_DEEPEST} parentheses within each other")
        parts = [self._below(word, depth)]
        while self._peek() == word:
            self._at += 1
            parts.append(self._below(word, depth))
        return parts[0] if len(parts) == 1 else Combined(word, tuple(parts))

    def _below(self, word: str, depth: int) -> Expression:
        return self._joined("and", depth) if word == "or" else self._atom(depth)

    def _atom(self, depth: int) -> Expression:
        if self._peek() != "(":
            return self._comparison()
        self._at += 1
        expression = self._joined("or", depth + 1)
        if self._peek() != ")":
            raise self._error("a parenthesis is not closed")
        self._at += 1
        return expression

    def _comparison(self) -> Expression:
        left, operator = self._next(), self._next()
        if operator == "not":
            operator = f"not {self._next()}"
        right = self._next()
        variables = [operand for operand in (left, right) if operand.startswith(_PREFIX)]
        if not variables:
            return self._environment(f"{left} {operator} {right}")
        variable = variables[0]
        text = left if right == variable else right
        if text[:1] not in {"'", '"'}:
            raise self._error(f"{variable} is compared with {text}, expected a text in quotes")
        test = VariantTest(variable, operator, _plain(variable, text[1:-1]), right == variable)
        self._check(test)
        return test

    def _environment(self, text: str) -> EnvironmentTest:
        try:
            Marker(text)
        except InvalidMarker as error:
            raise self._error(f"{text!r:.60} is not a comparison") from error
        return EnvironmentTest(text)

    def _check(self, test: VariantTest) -> None:
        if test.variable == LABEL:
            if test.operator not in {"==", "!=", "in", "not in"}:
                raise self._error(f"{LABEL} {test.operator}: expected ==, !=, 'in' or 'not in'")
        elif test.variable not in SETS:
            raise self._error(f"no variable {test.variable}; expected {', '.join((LABEL, *SETS))}")
        elif not test.is_reversed or test.operator not in {"in", "not in"}:
            raise self._error(f"{test.variable} is a set: expected 'text' in {test.variable}")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise self._error("it ends within a comparison")
        self._at += 1
        return self._tokens[self._at - 1]

    def _error(self, reason: str) -> InvalidValueError:
        return InvalidValueError(f"{self._whole:.{_SHOWN}}: variant marker: {reason}")


def _plain(variable: str, value: str) -> str:
    """Bring a member of a set into the form ``a :: b :: c``: blanks around ``::`` do not count."""
    return value if variable == LABEL else " :: ".join(part.strip() for part in value.split("::"))


def _has_member(test: VariantTest, properties: Properties) -> bool | None:
    namespace, *more = test.value.split(" :: ")
    features = properties.get(namespace, {})
    if len(more) != SETS.index(test.variable):
        is_there = False
    elif test.variable == NAMESPACES:
        is_there = namespace in properties
    elif test.variable == FEATURES:
        is_there = more[0] in features
    else:
        values = features.get(more[0], ())
        is_there = more[1] in values
        if is_there and len(values) > 1:
            return None
    return is_there == (test.operator == "in")


def _tests(expression: Expression) -> Iterator[VariantTest]:
    if isinstance(expression, Combined):
        for part in expression.parts:
            yield from _tests(part)
    elif isinstance(expression, VariantTest):
        yield expression


def _simplified(expression: Expression, label: str, properties: Properties) -> Expression | bool:
    """Answer what a label decides, and return what it leaves open."""
    if isinstance(expression, EnvironmentTest):
        return expression
    if isinstance(expression, VariantTest):
        answer = expression.answer(label, properties)
        return expression if answer is None else answer
    # True decides an "or", false an "and"; the other one says nothing there.
    decisive = expression.word == "or"
    left = [_simplified(part, label, properties) for part in expression.parts]
    if any(part is decisive for part in left):
        return decisive
    parts = tuple(part for part in left if not isinstance(part, bool))
    if len(parts) < 2:  # noqa: PLR2004 - what joins needs two sides
        return parts[0] if parts else not decisive
    return Combined(expression.word, parts)
