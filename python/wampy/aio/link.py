"""The life of a session on an event loop: its connection, and the tasks that end with it.

What is absent: what is asked of the router; see ``wampy.aio.requests`` and ``wampy.aio.session``.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from wampy import _wampy, errors, process
from wampy.encryption import named_key
from wampy.settings import Settings
from wampy.uncopied import Uncopied

__all__ = ["Link"]

logger: logging.Logger = logging.getLogger("wampy.aio")

_CLOSE_REASON = "wamp.close.close_realm"


class Link(Uncopied):
    """What a session and all that belongs to it have in common.

    Args:
        settings: what to connect to, and as whom.
        call_timeout: how long a request may take, in seconds; 0 or None for as long as it takes.
        name: a name for logs.
    """

    def __init__(self, settings: Settings, call_timeout: float | None, name: str) -> None:
        self.settings: Settings = settings
        self.timeout: float | None = call_timeout or None
        self.name: str = name
        #: the session in the compiled part, once it has joined
        self.wire: _wampy.AioSession | None = None
        #: whether the session's block is being left, or has been
        self.is_leaving: bool = False
        self._loop: asyncio.AbstractEventLoop
        self._desk: _wampy.AioLoop
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended: asyncio.Future[BaseException | None]

    @property
    def is_open(self) -> bool:
        """Whether the session has joined and not ended."""
        return self.wire is not None and not self.is_leaving and self.wire.is_open

    def joined(self) -> _wampy.AioSession:
        """The session in the compiled part, for a new request.

        Raises:
            SessionError: it has not joined, or has left.
        """
        wire = self.wire
        if wire is None:
            raise errors.SessionError(f"{self.name} has not joined: enter its `async with` block")
        if self.is_leaving:
            raise errors.SessionError(f"{self.name} has left: its `async with` block is over")
        return wire

    # Its beginning and its end

    async def begin(self, lost: Callable[[BaseException], None]) -> None:
        """Connect and join; ``lost`` is called when the session is lost."""
        process.prepare()
        loop = self._loop = asyncio.get_running_loop()
        desk = self._desk = _wampy.AioLoop(loop.create_future, loop.call_soon)
        self._fileno = desk.fileno()
        loop.add_reader(self._fileno, desk.drain)
        try:
            wire: _wampy.AioSession = await self.operation(desk.connect(self.settings))
            self._ended = wire.ended()
        except BaseException:
            self._close()
            raise
        self.wire = wire

        def ended(future: asyncio.Future[BaseException | None]) -> None:
            error = None if future.cancelled() else future.result()
            if error is not None and not self.is_leaving:
                logger.warning("%s has lost its session: %s", self.name, error)
                lost(error)

        self._ended.add_done_callback(ended)
        realm = self.settings["realm"]
        logger.debug("%s joined %s as session %s", self.name, realm, wire.id)

    async def end(self) -> None:
        """Cancel the handlers, wait for them, and say GOODBYE."""
        wire, self.is_leaving = self.wire, True
        if wire is None:
            return
        try:
            while self._tasks:
                for task in self._tasks:
                    task.cancel()
                await asyncio.wait(self._tasks)
            await wire.leave(_CLOSE_REASON)
            logger.debug("%s said goodbye", self.name)
        except BaseException:
            wire.leave_now(_CLOSE_REASON)
            raise
        finally:
            self._ended.cancel()
            self._close()

    def _close(self) -> None:
        self._loop.remove_reader(self._fileno)
        self._desk.close()

    async def wait_closed(self) -> None:
        """Wait until the session is lost.

        Raises:
            ConnectionError: it is.
        """
        self.joined()
        error = await asyncio.shield(self._ended)
        if error is not None:
            raise error

    # What it is asked for

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task that ends with the session's block."""
        task = _new_task(self._loop, work)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    async def operation(self, begun: tuple[int, asyncio.Future[Any]]) -> Any:
        """Wait for what was begun, and give it up when this is canceled."""
        token, future = begun
        try:
            return await future
        except asyncio.CancelledError:
            self.abandon(token)
            raise

    def abandon(self, token: int) -> None:
        """Give up an operation. One that is over is no error."""
        self._desk.abandon(token)

    async def turn(self) -> None:
        """Wait until there may be room for another call."""
        await self._desk.turn()

    def call_options(self, options: Mapping[str, Any]) -> _wampy.AioOptions:
        """The options of CALL: what the program says, and the time limit of the session."""
        merged = named_key(options)
        if self.timeout:
            merged.setdefault("timeout", max(1, int(self.timeout * 1000)))
        return _wampy.AioOptions(merged)

    def __repr__(self) -> str:
        if self.is_open and self.wire is not None:
            return f"<Session {self.wire.id} of {self.name}, realm {self.settings['realm']}>"
        return f"<Session of {self.name}, realm {self.settings['realm']}, not joined>"


def _new_task(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Run a coroutine as a task: at once up to where it waits, where Python can do that."""
    if sys.version_info >= (3, 12) and loop.get_task_factory() is None:
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)
