"""What runs when a procedure of a session is called.

A coroutine function runs as a task of its own, and so do generators. A plain function runs on the
event loop itself, as callbacks of asyncio do: one that blocks belongs into ``asyncio.to_thread``.
What is absent: the order and the number of calls, which the router and ``concurrency`` decide.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from wampy import _wampy, errors
from wampy.aio.link import Link
from wampy.aio.progressive import Parts
from wampy.definitions import is_answer, refusal, told
from wampy.result import arguments_of
from wampy.roles.callee import Procedure, prepared

__all__ = ["Callee", "Registration", "check_handler"]

logger: logging.Logger = logging.getLogger("wampy.aio")

_CANCELED = "wamp.error.canceled"


def check_handler(handler: object) -> None:
    """Refuse what cannot be called."""
    if not callable(handler):
        raise errors.ConfigurationError(f"a handler must be a function, not {handler!r}")


class Callee:
    """A handler, prepared for being called by the router.

    Args:
        link: that of the session that offers it.
        handler: the function, coroutine function or generator function, with or without ``async``.
        procedure: what it is offered as.
        shows_traceback: whether callers are told where the handler failed.
    """

    __slots__ = ("_function", "_link", "_procedure", "_shows_traceback", "_wants_more")

    def __init__(
        self,
        link: Link,
        handler: Callable[..., Any],
        procedure: Procedure,
        shows_traceback: bool,
    ) -> None:
        check_handler(handler)
        self._link = link
        self._function = prepared(handler, procedure.beside)
        self._procedure = procedure
        self._wants_more = procedure.details or procedure.parts
        self._shows_traceback = shows_traceback

    def __call__(self, invocation: _wampy.AioInvocation) -> None:
        """Run the handler for a call; what it returns or raises goes to the caller."""
        if self._link.is_leaving:
            invocation.reply_error("wamp.error.unavailable", ["the callee is leaving"], {})
            return
        kwargs: dict[str, Any] = invocation.kwargs
        try:
            if self._wants_more:
                kwargs = {**kwargs, **self._beside_arguments(invocation)}
            result = self._function(*invocation.args, **kwargs)
        # A handler that raises SystemExit or KeyboardInterrupt must not leave its caller waiting.
        except BaseException as error:
            self._fail(invocation, refusal(error, self._function, invocation.args, kwargs) or error)
            if not isinstance(error, Exception):
                raise
            return
        work = self._work(invocation, result)
        if work is None:
            self._reply(invocation, result)
            return
        task = self._link.spawn(work)
        if task.done():
            self._done(invocation, task)
        else:
            invocation.watch(task)
            task.add_done_callback(partial(self._done, invocation))

    def _work(
        self, invocation: _wampy.AioInvocation, result: Any
    ) -> Coroutine[Any, Any, Any] | None:
        """What is to be awaited until there is a result; None if ``result`` is that."""
        if isinstance(result, CoroutineType):
            return result
        if isinstance(result, AsyncGeneratorType):
            return self._send_async_parts(invocation, result)
        if isinstance(result, GeneratorType):
            return self._send_parts(invocation, result)
        if inspect.isawaitable(result):
            return _awaited(result)
        return None

    def _beside_arguments(self, invocation: _wampy.AioInvocation) -> dict[str, Any]:
        """What the handler takes by keyword beside the call's arguments."""
        more: dict[str, Any] = {}
        if self._procedure.details:
            more["details"] = {"procedure": self._procedure.uri, **invocation.details}
        if self._procedure.parts:
            more["parts"] = Parts(invocation.parts())
        return more

    def _done(self, invocation: _wampy.AioInvocation, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            # After CANCEL the caller has its answer already.
            invocation.reply_error(_CANCELED, ["the handler was canceled"], {})
            return
        error = task.exception()
        if error is None:
            self._reply(invocation, task.result())
        else:
            self._fail(invocation, error)

    def _reply(self, invocation: _wampy.AioInvocation, result: Any) -> None:
        try:
            invocation.reply(*arguments_of(result))
        except errors.SerializationError as error:
            logger.error("the result of %s cannot be sent: %s", self._procedure.uri, error)
            self._fail(invocation, error, is_known=True)

    def _fail(
        self, invocation: _wampy.AioInvocation, error: BaseException, is_known: bool = False
    ) -> None:
        """Answer with an exception; see ``wampy.definitions``."""
        name = self._procedure.uri
        if not is_known and not is_answer(error):
            logger.error("error calling: %s", name, exc_info=error)
        uri, args, kwargs = told(
            error, name, invocation.args, invocation.kwargs, self._shows_traceback
        )
        try:
            invocation.reply_error(uri, args, kwargs)
        except errors.SerializationError as problem:
            logger.error("an error of %s cannot be sent: %s", self._procedure.uri, problem)
            invocation.reply_error(uri, [str(problem)], {})

    async def _send_async_parts(
        self, invocation: _wampy.AioInvocation, generator: AsyncGenerator[Any, None]
    ) -> None:
        """Send what an asynchronous generator yields; it has no result."""
        async with contextlib.aclosing(generator):
            async for part in generator:
                await self._send_part(invocation, part)

    async def _send_parts(
        self, invocation: _wampy.AioInvocation, generator: Generator[Any, None, Any]
    ) -> Any:
        """Send what a plain generator yields, and return what it returns."""
        with contextlib.closing(generator):
            while True:
                try:
                    part = next(generator)
                except StopIteration as end:
                    return end.value
                await self._send_part(invocation, part)

    async def _send_part(self, invocation: _wampy.AioInvocation, part: Any) -> None:
        if invocation.receives_progress and not await invocation.progress(*arguments_of(part)):
            raise errors.CanceledError(_CANCELED, "the call is over")
        # A generator that never waits must not keep the loop from hearing of a cancelation.
        await asyncio.sleep(0)

    def __repr__(self) -> str:
        return f"<Callee {self._procedure.uri}: {self._function!r}>"


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


class Registration:
    """A procedure that a session offers."""

    def __init__(self, link: Link, uri: str, registration: _wampy.AioRegistration) -> None:
        self._link = link
        self._registration = registration
        #: the procedure's URI, or the pattern of those that the handler answers
        self.uri: str = uri

    @property
    def id(self) -> int | None:
        """The id in the present session; None when the procedure is offered no more."""
        return self._registration.id

    async def unregister(self) -> None:
        """Withdraw the procedure; calls that are under way go on. A second time does nothing."""
        await self._registration.unregister(self._link.timeout)

    def __repr__(self) -> str:
        state = f"registration {self.id}" if self.id else "not registered"
        return f"<Registration of {self.uri}, {state}>"
