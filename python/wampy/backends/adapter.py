"""What all adapters have in common: a queue of messages, and waiting for it.

What is absent: anything of gevent, eventlet or threads.
"""

from __future__ import annotations

from typing import Any

from wampy.errors import WampyTimeOutError
from wampy.interfaces import Async

__all__ = ["Adapter"]

#: How long to sleep between two looks at the queue, in seconds.
INTERVAL = 0.005


class Adapter(Async):
    """An adapter. ``timed_out`` is the exception that its ``Timeout`` raises."""

    timed_out: type[BaseException]

    def __init__(self, message_queue: Any = None) -> None:
        self.message_queue: Any = self.queue() if message_queue is None else message_queue

    def __str__(self) -> str:
        return f"{type(self).__name__}AsyncAdapter"

    def queue(self) -> Any:
        """A new queue."""
        raise NotImplementedError(f"{self} has no queues")

    def receive_message(self, timeout: float) -> Any:
        """Take the next of ``message_queue``, for which to wait so many seconds.

        Raises:
            WampyTimeOutError: none came in time.
        """
        try:
            with self.Timeout(timeout):
                while self.message_queue.qsize() == 0:
                    self.sleep(INTERVAL)
        except self.timed_out as error:
            raise WampyTimeOutError(f"no message returned (timed-out in {timeout})") from error
        return self.message_queue.get()
