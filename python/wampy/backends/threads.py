"""Waiting with threads, where neither gevent nor eventlet is at work.

What is absent: time limits for code that waits by itself. A thread cannot be interrupted from
outside, so ``Timeout`` ends what waits with the adapter's own ``sleep`` and ``receive_message``.
"""

from __future__ import annotations

import queue
import threading
import time as clock
from types import TracebackType
from typing import Any

from wampy.backends.adapter import Adapter
from wampy.errors import WampyTimeOutError

__all__ = ["Threads"]

_limits = threading.local()


class Timeout(WampyTimeOutError):
    """A time limit for what sleeps in its ``with``, and the exception that it raises there."""

    def __init__(self, seconds: float, raise_after: Any = True) -> None:
        super().__init__(f"{seconds} seconds are over")
        self.seconds = seconds
        self._raises = raise_after is not False
        self._deadline = 0.0

    def __enter__(self) -> Timeout:
        self._deadline = clock.monotonic() + self.seconds
        _active().append(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        _active().remove(self)
        return exc is self and not self._raises


class Threads(Adapter):
    """The adapter for plain threads."""

    timed_out: type[BaseException] = Timeout
    QueueEmpty = queue.Empty

    def queue(self) -> Any:
        """A new ``queue.Queue``."""
        return queue.Queue()

    def Timeout(self, timeout: float, raise_after: Any = True) -> Timeout:
        """A time limit for the adapter's own waiting; ``raise_after=False``: end it silently."""
        return Timeout(timeout, raise_after)

    def spawn(self, *args: Any, **kwargs: Any) -> threading.Thread:
        """Run a function in a thread, and return that."""
        function, *arguments = args
        thread = threading.Thread(target=function, args=arguments, kwargs=kwargs, daemon=True)
        thread.start()
        return thread

    def sleep(self, time: float = 0) -> None:
        """Wait for so many seconds.

        Raises:
            WampyTimeOutError: a ``Timeout`` around it is over before that.
        """
        first = min(_active(), key=lambda limit: limit._deadline, default=None)
        if first is None or first._deadline > clock.monotonic() + time:
            clock.sleep(time)
            return
        clock.sleep(max(0.0, first._deadline - clock.monotonic()))
        raise first


def _active() -> list[Timeout]:
    """The time limits that this thread is within."""
    if not hasattr(_limits, "active"):
        _limits.active = []
    active: list[Timeout] = _limits.active
    return active
