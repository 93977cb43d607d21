"""Annotations become converters: what makes the values that they say of what came over the wire.

What is absent: scalars, see ``wampy.scalars``, and everything that is not known: any value passes
there as it is.
"""

from __future__ import annotations

import collections
import collections.abc
import enum
import inspect
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from wampy.forms import plain
from wampy.result import Result
from wampy.scalars import SCALARS, Converter, Mismatch, name_of, shown, wrong
from wampy.schema import LISTS, MAPS, hints_of, is_pydantic, record_of

__all__ = ["Compiler"]

_UNIONS = (typing.Union, types.UnionType)
#: How these say that a key of a TypedDict may be absent, or is not to be changed.
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly")


class Compiler:
    """Makes converters of annotations; a class that contains itself has one for both places."""

    def __init__(self) -> None:
        self._classes: dict[type, Converter | None] = {}

    def converter_of(self, annotation: Any) -> Converter | None:
        """See the function of that name."""
        if annotation is Any or annotation is object or annotation is inspect.Parameter.empty:
            return None
        if isinstance(annotation, typing.NewType):
            return self.converter_of(annotation.__supertype__)
        if type(annotation).__name__ == "TypeAliasType":
            # What ``type Name = ...`` makes.
            return self.converter_of(annotation.__value__)
        if annotation is None:
            return SCALARS[type(None)]
        origin = typing.get_origin(annotation)
        if origin is not None:
            return self._of_generic(annotation, origin, typing.get_args(annotation))
        return self._of_class(annotation) if isinstance(annotation, type) else None

    def _of_generic(
        self, annotation: Any, origin: Any, arguments: tuple[Any, ...]
    ) -> Converter | None:
        if origin is typing.Annotated and _is_constrained(arguments[1:]):
            return _pydantic(annotation)
        if origin is typing.Annotated or getattr(origin, "_name", None) in _QUALIFIERS:
            return self.converter_of(arguments[0])
        if origin is typing.Literal:
            return _literal(arguments)
        if origin in _UNIONS:
            return self._union(arguments)
        return self._of_container(origin, arguments)

    def _of_container(self, origin: Any, arguments: tuple[Any, ...]) -> Converter | None:
        if origin is tuple:
            return self._tuple(arguments)
        if origin in LISTS:
            return _list(origin, self.converter_of(arguments[0]))
        if origin in MAPS and len(arguments) == 2:
            return _map(origin, _key(arguments[0], self), self.converter_of(arguments[1]))
        return self._of_class(origin) if isinstance(origin, type) else None

    def _of_class(self, cls: type) -> Converter | None:
        if cls in SCALARS:
            return SCALARS[cls]
        if cls in self._classes:
            return self._classes[cls] or self._later(cls)
        if cls is tuple or cls in LISTS:
            return _list(cls, None)
        if cls in MAPS:
            return _map(cls, None, None)
        return self._of_made_class(cls)

    def _of_made_class(self, cls: type) -> Converter | None:
        if issubclass(cls, enum.Enum):
            return _enum(cls)
        return _pydantic(cls) if is_pydantic(cls) else self._record(cls)

    def _later(self, cls: type) -> Converter:
        """The converter of a class whose fields are being looked at."""

        def converted(value: Any) -> Any:
            return self._made(cls)(value)

        return converted

    def _made(self, cls: type) -> Converter:
        made = self._classes[cls]
        assert made is not None
        return made

    def _record(self, cls: type) -> Converter | None:
        record = record_of(cls)
        if record is None:
            return None
        self._classes[cls] = None
        hints = hints_of(cls, include_extras=True)
        fields = {name: self.converter_of(hints.get(name, Any)) for name in record.names}
        make = _from_list if record.is_list else _from_map
        self._classes[cls] = converter = make(cls, fields, record.required)
        return converter

    def _union(self, members: tuple[Any, ...]) -> Converter | None:
        converters = [self.converter_of(member) for member in members]
        if None in converters:
            return None
        optional = type(None) in members
        # 3 stays a whole number for ``float | int``, too.
        exact = tuple(member for member in members if member in (bool, int, float))
        names = " or ".join(name_of(member) for member in members)

        def union(value: Any) -> Any:
            if (value is None and optional) or type(value) in exact:
                return value
            problems = []
            for converter in converters:
                try:
                    return converter(value)  # type: ignore[misc]
                except Mismatch as mismatch:
                    problems.append(mismatch)
            # The only one that looked inside knows most.
            inside = [problem for problem in problems if problem.path or problem.is_inside]
            raise inside[0] if len(inside) == 1 else wrong(names, value)

        return union

    def _tuple(self, arguments: tuple[Any, ...]) -> Converter:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return _list(tuple, self.converter_of(arguments[0]))
        converters = [self.converter_of(argument) for argument in arguments if argument != ()]
        expected = f"a list of {len(converters)}"

        def fixed(value: Any) -> Any:
            items = _items(value, expected)
            if len(items) != len(converters):
                raise Mismatch(f"expected {expected}, not of {len(items)}")
            return tuple(_each(items, converters))

        return fixed


