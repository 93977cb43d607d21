"""JSON Schema (2020-12) of Python's annotations, as far as they say what a value looks like.

What is absent: names of types (``$defs``; a type that contains itself is an ``object`` there),
validation, and anything beyond the standard library. What is not known is ``{}``.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import enum
import types
import typing
from typing import Any

__all__ = ["Schema", "schema_of"]

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    None: {"type": "null"},
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    bytearray: {"type": "string", "contentEncoding": "base64"},
    memoryview: {"type": "string", "contentEncoding": "base64"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
}

_LISTS = (
    list,
    set,
    frozenset,
    collections.deque,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Set,
    collections.abc.Collection,
    collections.abc.Iterable,
)
_MAPS = (
    dict,
    collections.OrderedDict,
    collections.defaultdict,
    collections.abc.Mapping,
    collections.abc.MutableMapping,
)


def schema_of(annotation: Any, within: tuple[Any, ...] = ()) -> Schema:
    """The schema of values of ``annotation``; ``within`` are the classes that it is a part of."""
    try:
        plain = _PLAIN.get(annotation)
    except TypeError:
        # An annotation that is no type at all.
        return {}
    if plain is not None:
        return dict(plain)
    if isinstance(annotation, typing.NewType):
        return schema_of(annotation.__supertype__, within)
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _generic(origin, typing.get_args(annotation), within)
    if isinstance(annotation, type):
        return _class(annotation, within)
    return {}


def _generic(origin: Any, arguments: tuple[Any, ...], within: tuple[Any, ...]) -> Schema:
    if origin is typing.Annotated:
        return schema_of(arguments[0], within)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(argument, within) for argument in arguments]}
    return _container(origin, arguments, within)


def _container(origin: Any, arguments: tuple[Any, ...], within: tuple[Any, ...]) -> Schema:
    if origin is tuple:
        return _tuple(arguments, within)
    if origin in _LISTS:
        return _with({"type": "array"}, "items", arguments[:1], within)
    if origin in _MAPS:
        return _with({"type": "object"}, "additionalProperties", arguments[1:2], within)
    return {}


def _with(schema: Schema, key: str, inner: tuple[Any, ...], within: tuple[Any, ...]) -> Schema:
    if inner:
        schema[key] = schema_of(inner[0], within)
    return schema


def _tuple(arguments: tuple[Any, ...], within: tuple[Any, ...]) -> Schema:
    if not arguments:
        return {"type": "array"}
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": schema_of(arguments[0], within)}
    return {
        "type": "array",
        "prefixItems": [schema_of(argument, within) for argument in arguments],
        "minItems": len(arguments),
        "items": False,
    }


def _class(cls: type, within: tuple[Any, ...]) -> Schema:
    if cls is tuple or cls in _LISTS or cls in _MAPS:
        return _container(cls, (), within)
    if issubclass(cls, enum.Enum):
        return {"title": cls.__name__, "enum": [member.value for member in cls]}
    if cls in within:
        return {"title": cls.__name__, "type": "object"}
    if dataclasses.is_dataclass(cls):
        absent = dataclasses.MISSING
        fields = [field for field in dataclasses.fields(cls) if field.init]
        required = [
            field.name
            for field in fields
            if field.default is absent and field.default_factory is absent
        ]
        return _object(cls, [field.name for field in fields], required, within)
    if typing.is_typeddict(cls):
        required_keys: frozenset[str] = getattr(cls, "__required_keys__", frozenset())
        names = list(cls.__annotations__)
        return _object(cls, names, [name for name in names if name in required_keys], within)
    return {}


def _object(cls: type, names: list[str], required: list[str], within: tuple[Any, ...]) -> Schema:
    hints = hints_of(cls)
    inside = (*within, cls)
    schema: Schema = {
        "title": cls.__name__,
        "type": "object",
        "properties": {name: schema_of(hints.get(name, Any), inside) for name in names},
    }
    if required:
        schema["required"] = required
    return schema


def hints_of(annotated: Any) -> dict[str, Any]:
    """The annotations of a function or class; those that name nothing known are left out."""
    try:
        return typing.get_type_hints(annotated)
    except Exception:
        # One name that only a type checker knows spoils all of them.
        raw = getattr(annotated, "__annotations__", None) or {}
        return {name: hint for name, hint in raw.items() if not isinstance(hint, str)}
