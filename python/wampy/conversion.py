"""Values that WAMP does not have, made of what came for them.

``convert`` makes the value that an annotation says, and ``prepared`` does so for the arguments of a
handler. What is absent: the way out, see ``wampy.forms``, and any work for handlers that need none.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any, TypeVar, overload

from wampy.converters import Compiler
from wampy.errors import ConversionError, InvalidArgumentError
from wampy.scalars import Converter, Mismatch
from wampy.schema import handler_hints, is_annotated

__all__ = ["convert", "converter_of", "prepared"]

_T = TypeVar("_T")


@overload
def convert(value: Any, annotation: type[_T]) -> _T: ...


@overload
def convert(value: Any, annotation: Any) -> Any: ...


def convert(value: Any, annotation: Any) -> Any:
    """Make of a plain value what ``annotation`` says: ``convert(client.call("order", 3), Order)``.

    Args:
        value: what a call returned, an event brought or a part of a result is.
        annotation: a class, or anything that may annotate a parameter.

    Raises:
        ConversionError: the value is not what the annotation says; the message tells where.
    """
    converter = converter_of(annotation)
    if converter is None:
        return value
    try:
        return converter(value)
    except Mismatch as mismatch:
        raise ConversionError(mismatch.told("value")) from None


def converter_of(annotation: Any) -> Converter | None:
    """What makes values of ``annotation``; None if any value is to pass as it is."""
    return Compiler().converter_of(annotation)


def prepared(handler: Callable[..., Any], ours: Collection[str] = ()) -> Callable[..., Any]:
    """The handler itself, or one that converts arguments as the handler's annotations say.

    Args:
        handler: the function, whose annotations are looked at now and never again.
        ours: the keywords that this package gives the handler, and no caller.

    Raises:
        InvalidArgumentError: (by what is returned) an argument is not what its annotation says.
    """
    if not is_annotated(handler):
        return handler
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return handler
    hints = handler_hints(handler, include_extras=True)
    compiler = Compiler()
    arguments = _Arguments()
    for name, parameter in signature.parameters.items():
        converter = None if name in ours else compiler.converter_of(hints.get(name, Any))
        arguments.add(parameter, converter)
    if not arguments.convert_any:
        return handler

    @functools.wraps(handler)
    def converting(*args: Any, **kwargs: Any) -> Any:
        return handler(*arguments.of_position(args), **arguments.of_keyword(kwargs))

    return converting


class _Arguments:
    """The converters of a handler's parameters."""

    def __init__(self) -> None:
        self._by_position: list[tuple[str, Converter | None]] = []
        self._more_by_position: tuple[str, Converter | None] = ("", None)
        self._by_keyword: dict[str, Converter | None] = {}
        self._more_by_keyword: Converter | None = None
        self.convert_any = False

    def add(self, parameter: inspect.Parameter, converter: Converter | None) -> None:
        self.convert_any = self.convert_any or converter is not None
        kind = parameter.kind
        if kind is parameter.VAR_POSITIONAL:
            self._more_by_position = (f"*{parameter.name}", converter)
        elif kind is parameter.VAR_KEYWORD:
            self._more_by_keyword = converter
        else:
            if kind is not parameter.KEYWORD_ONLY:
                self._by_position.append((parameter.name, converter))
            if kind is not parameter.POSITIONAL_ONLY:
                self._by_keyword[parameter.name] = converter

    def of_position(self, args: tuple[Any, ...]) -> list[Any]:
        """The positional arguments, converted; too many are for the handler to refuse."""
        converted = list(args)
        for index, value in enumerate(args):
            if index < len(self._by_position):
                name, converter = self._by_position[index]
            else:
                name, converter = self._more_by_position
            if converter is not None:
                converted[index] = _argument(name, converter, value)
        return converted

    def of_keyword(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by keyword, converted."""
        for name, value in kwargs.items():
            converter = self._by_keyword.get(name, self._more_by_keyword)
            if converter is not None:
                kwargs[name] = _argument(name, converter, value)
        return kwargs


def _argument(name: str, converter: Converter, value: Any) -> Any:
    try:
        return converter(value)
    except Mismatch as mismatch:
        told = mismatch.told(f"argument {name}")
    raise InvalidArgumentError(InvalidArgumentError.URI, told)
