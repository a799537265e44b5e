"""Value types at a price an installer does not notice: ``dataclass`` and ``replace`` of our own.

``dataclasses`` compiles the methods of every frozen class anew in every process. For the thirty
classes of detection that is more time than asking the driver (docs/cost.md has the figures). Here
the methods are shared. A class looks and behaves the same, to type checkers, ``dataclasses.fields``
and ``dataclasses.replace`` as well; what this project does not use is left out.
"""

# ruff: noqa: ANN401 - these functions are methods of any class
from __future__ import annotations

import operator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[_T], _T]:
        """Do nothing: only type checkers are told."""
        return lambda function: function


_T = TypeVar("_T")


class _Made:
    """The default of a field whose value is made anew for each instance."""

    def __init__(self, factory: Callable[[], object]) -> None:
        self.factory = factory


def field(*, default_factory: Callable[[], _T]) -> _T:
    """Give a field a default that is made anew for each instance."""
    return _Made(default_factory)  # type: ignore[return-value]  # as dataclasses.field: a marker


@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *, frozen: bool = False, slots: bool, order: bool = False
) -> Callable[[type[_T]], type[_T]]:
    """Make a class a value type with slots, as ``dataclasses.dataclass`` does."""
    assert slots, "value types have slots"  # noqa: S101 - a mistake in a class statement
    methods = {**_SHARED, **(_FROZEN if frozen else {}), **(_ORDERED if order else {})}

    def make(cls: type[_T]) -> type[_T]:
        names = tuple(cls.__annotations__)
        own = {
            key: value for key, value in vars(cls).items() if key not in {"__dict__", "__weakref__"}
        }
        defaults = {name: own.pop(name) for name in names if name in own}
        # An operator that the class defines itself stays.
        kept = {key: value for key, value in own.items() if key in methods and key != "__hash__"}
        body = {**own, **methods, **kept, "__slots__": names, "__match_args__": names}
        # With one name alone it would return the value bare.
        values = operator.attrgetter(*names, names[0])
        body.update(_defaults=defaults, _values=values, __dataclass_fields__=_Fields())
        made: Any = type(cls.__name__, cls.__bases__, body)
        # They pass by the refusal of frozen classes, and are quicker than any way by name.
        setters = tuple(vars(made)[name].__set__ for name in names)
        made._setters = setters  # noqa: SLF001 - of the class that is being made
        return made  # type: ignore[no-any-return]  # a class made at run time

    return make


def replace(value: _T, **changes: Any) -> _T:
    """Return a copy with some fields changed."""
    names: tuple[str, ...] = type(value).__match_args__  # type: ignore[attr-defined]
    return type(value)(**{**{name: getattr(value, name) for name in names}, **changes})


class _Fields:
    """``__dataclass_fields__``, for ``dataclasses`` and what builds on it, made when asked for."""

    def __get__(self, instance: object, cls: Any) -> dict[str, object]:
        import dataclasses

        rows: list[Any] = []
        for name in cls.__match_args__:
            default = cls._defaults.get(name, dataclasses.MISSING)
            if isinstance(default, _Made):
                rows.append((name, object, dataclasses.field(default_factory=default.factory)))
            else:
                rows.append((name, object, dataclasses.field(default=default)))
        made: Any = dataclasses.make_dataclass(cls.__name__, rows)
        fields: dict[str, object] = made.__dataclass_fields__
        # The next one to ask finds them in the class: "dataclasses.replace" asks every time.
        cls.__dataclass_fields__ = fields
        return fields


def _fill(self: Any, *arguments: object, **named: object) -> None:
    setters = self._setters
    if named or len(arguments) != len(setters):
        arguments = _complete(type(self), arguments, named)
    for put, argument in zip(setters, arguments):  # noqa: B905 - they are as many
        put(self, argument)


def _complete(
    cls: Any, arguments: tuple[object, ...], named: dict[str, object]
) -> tuple[object, ...]:
    """Return a value for every field, in order: given by position, by name, or by default."""
    names: tuple[str, ...] = cls.__match_args__
    if len(arguments) > len(names):
        raise TypeError(f"{cls.__name__}() takes {len(names)} values, {len(arguments)} were given")
    values = list(arguments)
    for name in names[len(arguments) :]:
        if name in named:
            values.append(named.pop(name))
            continue
        if name not in cls._defaults:
            raise TypeError(f"{cls.__name__}() needs {name!r}")
        default = cls._defaults[name]
        values.append(default.factory() if isinstance(default, _Made) else default)
    if named:
        raise TypeError(f"{cls.__name__}() has no use for {', '.join(named)}")
    return tuple(values)


def _show(self: object) -> str:
    names: tuple[str, ...] = type(self).__match_args__  # type: ignore[attr-defined]
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
    return f"{type(self).__qualname__}({shown})"


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], object]:
    def method(self: Any, other: Any) -> object:
        if type(self) is not type(other):
            return NotImplemented
        values = self._values
        return compare(values(self), values(other))

    return method


def _reduce(self: Any) -> tuple[object, ...]:
    return type(self), self._values(self)[:-1]


def _hash(self: Any) -> int:
    return hash(self._values(self))


def _refuse(self: object, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot change")


_SHARED: dict[str, object] = {
    "__init__": _fill,
    "__repr__": _show,
    "__eq__": _comparing(operator.eq),
    "__hash__": None,
    "__reduce__": _reduce,
}
_FROZEN: dict[str, object] = {
    "__hash__": _hash,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
}
_ORDERED: dict[str, object] = {
    "__lt__": _comparing(operator.lt),
    "__le__": _comparing(operator.le),
    "__gt__": _comparing(operator.gt),
    "__ge__": _comparing(operator.ge),
}
