"""Waiting in programs that gevent or eventlet has patched: other greenlets run meanwhile.

Where the program has called ``gevent.monkey.patch_all()`` or ``eventlet.monkey_patch()``, a
greenlet that waits for the network is parked, and the hub of its thread goes on. So do the
handlers of clients, which run as greenlets there, because the program's threads are greenlets. In
other programs nothing is different.

What is absent: any patching, and any import of gevent or eventlet that the program has not made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import Any

from wampy import _wampy

__all__ = ["cooperate", "waiting"]

#: What finds the hub of a thread, once the program is known to be patched.
_finder: _Finder | None = None


def cooperate() -> None:
    """Let waits be by the hub from now on, if this program's threads are greenlets."""
    global _finder  # noqa: PLW0603 - one process has one state
    if _finder is not None:
        return
    if "gevent.monkey" in sys.modules:
        from gevent import monkey

        if monkey.is_module_patched("threading"):
            from gevent._hub_local import get_hub_if_exists

            _finder = _Finder(get_hub_if_exists, _WaitsOfGevent)
    elif "eventlet.patcher" in sys.modules:
        from eventlet import hubs, patcher

        if patcher.is_monkey_patched("thread"):
            _finder = _Finder(lambda: getattr(hubs._threadlocal, "hub", None), _WaitsOfEventlet)
    if _finder is not None:
        _wampy.wait_by_hubs(_finder.find)


def waiting() -> Collection[int]:
    """The waits by the hub of this thread, each as a number."""
    waits = _finder and _finder.waits()
    return waits.tokens() if waits else ()


class _Finder:
    """Finds the hub of the thread that asks."""

    def __init__(self, hub_if_exists: Callable[[], Any], kind: type[_Waits]) -> None:
        self._hub_if_exists = hub_if_exists
        self._kind = kind

    def waits(self) -> _Waits | None:
        """The waits by the hub; None if no greenlet runs in this thread but its own."""
        hub = self._hub_if_exists()
        if hub is None:
            return None
        known: _Waits | None = getattr(hub, "_wampy_waits", None)
        if known is None or not known.wakeups.is_ours:
            known = hub._wampy_waits = self._kind(hub)
        return known

    def find(self) -> tuple[_wampy.Wakeups, Callable[[int], None]] | None:
        """The hub as the extension wants it."""
        waits = self.waits()
        return (waits.wakeups, waits.park) if waits else None


class _Waits:
    """The waits by one hub."""

    def __init__(self, hub: Any) -> None:
        self.wakeups = _wampy.Wakeups()
        self._hub = hub
        #: who waits, by token
        self._waiting: dict[int, Any] = {}

    def park(self, token: int) -> None:
        """Let other greenlets run until ``token`` is woken."""
        raise NotImplementedError

    def tokens(self) -> Collection[int]:
        """Who waits."""
        return self._waiting.keys()

    def _wake(self, *_: Any) -> None:
        """Go on with those that are woken; runs in the hub."""
        for token in self.wakeups.take():
            # Who has been interrupted meanwhile does not wait any more.
            waiter = self._waiting.get(token)
            if waiter is not None:
                waiter.switch(None)


class _WaitsOfGevent(_Waits):
    def __init__(self, hub: Any) -> None:
        from gevent.hub import Waiter

        super().__init__(hub)
        self._new_waiter = Waiter
        # It counts as something to wait for only while somebody waits for it.
        self._watcher = hub.loop.io(self.wakeups.fileno(), 1, ref=False)
        self._watcher.start(self._wake)

    def park(self, token: int) -> None:
        waiter = self._waiting[token] = self._new_waiter(self._hub)
        self._watcher.ref = True
        try:
            waiter.get()
        finally:
            del self._waiting[token]
            if not self._waiting:
                self._watcher.ref = False


class _WaitsOfEventlet(_Waits):
    def __init__(self, hub: Any) -> None:
        from greenlet import getcurrent

        super().__init__(hub)
        self._current = getcurrent
        hub.add(hub.READ, self.wakeups.fileno(), self._wake, self._wake, self._wake)

    def park(self, token: int) -> None:
        self._waiting[token] = self._current()
        try:
            self._hub.switch()
        finally:
            del self._waiting[token]
