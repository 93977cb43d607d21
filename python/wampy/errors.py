"""Every exception of wampy, and the one place where failures become exceptions.

All derive from ``WampyError`` and carry ``uri``, ``args``, ``kwargs``, ``procedure`` and
``request_id``, so that one ``except`` clause sees what happened. The compiled extension reports
a failure through ``failure`` and never raises a class of its own.

Exceptions of programs go over the wire by ``wampy.definitions``. What is absent: logging, and any
decision about retrying.
"""

from __future__ import annotations

import builtins
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = [
    "CallTimeoutError",
    "CanceledError",
    "ConfigurationError",
    "ConnectionError",
    "ConnectionLostError",
    "ConnectionRefusedError",
    "ConversionError",
    "DecryptionError",
    "Error",
    "IncompleteFrameError",
    "InvalidArgumentError",
    "MessageRouterConnectionError",
    "NoFrameReturnedError",
    "NotAuthorisedError",
    "NumberTooLargeError",
    "ProcedureAlreadyExistsError",
    "ProcedureNotFoundError",
    "RemoteDecryptionError",
    "RemoteError",
    "SerializationError",
    "SessionError",
    "UnknownOptionError",
    "WampError",
    "WampProtocolError",
    "WampyError",
    "WampyTimeOutError",
    "WebsocktProtocolError",
    "WelcomeAbortedError",
]


class WampyError(Exception):
    """The root of all exceptions of wampy.

    Attributes:
        uri: the WAMP error URI, if a router or a callee sent one.
        args: the positional arguments of the error; for local errors, the message.
        kwargs: the keyword arguments of the error.
        procedure: the procedure or topic that the failed request named.
        request_id: the id of the failed request in its session.
    """

    uri: str | None = None
    procedure: str | None = None
    request_id: int | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.kwargs: dict[str, Any] = {}


class ConfigurationError(WampyError, ValueError):
    """An argument makes no sense; nothing was sent."""


class UnknownOptionError(ConfigurationError, TypeError):
    """There is no such option; the message names the one that is most like it."""


class SerializationError(WampyError, TypeError):
    """A value cannot be sent over WAMP; the message names its type and its place."""


class ConversionError(WampyError, ValueError):
    """A value that came is not what an annotation says; the message tells its place."""


class DecryptionError(WampyError):
    """The answer to an encrypted call cannot be decrypted, or is not encrypted itself."""


class NumberTooLargeError(SerializationError, OverflowError):
    """An integer does not fit into 64 bits, the most that every WAMP peer understands."""


class ConnectionError(WampyError, builtins.ConnectionError):
    """The router cannot be reached, or the connection to it broke."""


class ConnectionRefusedError(ConnectionError, builtins.ConnectionRefusedError):
    """Nothing listens at the address of the router."""


class MessageRouterConnectionError(ConnectionError):
    """The name that the API of 2016 gave to a failed connection."""


class SessionError(WampyError):
    """The session is not joined, or ended before the answer came."""


class ConnectionLostError(ConnectionError, SessionError):
    """The connection to the router, or the session on it, was lost before the answer came.

    Attributes:
        may_have_run: whether the request was under way, so that the call may have been executed
            and the event published; else the router has not got it.
    """

    def __init__(self, message: str = "the connection is lost", may_have_run: bool = True) -> None:
        super().__init__(message)
        self.may_have_run = may_have_run


class WelcomeAbortedError(SessionError):
    """The router answered HELLO with ABORT; ``uri`` says why."""


class WampProtocolError(WampyError):
    """A message breaks the rules of WAMP."""


class WebsocktProtocolError(WampyError):
    """A frame breaks the rules of WebSocket."""


class IncompleteFrameError(WampyError):
    """A frame ended early; kept for code that catches it."""

    def __init__(self, required_bytes: int = 0) -> None:
        super().__init__(required_bytes)
        self.required_bytes = required_bytes


class NoFrameReturnedError(WampyError):
    """The connection closed instead of returning a frame; kept for code that catches it."""


class WampyTimeOutError(WampyError, TimeoutError):
    """No answer came in time."""


class Error(WampyError):
    """A WAMP error: raise it in a handler to answer ``uri, args, kwargs``; calls raise it.

    ``raise wampy.Error("com.shop.out_of_stock", 3, article="tea")`` in a callee arrives at the
    caller as an exception of this class with the same URI and arguments.
    """

    def __init__(self, uri: str, /, *args: Any, **kwargs: Any) -> None:
        if not isinstance(uri, str) or not uri:
            raise ConfigurationError(f"the URI of an error must be a string, not {uri!r}")
        super().__init__(*args)
        self.uri: str = uri
        self.kwargs: dict[str, Any] = kwargs
        #: what the router says about the error beside its arguments
        self.description: str | None = None

    def receive(self, kwargs: Mapping[str, Any]) -> None:
        """Take the keyword arguments that came over the wire."""
        self.kwargs = dict(kwargs)

    @property
    def remote_type(self) -> str | None:
        """The name of the exception that the callee did not expect itself, if it was one."""
        return _text(self.kwargs.get("exc_type"))

    @property
    def message(self) -> str:
        """What a person wants to read: the text of the callee's exception, or the arguments."""
        return _text(self.kwargs.get("message")) or self._reason()

    @property
    def remote_traceback(self) -> str | None:
        """Where the callee's function failed, if the callee tells: ``@callee(traceback=True)``."""
        return _text(self.kwargs.get("traceback"))

    def __str__(self) -> str:
        where = f"{self.procedure}: " if self.procedure and self.procedure != self.uri else ""
        return f"{where}{self.uri}: {self._reason()}".removesuffix(": ")

    def _reason(self) -> str:
        return _describe(self.args, self.kwargs) or self.description or ""

    def __repr__(self) -> str:
        given = [repr(self.uri), *map(_short, self.args)]
        given += [f"{key}={_short(value)}" for key, value in self.kwargs.items()]
        return f"{type(self).__name__}({', '.join(given)})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        return _rebuild, (type(self), self.uri, self.args), self.__dict__


