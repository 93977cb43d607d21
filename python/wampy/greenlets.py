"""Waiting in programs that gevent has patched: other greenlets run meanwhile.

Where the program has called ``gevent.monkey.patch_all()``, a greenlet that waits for the network
is parked, and the hub of its thread goes on. So do the handlers of clients, which run as greenlets
there, because the program's threads are greenlets. In other programs nothing is different.

Nothing here patches anything, and gevent is not imported unless the program has done it. What is
absent: eventlet, whose hub has no such support; a program that it has patched gets an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import Any

from wampy import _wampy
from wampy.errors import ConfigurationError

__all__ = ["cooperate", "waiting"]

#: What finds the hub of a thread, once gevent is known to have patched the program.
_finder: _Finder | None = None


def cooperate() -> None:
    """Let waits be by the hub from now on, if gevent has patched this program's threads.

    Raises:
        ConfigurationError: eventlet has patched them.
    """
    global _finder  # noqa: PLW0603 - one process has one state
    if _finder is None and "gevent.monkey" in sys.modules:
        from gevent import monkey

        if monkey.is_module_patched("threading"):
            _finder = _Finder()
            _wampy.wait_by_hubs(_finder.find)
    if "eventlet.patcher" in sys.modules:
        from eventlet import patcher

        if patcher.is_monkey_patched("thread"):
            raise ConfigurationError(
                "wampy cannot wait in eventlet's hub: call eventlet.monkey_patch(thread=False), "
                "or use gevent, whose hub it can wait in"
            )


def waiting() -> Collection[int]:
    """The waits by the hub of this thread, each as a number."""
    hub = _finder and _finder.hub()
    return hub.tokens() if hub else ()


class _Finder:
    """Finds the hub of the thread that asks."""

    def __init__(self) -> None:
        from gevent import monkey
        from gevent._hub_local import get_hub_if_exists

        self._hub_if_exists = get_hub_if_exists
        # One for each native thread, and not for each greenlet.
        self._of_thread = monkey.get_original("_thread", "_local")()

    def hub(self) -> _Hub | None:
        """The hub of this thread; None if no greenlet runs here but the thread's own."""
        hub = self._hub_if_exists()
        if hub is None:
            return None
        known: _Hub | None = getattr(self._of_thread, "known", None)
        if known is None or known.hub is not hub or not known.wakeups.is_ours:
            known = self._of_thread.known = _Hub(hub)
        return known

    def find(self) -> tuple[_wampy.Wakeups, Callable[[int], None]] | None:
        """The hub as the extension wants it."""
        hub = self.hub()
        return (hub.wakeups, hub.park) if hub else None


class _Hub:
    """The waits by one of gevent's hubs."""

    def __init__(self, hub: Any) -> None:
        from gevent.hub import Waiter

        self.hub = hub
        self.wakeups = _wampy.Wakeups()
        self._new_waiter = Waiter
        self._waiting: dict[int, Any] = {}
        # It counts as something to wait for only while somebody waits for it.
        self._watcher = hub.loop.io(self.wakeups.fileno(), 1, ref=False)
        self._watcher.start(self._wake)

    def park(self, token: int) -> None:
        """Let other greenlets run until ``token`` is woken."""
        waiter = self._waiting[token] = self._new_waiter(self.hub)
        self._watcher.ref = True
        try:
            waiter.get()
        finally:
            del self._waiting[token]
            if not self._waiting:
                self._watcher.ref = False

    def tokens(self) -> Collection[int]:
        """Who waits."""
        return self._waiting.keys()

    def _wake(self) -> None:
        for token in self.wakeups.take():
            # Who has been interrupted meanwhile does not wait any more.
            waiter = self._waiting.get(token)
            if waiter is not None:
                waiter.switch(None)
