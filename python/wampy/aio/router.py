"""``wampy.aio.Router``: ``wampy.Router`` without blocking the event loop.

What is absent: routing on the event loop. The router has a thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from wampy import router

__all__ = ["Router"]


class Router(router.Router):
    """A router for ``async with``; its arguments are those of ``wampy.Router``."""

    async def __aenter__(self) -> Router:
        await _in_thread(self.start)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await _in_thread(self.stop)


async def _in_thread(function: Callable[[], Any]) -> None:
    """Run a function on a thread that ends with it, and wait for both, even when canceled."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        try:
            function()
        except BaseException as error:
            loop.call_soon_threadsafe(outcome.set_exception, error)
        else:
            loop.call_soon_threadsafe(outcome.set_result, None)

    thread = threading.Thread(target=run, name="wampy-router-switch")
    thread.start()
    try:
        await asyncio.shield(outcome)
    except asyncio.CancelledError:
        await asyncio.wait([outcome])
        raise
    finally:
        thread.join()