#: The exception that a failed call raises; older code imports it under these names.
RemoteError = Error
WampError = Error


class ProcedureNotFoundError(Error, AttributeError):
    """Nobody in the realm offers the procedure."""


class InvalidArgumentError(Error, ValueError):
    """The callee's function does not take the call's arguments; ``args[0]`` says why."""

    URI = "wamp.error.invalid_argument"


class ProcedureAlreadyExistsError(Error):
    """Somebody else has registered the procedure already."""


class CanceledError(Error):
    """The call was canceled before it had a result."""


class NotAuthorisedError(Error):
    """The router does not allow this session to do that."""

    def __str__(self) -> str:
        return f"NOT_AUTHORISED: {super().__str__()}"


class CallTimeoutError(Error, WampyTimeOutError):
    """The dealer or the callee ended the call because its time was over."""


class RemoteDecryptionError(Error, DecryptionError):
    """The callee cannot decrypt the call: it has no such key, or another one of that name."""


_BY_URI: dict[str, type[Error]] = {
    InvalidArgumentError.URI: InvalidArgumentError,
    "wamp.error.no_such_procedure": ProcedureNotFoundError,
    "wamp.error.procedure_already_exists": ProcedureAlreadyExistsError,
    "wamp.error.canceled": CanceledError,
    "wamp.error.not_authorized": NotAuthorisedError,
    "wamp.error.timeout": CallTimeoutError,
    "wampy.error.decryption_failed": RemoteDecryptionError,
}

_BY_KIND: dict[str, type[WampyError]] = {
    "configuration": ConfigurationError,
    "serialization": SerializationError,
    "overflow": NumberTooLargeError,
    "connection": ConnectionError,
    "refused": ConnectionRefusedError,
    "lost": ConnectionLostError,
    "unsent": ConnectionLostError,
    "session": SessionError,
    "aborted": WelcomeAbortedError,
    "protocol": WampProtocolError,
    "timeout": WampyTimeOutError,
    "decryption": DecryptionError,
}


def remote(
    uri: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    procedure: str | None = None,
    request_id: int | None = None,
    description: str | None = None,
) -> Error:
    """Build the exception for an ERROR message.

    Well-known URIs have classes of their own, and so have those that a program defines.
    """
    uri = uri or "wamp.error.runtime_error"
    error = blank(_BY_URI[uri], uri, args) if uri in _BY_URI else Error(uri, *args)
    error.receive(kwargs or {})
    error.procedure = procedure
    error.request_id = request_id
    error.description = description
    told = error.remote_traceback
    if told and sys.version_info >= (3, 11):
        error.add_note(f"In the callee:\n{told.rstrip()}")
    return error


def raised_for(uri: str, error_class: type[Error]) -> None:
    """Have ``remote`` raise ``error_class`` for a URI; ``wampy.define`` calls this."""
    _BY_URI[uri] = error_class


def is_well_known(uri: str) -> bool:
    """Whether a URI has a class in this module."""
    return uri in _BY_URI and _BY_URI[uri].__module__ == __name__


def blank(error_class: type[Error], uri: str, args: Sequence[Any]) -> Error:
    """An instance that no ``__init__`` of a program has seen: it may want other arguments."""
    error = error_class.__new__(error_class, *args)
    Error.__init__(error, uri, *args)
    return error


def failure(
    kind: str, message: str, uri: str | None = None, procedure: str | None = None
) -> WampyError:
    """Build the exception for a failure on this side of the wire; ``kind`` says who is at fault."""
    if kind == "lost":
        message += f"; the request ({procedure}) was under way and may have been executed"
    elif kind == "unsent":
        message += f"; the request ({procedure}) was not sent"
    error = _BY_KIND.get(kind, WampyError)(message)
    if isinstance(error, ConnectionLostError):
        error.may_have_run = kind == "lost"
    if kind == "refused" and sys.version_info >= (3, 11):
        error.add_note("Is the router running? `wampy router` starts one.")
    error.uri = uri
    error.procedure = procedure
    return error


def _describe(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """What a person wants to read of an error's arguments."""
    if "exc_type" in kwargs and "message" in kwargs:
        return f"{kwargs['exc_type']}: {kwargs['message']}"
    parts = [value if isinstance(value, str) else repr(value) for value in args]
    parts += [f"{key}={value!r}" for key, value in kwargs.items() if key != "traceback"]
    return ", ".join(parts)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


_shortener = reprlib.Repr()
_shortener.maxstring = _shortener.maxother = 120


def _short(value: object) -> str:
    return _shortener.repr(value)


def _rebuild(cls: type[Error], uri: str, args: tuple[Any, ...]) -> Error:
    """Unpickle an error; its other attributes follow as state."""
    return blank(cls, uri, args)
