"""JSON Schema (2020-12) of Python's annotations, and what else is to know of annotations.

What is absent: names of types (``$defs``; a type that contains itself is an ``object`` there), and
the conversion of values, see ``wampy.conversion``. What is not known is ``{}``.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import inspect
import sys
import types
import typing
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Record", "Schema", "handler_hints", "hints_of", "record_of", "schema_of"]

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
    # In seconds.
    datetime.timedelta: {"type": "number"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": "string"},
}

#: What takes its items from a list.
LISTS = (
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
#: What takes its items from a map.
MAPS = (
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
    if origin in LISTS:
        return _with({"type": "array"}, "items", arguments[:1], within)
    if origin in MAPS:
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
    if cls is tuple or cls in LISTS or cls in MAPS:
        return _container(cls, (), within)
    if issubclass(cls, enum.Enum):
        return {"title": cls.__name__, "enum": [member.value for member in cls]}
    if cls in within:
        return {"title": cls.__name__, "type": "object"}
    if is_pydantic(cls):
        return _pydantic(cls)
    record = record_of(cls)
    return _object(cls, record, within) if record is not None else {}


def _object(cls: type, record: Record, within: tuple[Any, ...]) -> Schema:
    hints = hints_of(cls)
    inside = (*within, cls)
    values = {name: schema_of(hints.get(name, Any), inside) for name in record.names}
    if record.is_list:
        return {
            "title": cls.__name__,
            "type": "array",
            "prefixItems": [titled(name, schema) for name, schema in values.items()],
            "minItems": len(record.required),
            "items": False,
        }
    schema: Schema = {"title": cls.__name__, "type": "object", "properties": values}
    if record.required:
        schema["required"] = list(record.required)
    return schema


def titled(name: str, schema: Schema) -> Schema:
    """The schema of a value that has a name, which says more than that of its class."""
    return {"title": name} | schema | {"title": name}


class Record(NamedTuple):
    """What a class of named values is made of."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    #: whether its values travel as a list, as those of a NamedTuple, and not as a map
    is_list: bool = False


def record_of(cls: type) -> Record | None:
    """The values that make a dataclass, a TypedDict or a NamedTuple; None for other classes."""
    if dataclasses.is_dataclass(cls):
        absent = dataclasses.MISSING
        fields = [field for field in dataclasses.fields(cls) if field.init]
        required = [
            field.name
            for field in fields
            if field.default is absent and field.default_factory is absent
        ]
        return Record(tuple(field.name for field in fields), tuple(required))
    if typing.is_typeddict(cls):
        names = tuple(hints_of(cls))
        keys: frozenset[str] = getattr(cls, "__required_keys__", frozenset())
        return Record(names, tuple(name for name in names if name in keys))
    tuple_names: tuple[str, ...] | None = getattr(cls, "_fields", None)
    if issubclass(cls, tuple) and tuple_names is not None:
        defaults = getattr(cls, "_field_defaults", {})
        needed = tuple(name for name in tuple_names if name not in defaults)
        return Record(tuple_names, needed, is_list=True)
    return None


def is_pydantic(cls: type) -> bool:
    """Whether pydantic knows how to make instances of the class; this imports nothing."""
    return hasattr(cls, "__pydantic_validator__")


def _pydantic(cls: type) -> Schema:
    from pydantic import TypeAdapter

    schema: Schema = TypeAdapter(cls).json_schema()
    return schema


def hints_of(annotated: Any, include_extras: bool = False) -> dict[str, Any]:
    """The annotations of a function or class; those that name nothing known are left out."""
    try:
        return typing.get_type_hints(annotated, include_extras=include_extras)
    except Exception:
        # One name that only a type checker knows spoils all of them, but not each of them.
        return _hints_one_by_one(annotated, include_extras)


def _hints_one_by_one(annotated: Any, include_extras: bool) -> dict[str, Any]:
    module = sys.modules.get(getattr(annotated, "__module__", ""))
    names = getattr(annotated, "__globals__", None) or vars(module or types)
    known: dict[str, Any] = {}
    try:
        raw = getattr(annotated, "__annotations__", None) or {}
    except NameError:
        return {}
    for name, hint in raw.items():
        alone = types.SimpleNamespace(__annotations__={name: hint})
        with contextlib.suppress(Exception):
            known.update(typing.get_type_hints(alone, names, include_extras=include_extras))
    return known


def handler_hints(handler: Callable[..., Any], include_extras: bool = False) -> dict[str, Any]:
    """The annotations of whatever runs when ``handler`` is called, behind its decorators."""
    return hints_of(_function(handler), include_extras)


def is_annotated(handler: Callable[..., Any]) -> bool:
    """Whether a parameter of ``handler`` has an annotation; this resolves none."""
    try:
        names = getattr(_function(handler), "__annotations__", None) or {}
    except NameError:
        # One that cannot be resolved is one.
        return True
    return any(name != "return" for name in names)


def _function(handler: Callable[..., Any]) -> Any:
    function = inspect.unwrap(handler)
    while isinstance(function, functools.partial):
        function = inspect.unwrap(function.func)
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__code__") and not inspect.isbuiltin(function):
        # An object that can be called; a class is called by its __init__.
        method = "__init__" if isinstance(function, type) else "__call__"
        function = getattr(type(function) if method == "__call__" else function, method, function)
    return inspect.unwrap(function)
