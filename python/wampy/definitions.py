"""Exceptions of programs over the wire: which URI a class has, and what an ERROR says of one.

An exception class that ``wampy.define`` gives a URI goes from the callee to its caller, where the
same definition raises it again. What is absent: classes of wampy itself, see ``wampy.errors``, and
URIs for one client alone: definitions hold for the whole process.
"""

from __future__ import annotations

import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from wampy import errors
from wampy.constants import TRACEBACK_MAX

__all__ = ["Told", "define", "is_answer", "refusal", "told", "uri_of"]

_E = TypeVar("_E", bound=type[Exception])

#: An ERROR: its URI, its positional and its keyword arguments.
Told = tuple[str, Sequence[Any], Mapping[str, Any]]

_URIS: dict[type[BaseException], str] = {}
_CLASSES: dict[str, type[Exception]] = {}


@overload
def define(exception: _E, uri: str, /) -> _E: ...


@overload
def define(uri: str, /) -> Callable[[_E], _E]: ...


def define(exception: Any, uri: str | None = None, /) -> Any:
    """Give an exception class a URI: ``@wampy.define("com.shop.sold_out")``, or as a call.

    Raised in a handler, an instance of the class (or of a class that derives from it) is answered
    as an ERROR with that URI, its ``args``, and its attributes by keyword. Where a call gets that
    URI, it raises the class: an instance has the ``args`` and the attributes that were sent, and
    is a ``wampy.Error``, too. No ``__init__`` of the class runs then.

    Args:
        exception: the class; as a decorator, the URI stands in its place.
        uri: the URI of the error.

    Raises:
        ConfigurationError: this is no exception class, the class has another URI, or the URI
            another class.
    """
    if isinstance(exception, str) and uri is None:
        return lambda decorated: define(decorated, exception)
    if not (isinstance(exception, type) and issubclass(exception, Exception)):
        raise errors.ConfigurationError(f"define needs an exception class, not {exception!r}")
    if not isinstance(uri, str) or not uri:
        raise errors.ConfigurationError(f"the URI of an error must be a string, not {uri!r}")
    _check_free(exception, uri)
    _URIS[exception] = uri
    _CLASSES[uri] = exception
    errors.raised_for(uri, _raised_as(exception))
    return exception


def uri_of(exception: BaseException) -> str | None:
    """The URI that the class of an exception, or one that it derives from, is defined with."""
    return next((_URIS[cls] for cls in type(exception).__mro__ if cls in _URIS), None)


def told(
    exception: BaseException,
    procedure: str | None,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    show_traceback: bool = False,
) -> Told:
    """What the caller of a handler is told of the exception that ended it.

    Args:
        exception: what the handler raised.
        procedure: the URI that the handler is registered as.
        args: the positional arguments of the call.
        kwargs: its arguments by keyword.
        show_traceback: whether the caller may see where the function failed.
    """
    if isinstance(exception, errors.Error):
        return exception.uri, exception.args, exception.kwargs
    uri = uri_of(exception)
    if uri is not None:
        return uri, exception.args, _attributes(exception)
    described: dict[str, Any] = {
        "exc_type": type(exception).__name__,
        "message": str(exception),
        "call_args": args,
        "call_kwargs": kwargs,
    }
    if show_traceback:
        described["traceback"] = _traceback(exception)
    return procedure or "wamp.error.runtime_error", [], described


def is_answer(exception: BaseException) -> bool:
    """Whether the exception is what its handler wants to answer, and not a failure of it."""
    return isinstance(exception, errors.Error) or uri_of(exception) is not None


def refusal(
    exception: BaseException,
    handler: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> errors.InvalidArgumentError | None:
    """Why ``handler`` could not be called with these arguments; None if it could, and failed."""
    if not isinstance(exception, TypeError):
        return None
    import inspect

    function = inspect.unwrap(handler)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    frames = traceback.walk_tb(exception.__traceback__)
    if code is not None and any(frame.f_code is code for frame, _ in frames):
        return None
    try:
        inspect.signature(handler).bind(*args, **kwargs)
    except TypeError as problem:
        return errors.InvalidArgumentError(errors.InvalidArgumentError.URI, str(problem))
    except ValueError:
        # Some built-in functions have no signature.
        pass
    return None


def _check_free(exception: type[Exception], uri: str) -> None:
    known = _URIS.get(exception)
    if known not in (None, uri):
        raise errors.ConfigurationError(f"{exception.__name__} is {known} already, not {uri}")
    if errors.is_well_known(uri):
        raise errors.ConfigurationError(f"{uri} has an exception class in wampy.errors already")
    other = _CLASSES.get(uri)
    # A module that is loaded again defines its classes anew.
    if other is not None and _place(other) != _place(exception):
        raise errors.ConfigurationError(f"{uri} is {other.__module__}.{other.__qualname__} already")


def _place(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def _raised_as(exception: type[Exception]) -> type[errors.Error]:
    """The class of what calls raise: the program's, and an ``Error`` in any case."""
    if issubclass(exception, errors.Error):
        return exception
    shown = {"__module__": exception.__module__, "__qualname__": exception.__qualname__}
    try:
        made: Any = types.new_class(
            exception.__name__,
            (exception, _DefinedError),
            exec_body=lambda names: names.update(shown, __doc__=None),
        )
    except TypeError as error:
        raise errors.ConfigurationError(f"{exception!r} cannot be an error: {error}") from None
    raised: type[errors.Error] = made
    return raised


class _DefinedError(errors.Error):
    """What a call raises for a URI that the program has defined, beside the program's class."""

    def receive(self, kwargs: Mapping[str, Any]) -> None:
        super().receive(kwargs)
        # What is an attribute of Error stays what it is.
        known = dir(errors.Error)
        self.__dict__.update((key, one) for key, one in kwargs.items() if key not in known)

    def __reduce__(self) -> Any:
        about = self.procedure, self.request_id, self.description
        return errors.remote, (self.uri, self.args, self.kwargs, *about)


def _attributes(exception: BaseException) -> dict[str, Any]:
    """What the program has noted on an exception."""
    hidden = ("kwargs", "procedure", "request_id", "uri", "description")
    public = {key: value for key, value in vars(exception).items() if not key.startswith("_")}
    if isinstance(exception, errors.WampyError):
        public = {key: value for key, value in public.items() if key not in hidden}
    return public


def _traceback(exception: BaseException) -> str:
    """Where the function failed: the end of it, if it is long; of this package, nothing."""
    begin = exception.__traceback__
    while begin is not None and _is_ours(begin):
        begin = begin.tb_next
    # What failed before the function was called has nothing else.
    shown = begin or exception.__traceback__
    lines = "".join(traceback.format_exception(type(exception), exception, shown))
    return lines if len(lines) <= TRACEBACK_MAX else f"...{lines[-TRACEBACK_MAX:]}"


def _is_ours(place: types.TracebackType) -> bool:
    return str(place.tb_frame.f_globals.get("__name__")).startswith("wampy.")
