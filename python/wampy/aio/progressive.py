"""Calls in parts, awaited: results that come bit by bit, and calls that bring their arguments so.

What is absent: queues. The compiled part has them and bounds them: whoever sends too fast waits,
and a call of which too many parts wait fails.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from wampy import _wampy
from wampy.aio.link import Link
from wampy.errors import ConfigurationError
from wampy.progressive import CallInParts, part_of

__all__ = ["Feeder", "Parts", "ProgressiveCall", "check_parts"]

logger: logging.Logger = logging.getLogger("wampy.aio")


class ProgressiveCall(CallInParts, AsyncIterator[Any]):
    """The parts of a result as they come, the result itself as the last.

    The call is made when the first of them is asked for. A failure of the call is raised in place
    of the result. The call is canceled when this is closed, when it leaves a ``with`` block, when
    the task that waits for it is canceled, and when nobody holds it any more, as when an
    ``async for`` over it is left.
    """

    def __init__(
        self, begin: Callable[[], Awaitable[tuple[_wampy.AioStream, Feeder | None]]]
    ) -> None:
        super().__init__()
        self._begin = begin
        self._results: _wampy.AioStream | None = None

    async def __anext__(self) -> Any:
        """Wait for the next part; for each as long as the session's ``call_timeout`` says."""
        if self._is_over:
            raise StopAsyncIteration
        try:
            if self._results is None:
                self._results, self._feeder = await self._begin()
            received = await self._results.__anext__()
        except StopAsyncIteration:
            self.close()
            raise
        except BaseException as error:
            reason = self._reason(error)
            self.close()
            if reason is not None:
                raise reason from None
            raise
        return self._taken(received)

    async def result(self) -> Any:
        """Wait for the result itself; parts that come before it are dropped.

        Raises:
            CanceledError: the call was closed, or its result has been taken.
        """
        async for part in self:
            if self._is_over:
                return part
        raise self._no_result()

    def close(self) -> None:
        """Cancel the call, unless it is over."""
        self._is_over = True
        if self._results is not None:
            self._results.close()
        if self._feeder is not None:
            self._feeder.stop()

    async def __aenter__(self) -> ProgressiveCall:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_feeder", None) is not None:
            self.close()


class Feeder:
    """Sends what a program's iterable brings, as a task of its own.

    So the program can take results meanwhile. The iterable is closed when it is sent, when it
    fails, which cancels the call, and when the call is over before it.
    """

    def __init__(
        self, link: Link, send: _wampy.AioInput, parts: AsyncIterable[Any] | Iterable[Any]
    ) -> None:
        self._input = send
        self._parts = parts
        #: what the iterable raised
        self.failure: BaseException | None = None
        self._task = link.spawn(self._run())

    def stop(self) -> None:
        """Send nothing more."""
        if not self._task.done():
            self._task.cancel()

    async def _run(self) -> None:
        try:
            if isinstance(self._parts, AsyncIterable):
                goes_on = await self._send_async(self._parts)
            else:
                goes_on = await self._send(self._parts)
            if goes_on:
                await self._input.finish([], {})
        except Exception as error:
            self.failure = error
        finally:
            self._input.close()
            await self._close()

    async def _send_async(self, parts: AsyncIterable[Any]) -> bool:
        async for part in parts:
            if not await self._input.send([part], {}):
                return False
        return True

    async def _send(self, parts: Iterable[Any]) -> bool:
        for part in parts:
            if not await self._input.send([part], {}):
                return False
            # An iterable that never waits must not keep the loop from everything else.
            await asyncio.sleep(0)
        return True

    async def _close(self) -> None:
        close = getattr(self._parts, "aclose", None) or getattr(self._parts, "close", None)
        if close is None:
            return
        try:
            closing = close()
            if inspect.isawaitable(closing):
                await closing
        except Exception:
            logger.exception("%r failed when it was closed", self._parts)


class Parts(AsyncIterator[Any]):
    """The further parts of a call, for its handler; empty for a call that is made at once.

    A part of one positional argument is that argument, one of several their list, and one of
    keyword arguments alone their dictionary. A last part without arguments only says that it is
    the last.

    When the call is over before its last part, the handler is canceled.
    """

    def __init__(self, stream: _wampy.AioStream | None) -> None:
        self._stream = stream

    async def __anext__(self) -> Any:
        if self._stream is None:
            raise StopAsyncIteration
        args, kwargs, is_last = await self._stream.__anext__()
        if is_last:
            self._stream = None
        if is_last and not args and not kwargs:
            raise StopAsyncIteration
        return part_of(args, kwargs)


def check_parts(parts: object) -> AsyncIterable[Any] | Iterable[Any]:
    """Refuse what cannot be iterated over before a call is made of it."""
    if isinstance(parts, (str, bytes, Mapping)) or not isinstance(parts, (AsyncIterable, Iterable)):
        raise ConfigurationError(f"parts must be a generator or another iterable, not {parts!r}")
    return parts
