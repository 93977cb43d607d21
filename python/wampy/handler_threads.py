"""The threads on which the handlers of one client run.

One thread always waits for the next job; whoever takes a job makes sure that another thread
waits in its place. So a handler may block, or call the client that it belongs to, and the jobs
that follow still run, up to a limit. The network thread never runs a handler.

What is absent: what a job means; the session knows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from wampy import _wampy
from wampy.constants import HANDLER_THREAD_IDLE, HANDLER_THREADS_MAX

logger: logging.Logger = logging.getLogger("wampy.handlers")


class HandlerThreads:
    """A pool that grows from one thread to ``limit`` while handlers are busy."""

    def __init__(
        self,
        name: str,
        wire: _wampy.Session,
        run: Callable[[_wampy.Session, Any], None],
        limit: int = HANDLER_THREADS_MAX,
    ) -> None:
        self._name = name
        self._wire = wire
        self._run = run
        self._limit = limit
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def start(self) -> None:
        """Start the first thread; a second call changes nothing."""
        with self._lock:
            if self._threads == 0:
                self._spawn()

    @property
    def count(self) -> int:
        """How many threads there are now."""
        return self._threads

    @property
    def busy(self) -> int:
        """How many of them work on a job."""
        return self._threads - self._idle

    def _spawn(self) -> None:
        """Start one more thread, with the lock held."""
        self._threads += 1
        self._idle += 1
        # The threads are daemons: a handler that never returns must not keep the process alive.
        thread = threading.Thread(target=self._work, name=f"wampy-{self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The interpreter is ending, or the system has no more threads: the others go on.
            self._threads -= 1
            self._idle -= 1
            logger.warning("no further handler thread for %s: %s", self._name, error)

    def _work(self) -> None:
        while True:
            job = self._wire.next_job(HANDLER_THREAD_IDLE)
            with self._lock:
                if job is None:
                    if self._idle == 1 and self._wire.is_open:
                        continue
                    self._idle -= 1
                    self._threads -= 1
                    return
                self._idle -= 1
                if self._idle == 0 and self._threads < self._limit:
                    self._spawn()
            try:
                self._run(self._wire, job)
            except Exception:
                logger.exception("%s could not process %r", self._name, job[:3])
            del job
            with self._lock:
                self._idle += 1
