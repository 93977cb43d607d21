"""What a client says of its procedures and topics to people who browse a live system.

The form of a definition is in ``docs/reflection.md``. What is absent: the sending, which the
session does only where the router announces reflection, and without waiting for the answer.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Callable, Collection
from typing import Any

from wampy.schema import Schema, handler_hints, schema_of, titled

__all__ = ["definition_of"]

#: How much of a docstring is told, in characters; a definition may have 64 KiB.
DOC_MAX = 16 * 1024

_GENERATORS = (
    collections.abc.Generator,
    collections.abc.Iterator,
    collections.abc.Iterable,
)
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def definition_of(
    handler: Callable[..., Any], kind: str, match: str, ours: Collection[str] = ()
) -> dict[str, Any]:
    """What ``handler`` says of itself: docstring, and schemas of what it takes and returns.

    Args:
        handler: the function.
        kind: ``procedure`` or ``topic``.
        match: how the URI is registered or subscribed to.
        ours: the keywords that this package gives the handler, and no caller.
    """
    definition: dict[str, Any] = {"kind": kind, "match": match}
    doc = inspect.getdoc(handler)
    if doc:
        definition["doc"] = doc[:DOC_MAX]
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        # Some built-in functions have none.
        return definition
    hints = handler_hints(handler)
    parameters = [one for one in signature.parameters.values() if one.name not in ours]
    definition["args"] = _args(parameters, hints)
    kwargs = _kwargs(parameters, hints)
    if kwargs:
        definition["kwargs"] = kwargs
    if kind == "procedure" and "return" in hints:
        _add_result(definition, hints["return"], inspect.isgeneratorfunction(handler))
    return definition


def _args(parameters: list[inspect.Parameter], hints: dict[str, Any]) -> Schema:
    named = [one for one in parameters if one.kind in _BY_POSITION]
    rest = [one for one in parameters if one.kind is inspect.Parameter.VAR_POSITIONAL]
    schema: Schema = {"type": "array"}
    if named:
        schema["prefixItems"] = [titled(one.name, _parameter(one, hints)) for one in named]
    required = sum(one.default is inspect.Parameter.empty for one in named)
    if required:
        schema["minItems"] = required
    schema["items"] = _parameter(rest[0], hints) if rest else False
    return schema


def _kwargs(parameters: list[inspect.Parameter], hints: dict[str, Any]) -> Schema:
    """Of what can come by keyword alone; other arguments may come so, too."""
    named = [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
    rest = [one for one in parameters if one.kind is inspect.Parameter.VAR_KEYWORD]
    if not named and not rest:
        return {}
    schema: Schema = {"type": "object"}
    if named:
        schema["properties"] = {one.name: _parameter(one, hints) for one in named}
    required = [one.name for one in named if one.default is inspect.Parameter.empty]
    if required:
        schema["required"] = required
    if rest and rest[0].name in hints:
        schema["additionalProperties"] = _parameter(rest[0], hints)
    return schema


def _parameter(parameter: inspect.Parameter, hints: dict[str, Any]) -> Schema:
    schema = schema_of(hints.get(parameter.name, Any))
    default = parameter.default
    if default is None or isinstance(default, (bool, int, float, str)):
        schema["default"] = default
    return schema


def _add_result(definition: dict[str, Any], returned: Any, yields: bool) -> None:
    if not yields:
        definition["result"] = schema_of(returned)
        return
    if typing.get_origin(returned) not in _GENERATORS:
        return
    # Generator[part, sent, result], or Iterator[part], whose result is None.
    arguments = typing.get_args(returned)
    definition["progress"] = schema_of(arguments[0])
    definition["result"] = schema_of(arguments[2] if len(arguments) > 2 else None)
