"""Waiting with eventlet. What is absent: monkey-patching; see ``wampy.config.configure_async``."""

from __future__ import annotations

from typing import Any

import eventlet
import eventlet.queue

from wampy.backends.adapter import Adapter

__all__ = ["Eventlet"]


class Eventlet(Adapter):
    """The adapter for eventlet."""

    timed_out = eventlet.Timeout
    QueueEmpty = eventlet.queue.Empty

    def queue(self) -> Any:
        """A new ``eventlet.queue.Queue``."""
        return eventlet.queue.Queue()

    def Timeout(self, timeout: float, raise_after: Any = True) -> Any:
        """An ``eventlet.Timeout``; with ``raise_after=False`` it raises nothing outside."""
        return eventlet.Timeout(timeout, None if raise_after is True else raise_after)

    def spawn(self, *args: Any, **kwargs: Any) -> Any:
        """Run a function in a green thread, and return that."""
        return eventlet.spawn(*args, **kwargs)

    def sleep(self, time: float = 0) -> None:
        """Wait for so many seconds, and let other green threads run."""
        eventlet.sleep(time)  # type: ignore[arg-type, unused-ignore]
