"""Remote procedures as methods of an object that has the type of an interface.

``client.proxy(Weather, prefix="com.weather.")`` makes an object whose methods call. The interface
is a Protocol or an abstract class; its signatures say what may be given, and its annotations what
comes back. What is absent: anything about how a call is made. ``Client`` and ``wampy.aio.Session``
say that by the two functions that they have.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, TypeVar, cast

from wampy.conversion import converter_of
from wampy.errors import ConfigurationError, ConversionError
from wampy.roles.callee import procedure_of
from wampy.scalars import Converter, Mismatch
from wampy.schema import hints_of

__all__ = ["make_proxy"]

_T = TypeVar("_T")

_SYNC = (
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
)
_ASYNC = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
)


def make_proxy(
    interface: Callable[..., _T], prefix: str, caller: Any, is_async: bool = False
) -> _T:
    """An object of the type ``interface`` whose methods call procedures.

    Args:
        interface: a Protocol, or a class with abstract methods. (For type checkers it is a
            function, as they let no abstract class be given where a class is wanted.)
        prefix: what the URIs of the procedures have before the names of the methods. A method
            that ``@callee(name=...)`` decorates has that URI instead.
        caller: what has ``call`` and ``call_progressive``.
        is_async: whether those are awaited, and so the methods are ``async``.

    Raises:
        ConfigurationError: this is no interface, or one of its methods cannot be called so.
    """
    if not isinstance(interface, type):
        raise ConfigurationError(f"an interface is a class, not {interface!r}")
    if not isinstance(prefix, str):
        raise ConfigurationError(f"the prefix of URIs must be a string, not {prefix!r}")
    remote = {
        name: _RemoteMethod(interface, name, function, prefix, is_async)
        for name, function in _methods(interface).items()
    }
    if not remote:
        raise ConfigurationError(
            f"{interface.__name__} is no interface: it is no Protocol and has no abstract methods"
        )
    body = {name: method.function() for name, method in remote.items()}
    shown = f"<{interface.__name__} at {prefix or 'its procedures'}>"
    body.update(__init__=_take_caller, __repr__=lambda self: shown)
    try:
        made: Any = type(interface)(f"{interface.__name__}Proxy", (interface,), body)
        proxy = made(caller)
    except TypeError as error:
        raise ConfigurationError(f"{interface.__name__} is no interface: {error}") from None
    return cast(_T, proxy)


def _take_caller(self: Any, caller: Any) -> None:
    self._caller = caller


def _methods(interface: type) -> dict[str, Callable[..., Any]]:
    """What is to be called remotely: all of a Protocol, of other classes what is abstract."""
    abstract: frozenset[str] = getattr(interface, "__abstractmethods__", frozenset())
    found: dict[str, Any] = {}
    for base in reversed(interface.__mro__):
        whole = getattr(base, "_is_protocol", False)
        for name, member in vars(base).items():
            if name in abstract or (whole and not name.startswith("_")):
                found[name] = member
            if whole and not name.startswith("_") and not inspect.isfunction(member):
                raise ConfigurationError(f"{interface.__name__}.{name} is no method")
        if whole:
            attributes = [name for name in hints_of(base) if name not in vars(base)]
            if attributes:
                raise ConfigurationError(f"{interface.__name__}.{attributes[0]} is no method")
    others = [name for name, member in found.items() if not inspect.isfunction(member)]
    if others:
        raise ConfigurationError(f"{interface.__name__}.{others[0]} is no method")
    return found


class _RemoteMethod:
    """A method of an interface, analyzed once."""

    def __init__(
        self,
        interface: type,
        name: str,
        function: Callable[..., Any],
        prefix: str,
        is_async: bool,
    ) -> None:
        self._function = function
        self._is_async = is_async
        self._where = f"{interface.__name__}.{name}"
        declared = procedure_of(function)
        # Without a name of its own, ``@callee`` gives the method's.
        named = declared is not None and declared.uri != name
        self.uri = declared.uri if declared is not None and named else prefix + name
        self._signature = inspect.signature(function)
        # What has ``...`` as its default is for the callee to say.
        self._defaults = {
            parameter.name: parameter.default
            for parameter in self._signature.parameters.values()
            if parameter.default not in (parameter.empty, ...)
        }
        returned = hints_of(function, include_extras=True).get("return", Any)
        origin = typing.get_origin(returned) or returned
        self.is_progressive = origin in (*_SYNC, *_ASYNC)
        self._check(origin)
        self.part: Converter | None = None
        self.result: Converter | None = None
        #: whether the interface tells the parts and the result apart
        self.returns = False
        if self.is_progressive:
            self._take_parts(origin, typing.get_args(returned))
        else:
            self.result = converter_of(returned)

    def _check(self, origin: Any) -> None:
        is_async = inspect.iscoroutinefunction(self._function) or origin in _ASYNC
        if inspect.iscoroutinefunction(self._function) and self.is_progressive:
            raise ConfigurationError(
                f"{self._where} is awaited for an iterator: write `def`, not `async def`"
            )
        if is_async != self._is_async:
            wanted = (
                "not `async`, so wampy.Client has a proxy of it and wampy.aio has none"
                if self._is_async
                else "`async`, so wampy.aio has a proxy of it and wampy.Client has none"
            )
            raise ConfigurationError(f"{self._where} is {wanted}")

    def _take_parts(self, origin: Any, arguments: tuple[Any, ...]) -> None:
        if arguments:
            self.part = converter_of(arguments[0])
        if origin is collections.abc.Generator:
            self.returns = True
            self.result = converter_of(arguments[2]) if len(arguments) > 2 else None

    def function(self) -> Callable[..., Any]:
        """The method of the proxy."""
        remote = self

        if self.is_progressive:
            run = _async_parts if self._is_async else _parts

            def progressive(self: Any, /, *args: Any, **kwargs: Any) -> Any:
                args, kwargs = remote.bound(self, args, kwargs)
                return run(remote, self._caller.call_progressive(remote.uri, *args, **kwargs))

            return self._like(progressive)
        if self._is_async:

            async def awaited(self: Any, /, *args: Any, **kwargs: Any) -> Any:
                args, kwargs = remote.bound(self, args, kwargs)
                value = await self._caller.call(remote.uri, *args, **kwargs)
                return remote.converted(remote.result, value)

            return self._like(awaited)

        def called(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = remote.bound(self, args, kwargs)
            value = self._caller.call(remote.uri, *args, **kwargs)
            return remote.converted(remote.result, value)

        return self._like(called)

    def _like(self, method: Callable[..., Any]) -> Callable[..., Any]:
        method.__name__ = self._function.__name__
        method.__qualname__ = self._function.__qualname__
        method.__doc__ = self._function.__doc__
        method.__signature__ = self._signature  # type: ignore[attr-defined]
        return method

    def bound(
        self, proxy: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as they are sent; what the signature does not take is a ``TypeError``."""
        try:
            bound = self._signature.bind(proxy, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._where}: {error}") from None
        for name, default in self._defaults.items():
            bound.arguments.setdefault(name, default)
        return bound.args[1:], bound.kwargs

    def converted(self, converter: Converter | None, value: Any) -> Any:
        """A result, or a part of one, as its annotation says."""
        if converter is None:
            return value
        try:
            return converter(value)
        except Mismatch as mismatch:
            told = mismatch.told("result")
        error = ConversionError(f"{self.uri}: {told}")
        error.procedure = self.uri
        raise error


def _parts(remote: _RemoteMethod, call: Any) -> Generator[Any, None, Any]:
    """What the callee yields. What it returns, a ``Generator`` returns, and others yield last."""
    with call:
        for part in call:
            if not call.is_over:
                yield remote.converted(remote.part, part)
            elif remote.returns:
                return remote.converted(remote.result, part)
            elif part is not None:
                yield remote.converted(remote.part, part)
    return None


async def _async_parts(remote: _RemoteMethod, call: Any) -> AsyncIterator[Any]:
    """What the callee yields, and what it returns, if that is something."""
    async with call:
        async for part in call:
            if not call.is_over or part is not None:
                yield remote.converted(remote.part, part)
