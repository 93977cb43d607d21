"""Calls in parts: results that come bit by bit, and calls that bring their arguments so.

``ProgressiveCall`` is the caller's side, ``Parts`` the callee's. What is absent: queues. The
compiled part has them and bounds them: whoever sends too fast waits, and a call of which too many
parts wait for their handler fails.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from wampy import _wampy
from wampy.errors import CanceledError, ConfigurationError, WampyError
from wampy.result import value_of

__all__ = ["CallInParts", "Feeder", "Parts", "ProgressiveCall", "check_parts", "part_of"]

#: the URI of the error that a call ends with when it is canceled
CANCELED = "wamp.error.canceled"

logger: logging.Logger = logging.getLogger("wampy.progressive")


class CallInParts:
    """What a call in parts knows of its end, on threads and on an event loop."""

    def __init__(self) -> None:
        self._feeder: Any = None
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the part that came last was the result."""
        return self._is_over

    def _taken(self, received: tuple[int, dict[str, Any], list[Any], dict[str, Any]]) -> Any:
        """The value of a part that has come."""
        _, details, args, kwargs = received
        self._is_over = not details.get("progress", False)
        return value_of(args, kwargs)

    def _reason(self, error: BaseException) -> BaseException | None:
        """Why the program's own generator failed, which says more than that its call ended."""
        failure: BaseException | None = self._feeder and self._feeder.failure
        return failure if isinstance(error, WampyError) else None

    def _no_result(self) -> CanceledError:
        return CanceledError(CANCELED, "the call is over")


class ProgressiveCall(CallInParts, Iterator[Any]):
    """The parts of a result as they come, the result itself as the last.

    A failure of the call is raised in place of the result. The call is canceled when this is
    closed, when it leaves a ``with`` block, and when nobody holds it any more, as when a ``for``
    loop over it is left early.
    """

    def __init__(
        self,
        results: _wampy.Results,
        observe: Callable[[Any], None],
        feeder: Feeder | None = None,
        procedure: str = "",
    ) -> None:
        super().__init__()
        self._results = results
        self._observe = observe
        self._feeder = feeder
        #: the procedure that is called
        self.procedure: str = procedure

    def __next__(self) -> Any:
        """Wait for the next part; for each as long as the client's ``call_timeout`` says."""
        if self._is_over:
            raise StopIteration
        try:
            received = self._results.next()
        except BaseException as error:
            self._is_over = True
            reason = self._reason(error)
            if reason is not None:
                raise reason from None
            raise
        if received is None:
            self._is_over = True
            raise StopIteration
        value = self._taken(received)
        self._observe(received)
        return value

    def result(self) -> Any:
        """Wait for the result itself; parts that come before it are dropped.

        Raises:
            CanceledError: the call was closed, or its result has been taken.
        """
        for part in self:
            if self._is_over:
                return part
        raise self._no_result()

    def close(self) -> None:
        """Cancel the call, unless it is over."""
        self._is_over = True
        self._results.close()

    def __repr__(self) -> str:
        return f"<ProgressiveCall of {self.procedure}{', over' if self._is_over else ''}>"

    def __enter__(self) -> ProgressiveCall:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Feeder:
    """Sends what a program's iterable brings, on a thread of its own.

    So the program can take results meanwhile. The iterable is closed when it is sent, when it
    fails, which cancels the call, and when the call is over before it.
    """

    def __init__(self, send: _wampy.Input, parts: Iterable[Any], name: str) -> None:
        self._input = send
        self._parts = parts
        #: what the iterable raised
        self.failure: BaseException | None = None
        # A daemon: an iterable that never brings another part must not keep the process alive.
        threading.Thread(target=self._run, name=f"wampy-{name}-parts", daemon=True).start()

    def _run(self) -> None:
        try:
            for part in self._parts:
                if not self._input.send([part], {}):
                    break
            else:
                self._input.finish([], {})
        except BaseException as error:
            self.failure = error
        finally:
            self._input.close()
            self._close()

    def _close(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception:
            logger.exception("%r failed when it was closed", self._parts)


class Parts(Iterator[Any]):
    """The further parts of a call, for its handler; empty for a call that is made at once.

    A part of one positional argument is that argument, one of several their list, and one of
    keyword arguments alone their dictionary. A last part without arguments only says that it is
    the last.

    When the call is over before its last part, iterating raises ``CanceledError``.
    """

    def __init__(self, wire: _wampy.Session, request_id: int, more: bool) -> None:
        self._wire = wire
        self._request_id = request_id
        self._more = more

    def __next__(self) -> Any:
        if not self._more:
            raise StopIteration
        part = self._wire.next_part(self._request_id)
        if part is None:
            self._more = False
            raise CanceledError(CANCELED, "the call is over before its last part")
        args, kwargs, is_last = part
        self._more = not is_last
        if is_last and not args and not kwargs:
            raise StopIteration
        return part_of(args, kwargs)


def check_parts(parts: object) -> Iterable[Any]:
    """Refuse what cannot be iterated over before a call is made of it."""
    if not isinstance(parts, Iterable) or isinstance(parts, (str, bytes, Mapping)):
        raise ConfigurationError(f"parts must be a generator or another iterable, not {parts!r}")
    return parts


def part_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A part of a call as its handler gets it; ``Parts`` says how."""
    return list(args) if len(args) > 1 and not kwargs else value_of(args, kwargs)
