"""Waiting for what other threads bring about, and collecting what a client receives.

The module has the name and the contents that it had in wampy 1. What is absent: fixtures, which
are in ``wampy.testing.pytest_plugin``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wampy.errors import WampyTimeOutError
from wampy.message_handler import MessageHandler

if TYPE_CHECKING:
    from wampy.peers.clients import Client

__all__ = [
    "CollectingMessageHandler",
    "assert_stops_raising",
    "wait_for_messages",
    "wait_for_registrations",
    "wait_for_session",
    "wait_for_subscriptions",
]

#: How long the functions below wait, in seconds, unless told otherwise.
TIMEOUT = 5.0

#: How long they sleep between two looks, in seconds.
INTERVAL = 0.01


def wait_for_session(client: Client, timeout: float = TIMEOUT) -> None:
    """Wait until the client has joined its realm.

    Raises:
        WampyTimeOutError: it has not within ``timeout`` seconds.
    """
    _wait(
        lambda: client.session is not None and client.session.is_open,
        timeout,
        lambda: f"{client!r} has not joined",
    )


def wait_for_registrations(
    client: Client, number_of_registrations: int, timeout: float = TIMEOUT
) -> None:
    """Wait until the client has registered so many procedures, or more.

    Raises:
        WampyTimeOutError: it has not within ``timeout`` seconds.
    """
    _wait(
        lambda: len(client.registration_map) >= number_of_registrations,
        timeout,
        lambda: _too_few(number_of_registrations, "registrations", client.registration_map),
    )


def wait_for_subscriptions(
    client: Client, number_of_subscriptions: int, timeout: float = TIMEOUT
) -> None:
    """Wait until the client has subscribed to so many topics, or more.

    Raises:
        WampyTimeOutError: it has not within ``timeout`` seconds.
    """
    _wait(
        lambda: len(client.subscription_map) >= number_of_subscriptions,
        timeout,
        lambda: _too_few(number_of_subscriptions, "subscriptions", client.subscription_map),
    )


def wait_for_messages(
    client: Client, number_of_messages: int, timeout: float = TIMEOUT
) -> list[list[Any]]:
    """Wait until a client with a ``CollectingMessageHandler`` has received so many messages.

    Returns:
        all that it has received; the list goes on growing.

    Raises:
        WampyTimeOutError: it has not within ``timeout`` seconds.
        TypeError: the client collects no messages.
    """
    received: list[list[Any]] | None = getattr(client.message_handler, "messages_received", None)
    if received is None:
        raise TypeError(
            f"{client!r} collects no messages: make it with "
            "message_handler_cls=CollectingMessageHandler"
        )
    _wait(
        lambda: len(received) >= number_of_messages,
        timeout,
        lambda: _too_few(number_of_messages, "messages", received),
    )
    return received


def assert_stops_raising(
    fn: Callable[[], object],
    exception_type: type[BaseException] | tuple[type[BaseException], ...] = Exception,
    timeout: float = TIMEOUT,
    interval: float = 0.1,
) -> None:
    """Call ``fn`` until it returns without an exception of that type; others are raised at once.

    Args:
        fn: a function without arguments.
        exception_type: what it may raise meanwhile; ``AssertionError`` to wait for an assertion.
        timeout: how long it may do so, in seconds; then its last exception is raised.
        interval: how long to sleep between two calls, in seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            fn()
        except exception_type:
            if time.monotonic() >= deadline:
                raise
            time.sleep(interval)
        else:
            return


class CollectingMessageHandler(MessageHandler):
    """A message handler that keeps what its client receives, each message as a list.

    ``Client(..., message_handler_cls=CollectingMessageHandler)`` makes a client with one.
    """

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        #: the messages in the order in which they came, as ``[code, ...]``
        self.messages_received: list[list[Any]] = []

    def handle_message(self, message: str) -> None:
        """Keep the message, and handle it."""
        self.messages_received.append(json.loads(message))
        super().handle_message(message)


def _wait(condition: Callable[[], bool], timeout: float, complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            raise WampyTimeOutError(f"after {timeout} seconds: {complaint()}")
        time.sleep(INTERVAL)


def _too_few(wanted: int, what: str, there: object) -> str:
    return f"fewer than {wanted} {what}: {there!r}"
