"""The interfaces that applications of wampy 1 could implement.

What is absent: any use of them by the client, whose transports are Rust's.
"""

from __future__ import annotations

import abc
from typing import Any

__all__ = ["Async", "Transport"]


class Transport(abc.ABC):
    """A connection that carries whole messages; see ``wampy.transports``."""

    @abc.abstractmethod
    def connect(self) -> Any:
        """Connect, and return ``self``."""

    @abc.abstractmethod
    def disconnect(self) -> None:
        """Close the connection."""

    @abc.abstractmethod
    def send(self, message: Any) -> None:
        """Send one message, a list."""

    @abc.abstractmethod
    def receive(self) -> Any:
        """Wait for one frame and return it."""


class Async(abc.ABC):
    """What a program waits with; see ``wampy.backends``."""

    @abc.abstractmethod
    def Timeout(self, timeout: float) -> Any:
        """A context manager that bounds what waits in it, in seconds."""

    @abc.abstractmethod
    def receive_message(self, timeout: float) -> Any:
        """Wait for a message, for so many seconds."""

    @abc.abstractmethod
    def spawn(self, *args: Any, **kwargs: Any) -> Any:
        """Run a function with these arguments beside this one."""

    @abc.abstractmethod
    def sleep(self, time: float) -> None:
        """Wait for so many seconds, and let others run."""
