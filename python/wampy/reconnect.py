"""How a client gets its session back after the connection was lost.

A ``Keeper`` waits for the loss on a thread of its own, connects again, and has the new session
asked for what the old one had. What is absent: what that was; see ``wampy.records``.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from wampy import _wampy
from wampy.constants import CLOSE_REASON
from wampy.errors import (
    ConfigurationError,
    ConnectionLostError,
    SessionError,
    WampProtocolError,
    WampyError,
)
from wampy.options import options_named

if TYPE_CHECKING:
    from wampy.lifetime import Lifetime

__all__ = ["Keeper", "Reconnect", "connect_first"]

logger: logging.Logger = logging.getLogger("wampy.reconnect")

#: Why a router refuses a session for good; another attempt would fare no better.
_FINAL = frozenset(
    f"wamp.error.{reason}"
    for reason in (
        "authentication_denied",
        "authentication_required",
        "authorization_denied",
        "invalid_uri",
        "no_matching_auth_method",
        "no_such_principal",
        "no_such_realm",
        "no_such_role",
        "not_authorized",
        "protocol_violation",
    )
)
#: From this attempt on the delay is the longest in any case.
_DOUBLINGS_MAX = 31
_FOREVER = float("inf")


class Reconnect:
    """How to get a session back after the connection, or the session on it, was lost.

    The delay before an attempt doubles from ``delay_min`` to ``delay_max``, and is drawn at random
    from its upper half, so that the clients of a router that restarts do not all come at once. A
    session that the router refuses for good is not tried again: no such realm, wrong or missing
    credentials, a protocol violation.

    Args:
        delay_min: the delay before the first attempt, in seconds.
        delay_max: the longest delay between attempts, in seconds.
        attempts_max: how many attempts in a row may fail before the client gives up; None for no
            end.
        first_connection: whether ``start`` tries again, too, for programs that start before their
            router does.

    Raises:
        ConfigurationError: a delay is no positive number of seconds, or ``delay_max`` is less than
            ``delay_min``, or ``attempts_max`` is no number from 1 on.
    """

    __slots__ = ("attempts_max", "delay_max", "delay_min", "first_connection")

    @options_named
    def __init__(
        self,
        delay_min: float = 0.1,
        delay_max: float = 30.0,
        attempts_max: int | None = None,
        first_connection: bool = False,
    ) -> None:
        for name, seconds in (("delay_min", delay_min), ("delay_max", delay_max)):
            is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
            if not is_number or not 0 < seconds <= threading.TIMEOUT_MAX:
                raise ConfigurationError(
                    f"{name} must be a positive number of seconds, not {seconds!r}"
                )
        if delay_max < delay_min:
            raise ConfigurationError(
                f"delay_max {delay_max!r} is less than delay_min {delay_min!r}"
            )
        if attempts_max is not None and (not isinstance(attempts_max, int) or attempts_max < 1):
            raise ConfigurationError(
                f"attempts_max must be a number of attempts from 1 on, not {attempts_max!r}"
            )
        self.delay_min: float = delay_min
        self.delay_max: float = delay_max
        self.attempts_max: int | None = attempts_max
        self.first_connection: bool = first_connection

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={getattr(self, name)!r}" for name in sorted(self.__slots__))
        return f"Reconnect({given})"

    def delay(self, attempt: int) -> float:
        """The delay before attempt number ``attempt``, 1 for the first, in seconds."""
        doublings = min(attempt - 1, _DOUBLINGS_MAX)
        longest = min(self.delay_min * 2**doublings, self.delay_max)
        import random

        return float(longest * random.uniform(0.5, 1))

    def goes_on(self, failures: int, error: BaseException) -> bool:
        """Whether to try again after so many failures in a row, of which ``error`` was the last."""
        is_final = isinstance(error, (ConfigurationError, WampProtocolError)) or (
            isinstance(error, WampyError) and error.uri in _FINAL
        )
        return not is_final and (self.attempts_max is None or failures < self.attempts_max)


def connect_first(session: Lifetime, reconnect: Reconnect | None) -> _wampy.Session:
    """Connect for the first time: once, unless ``reconnect`` asks for more."""
    failures = 0
    while True:
        try:
            return session.connect()
        except WampyError as error:
            failures += 1
            persists = reconnect is not None and reconnect.first_connection
            if reconnect is None or not persists or not reconnect.goes_on(failures, error):
                raise
            logger.warning("%s waits for its router: %s", session.client_name, error)
        time.sleep(reconnect.delay(failures))


class Keeper:
    """Waits for the end of a client's session, and gets it a new one.

    Args:
        session: the client's session.
        wire: its present connection.
        reconnect: how to get another; None for not at all, so that the program only hears of the
            loss.
        only_if_held: whether to get another only if there is something to restore.
    """

    def __init__(
        self,
        session: Lifetime,
        wire: _wampy.Session,
        reconnect: Reconnect | None,
        only_if_held: bool,
    ) -> None:
        self._session = session
        self._reconnect = reconnect
        self._only_if_held = only_if_held
        #: the last connection on which the router was asked for everything
        self.wire: _wampy.Session = wire
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._attempt = _wampy.Attempt()
        #: why there will be no further session
        self._failure: BaseException | None = None
        name = f"wampy-{session.client_name}-keeper"
        # A daemon, like handler threads: it must not keep the process alive.
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)
        self._thread.start()

    # For the threads of the program

    def stop(self) -> None:
        """Get no session any more; an attempt to do so ends now."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()
        self._attempt.give_up()

    @property
    def is_at_work(self) -> bool:
        """Whether a session was lost and may come back."""
        return self._failure is None and not self._stopped.is_set() and not self.wire.is_open

    def wait_until_back(self, timeout: float | None) -> _wampy.Session:
        """Wait until there is a session in which everything is restored.

        Raises:
            ConnectionLostError: there will be none, or not within ``timeout`` seconds, or this
                is the thread that gets it.
            SessionError: the program has stopped the client.
        """
        if threading.current_thread() is self._thread:
            wire = self._session.wire
            if wire is not None and wire.is_open:
                return wire
            raise self._unsent("has lost its connection and is getting it back")
        with self._changed:
            self._changed.wait_for(self._is_settled, timeout or None)
            if self._stopped.is_set():
                raise SessionError(f"{self._session.client_name} is stopped")
            if self._failure is not None:
                raise self._unsent(f"has lost its connection for good: {self._failure}")
            if not self.wire.is_open:
                raise self._unsent(f"has not got its connection back within {timeout} seconds")
            return self.wire

    def _is_settled(self) -> bool:
        return self._failure is not None or self._stopped.is_set() or self.wire.is_open

    def _unsent(self, state: str) -> ConnectionLostError:
        message = f"{self._session.client_name} {state}; the request was not sent"
        return ConnectionLostError(message, may_have_run=False)

    # On the keeper's own thread

    def _keep(self) -> None:
        rounds = 1
        while not self._stopped.is_set():
            error = self.wire.wait_for_end(self._pause(rounds))
            if self._stopped.is_set():
                return
            if error is not None:
                rounds = 1
                if not self._get_back(error):
                    return
            else:
                # A router that has not noticed the end of the old session refuses what that holds.
                rounds += 1
                self._restore_rest()

    def _pause(self, rounds: int) -> float:
        """How long to wait until what was refused is asked for again, in seconds."""
        if self._reconnect is None or self._session.records.are_complete:
            return _FOREVER
        return self._reconnect.delay(rounds)

    def _restore_rest(self) -> None:
        try:
            self._session.restore()
        except SessionError as error:
            # The session is lost, too, which the wait for its end tells.
            logger.debug("%s: %s", self._session.client_name, error)

    def _get_back(self, error: WampyError) -> bool:
        """Get a new session after one that ended by ``error``; false if there is to be none."""
        name = self._session.client_name
        logger.warning("%s has lost its connection: %s", name, error)
        self._session.delivery.show_loss(str(error))
        self._tell("on_connection_lost", str(error))
        reconnect, failures = self._reconnect, 0
        if self._only_if_held and not self._session.records:
            reconnect = None
        while reconnect is not None and reconnect.goes_on(failures, error):
            if self._stopped.wait(reconnect.delay(failures + 1)):
                return False
            try:
                self._begin_anew()
                return True
            except WampyError as failure:
                if self._stopped.is_set():
                    return False
                error = failure
            failures += 1
            logger.warning("%s: attempt %d to reconnect failed: %s", name, failures, error)
        with self._changed:
            self._failure = error
            self._changed.notify_all()
        logger.error("%s does not reconnect: %s", name, error)
        self._tell("on_given_up", str(error))
        return False

    def _begin_anew(self) -> None:
        """Connect, restore everything, and let the waiting threads go on."""
        session = self._session
        wire = session.connect(self._attempt)
        with self._changed:
            if not self._stopped.is_set():
                session.adopt(wire)
        if self._stopped.is_set():
            wire.close(CLOSE_REASON)
            raise SessionError(f"{session.client_name} is stopped")
        session.welcome()
        session.restore()
        with self._changed:
            self.wire = wire
            self._changed.notify_all()
        logger.info("%s is back, as session %s", session.client_name, wire.id)
        self._tell("on_reconnected")

    def _tell(self, callback: str, *reason: str) -> None:
        """Tell the program; its failures are its own."""
        try:
            getattr(self._session.client, callback)(*reason)
        except Exception:
            logger.exception("%s of %s failed", callback, self._session.client_name)