def _inside(step: str | int, converter: Converter | None, value: Any) -> Any:
    if converter is None:
        return value
    try:
        return converter(value)
    except Mismatch as mismatch:
        mismatch.path.insert(0, step)
        raise


def _each(items: Iterable[Any], converters: Iterable[Converter | None]) -> list[Any]:
    pairs = zip(converters, items, strict=False)
    return [_inside(index, converter, item) for index, (converter, item) in enumerate(pairs)]


def _items(value: Any, expected: str) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, (list, tuple)):
        return value
    if type(value) is Result and not value.kwargs:
        return value.args
    raise wrong(expected, value)


def _mapping(value: Any, expected: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    if type(value) is Result and not value.args:
        return value.kwargs
    raise wrong(expected, value)


def _list(origin: Any, converter: Converter | None) -> Converter:
    make = origin if origin in (tuple, set, frozenset, collections.deque) else list
    make = set if origin is collections.abc.Set else make

    def listed(value: Any) -> Any:
        items = _items(value, "a list")
        if converter is not None:
            items = [_inside(index, converter, item) for index, item in enumerate(items)]
        try:
            return make(items)
        except TypeError as error:
            # A set of lists.
            raise Mismatch(f"cannot be a {make.__name__}: {error}") from None

    return listed


def _map(origin: Any, key: Converter | None, converter: Converter | None) -> Converter:
    make = collections.OrderedDict if origin is collections.OrderedDict else dict

    def mapped(value: Any) -> Any:
        items = _mapping(value, "a map").items()
        return make(
            (_inside(name, key, name), _inside(name, converter, item)) for name, item in items
        )

    return mapped


def _key(annotation: Any, compiler: Compiler) -> Converter | None:
    """The converter of keys, which are text on the wire."""
    converter = compiler.converter_of(annotation)
    if annotation is not int:
        return converter

    def number(text: Any) -> Any:
        try:
            return int(text)
        except ValueError:
            raise wrong("a whole number as key", text) from None

    return number


def _literal(allowed: tuple[Any, ...]) -> Converter:
    expected = " or ".join(map(repr, allowed))

    def literal(value: Any) -> Any:
        for one in allowed:
            form = one.value if isinstance(one, enum.Enum) else one
            if type(form) is type(value) and form == value:
                return one
        raise wrong(expected, value)

    return literal


def _enum(cls: type[enum.Enum]) -> Converter:
    def member(value: Any) -> Any:
        try:
            return cls(value)
        except ValueError:
            pass
        for one in cls:
            # The value may have another form on the wire, as a tuple or a date has.
            form = list(one.value) if isinstance(one.value, tuple) else plain(one.value)
            if form is not NotImplemented and form == value:
                return one
        known = ", ".join(repr(one.value) for one in cls)
        raise wrong(f"{cls.__name__} ({known})", value)

    return member


def _from_map(
    cls: type, fields: dict[str, Converter | None], required: tuple[str, ...]
) -> Converter:
    """Dataclasses and TypedDicts. Keys that a dataclass does not have are left out."""
    is_dict = typing.is_typeddict(cls)

    def record(value: Any) -> Any:
        given = _mapping(value, cls.__name__)
        for name in required:
            if name not in given:
                raise Mismatch(f'lacks the key "{name}" of {cls.__name__}', is_inside=True)
        known = {
            name: _inside(name, converter, given[name])
            for name, converter in fields.items()
            if name in given
        }
        return {**given, **known} if is_dict else _make(cls, known)

    return record


def _from_list(
    cls: type, fields: dict[str, Converter | None], required: tuple[str, ...]
) -> Converter:
    """NamedTuples, which travel as lists; other peers may send maps."""
    by_name = _from_map(cls, fields, required)
    converters = list(fields.values())

    def record(value: Any) -> Any:
        if isinstance(value, dict):
            return by_name(value)
        items = _items(value, cls.__name__)
        if not len(required) <= len(items) <= len(converters):
            names = ", ".join(fields)
            raise Mismatch(f"expected {cls.__name__} ({names}), not a list of {len(items)}")
        return cls(*_each(items, converters))

    return record


def _make(cls: type, values: dict[str, Any]) -> Any:
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        # What its __post_init__ says.
        raise Mismatch(f"{cls.__name__} refuses it: {error}", is_inside=True) from None


def _is_constrained(metadata: Iterable[Any]) -> bool:
    """Whether pydantic, if the program uses it, has a say in an Annotated type."""
    modules = {type(one).__module__.partition(".")[0] for one in metadata}
    return "pydantic" in sys.modules and not modules.isdisjoint({"pydantic", "annotated_types"})


def _pydantic(annotation: Any) -> Converter:
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(annotation)

    def validate(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            first, *others = error.errors(include_url=False, include_context=False)
            more = f" (and {len(others)} more)" if others else ""
            mismatch = Mismatch(f"{first['msg']}, not {shown(first['input'])}{more}")
            mismatch.path.extend(first["loc"])
            raise mismatch from None

    return validate
