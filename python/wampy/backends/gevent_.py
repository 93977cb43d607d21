"""Waiting with gevent. What is absent: monkey-patching; see ``wampy.config.configure_async``."""

from __future__ import annotations

from typing import Any

import gevent
import gevent.queue

from wampy.backends.adapter import Adapter

__all__ = ["Gevent"]


class Gevent(Adapter):
    """The adapter for gevent."""

    timed_out: type[BaseException] = gevent.Timeout
    QueueEmpty = gevent.queue.Empty

    def queue(self) -> Any:
        """A new ``gevent.queue.Queue``."""
        return gevent.queue.Queue()

    def Timeout(self, timeout: float, raise_after: Any = True) -> Any:
        """A ``gevent.Timeout``; with ``raise_after=False`` it raises nothing outside."""
        return gevent.Timeout(timeout, None if raise_after is True else raise_after)

    def spawn(self, *args: Any, **kwargs: Any) -> Any:
        """Run a function in a greenlet, and return that."""
        return gevent.spawn(*args, **kwargs)

    def sleep(self, time: float = 0) -> None:
        """Wait for so many seconds, and let other greenlets run."""
        gevent.sleep(time)
