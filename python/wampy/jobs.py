"""The jobs of a session: invocations and events, each on the handler thread that took it.

What is absent: the threads, see ``wampy.handler_threads``, and which handler runs, which the
message handler asks the session.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from types import GeneratorType
from typing import Any

from wampy import _wampy, errors
from wampy.delivery import Delivery
from wampy.message_handler import log_failed_event
from wampy.messages import Event, Invocation
from wampy.offers import Offers, Subscription
from wampy.result import arguments_of

__all__ = ["Jobs"]

logger: logging.Logger = logging.getLogger("wampy.session")


class Jobs:
    """Works on the jobs of the present connection.

    Args:
        name: the client's name, for logs.
        delivery: what gives a job to the message handler.
        offers: the handlers of the session.
        present: the connection of the present session.
    """

    def __init__(
        self,
        name: str,
        delivery: Delivery,
        offers: Offers,
        present: Callable[[], _wampy.Session | None],
    ) -> None:
        self._name = name
        self._delivery = delivery
        self._offers = offers
        self._present = present
        # The wire of the job that this thread works on; most clients have no handlers.
        self._current: threading.local | None = None
        self._events_dropped = 0

    def begin(self) -> None:
        """Note that there is a new connection."""
        self._events_dropped = 0

    def prepare(self) -> None:
        """Make ready for the first job; not by two threads at once."""
        if self._current is None:
            self._current = threading.local()

    @property
    def wire(self) -> _wampy.Session | None:
        """The connection of the job that this thread works on, if it works on one."""
        return getattr(self._current, "wire", None)

    @property
    def is_stale(self) -> bool:
        """Whether this thread works on a job of a connection that is lost, with ids of its own.

        Asked after a look into the tables of ids, it says that they were still those of the job.
        """
        wire = self.wire
        return wire is not None and wire is not self._present()

    def subscriptions_of(self, subscription_id: int) -> tuple[Subscription, ...]:
        """The handlers of a subscription, for the job that this thread works on."""
        found = self._offers.subscriptions_of(subscription_id)
        return () if self.is_stale else found

    def run(self, wire: _wampy.Session, job: tuple[Any, ...]) -> None:
        """Process one job of the wire, on a handler thread."""
        code, *fields = job
        current = self._current
        assert current is not None
        current.wire = wire
        try:
            if code == Event.WAMP_CODE:
                self._run_events(wire)
            # Else the session has ended, and its ids mean something else in the next one.
            elif wire is self._present():
                self._answer(wire, fields)
        finally:
            current.wire = None
            if code == Event.WAMP_CODE:
                wire.events_done()
                self._warn_of_dropped_events(wire)

    def _run_events(self, wire: _wampy.Session) -> None:
        """Have the events handled that wait, of which no other thread takes any meanwhile.

        They go from the compiled part straight to the handlers of their topics, unless the message
        handler of the program wants to see them.
        """
        known = self._offers.subscriptions
        # Asked after the table was taken: so it is the wire's, or of no use to anybody any more.
        if wire is not self._present():
            known = {}
        elif self._delivery.sees_events:
            self._show_event(wire.next_event())
            return
        while wire.run_events(known, self.subscriptions_of, log_failed_event):
            self._warn_of_dropped_events(wire)

    def _show_event(self, event: tuple[Any, ...] | None) -> None:
        if event is None:
            return
        try:
            self._delivery.deliver(Event(*event))
        except Exception:
            logger.exception("%s could not process the event %r", self._name, event[:2])

    def _answer_at_once(
        self,
        wire: _wampy.Session,
        request_id: int,
        registration_id: int,
        details: Mapping[str, Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> bool:
        """Run a handler that takes the arguments of the call and no more; false if this is none.

        What is usual needs no messages: they would cost as much as all the rest.
        """
        handler = self._offers.handler_of(registration_id)
        declared = self._offers.declared(registration_id)
        takes_more = declared is not None and (declared.details or declared.parts)
        # Asked last: so the handler is that of the wire's id.
        if handler is None or takes_more or wire is not self._present():
            return False
        messages = self._delivery.message_handler
        try:
            result = handler(*args, **kwargs)
            if isinstance(result, GeneratorType):
                message = Invocation(request_id, registration_id, details, args, kwargs)
                result = messages.run_generator(message, result)
        # As ``MessageHandler.handle_invocation`` says.
        except BaseException as failure:
            message = Invocation(request_id, registration_id, details, args, kwargs)
            messages.process_failure(message, failure, handler, kwargs)
            return True
        try:
            wire.reply(request_id, *arguments_of(result))
        except errors.SerializationError:
            # Where it fails again, that is logged and answered.
            message = Invocation(request_id, registration_id, details, args, kwargs)
            messages.process_result(message, result)
        return True

    def _answer(self, wire: _wampy.Session, fields: Sequence[Any]) -> None:
        try:
            if self._delivery.sees_invocations() or not self._answer_at_once(wire, *fields):
                self._delivery.deliver(Invocation(*fields))
        except Exception as error:
            # The application's own MessageHandler failed, or its error has no form in WAMP: its
            # caller still gets an answer.
            wire.reply_error(fields[0], "wamp.error.runtime_error", [str(error)], {})
            raise

    def _warn_of_dropped_events(self, wire: _wampy.Session) -> None:
        dropped = wire.events_dropped
        if dropped > self._events_dropped and wire is self._present():
            logger.warning("%s handles events too slowly: %d were dropped", self._name, dropped)
            self._events_dropped = dropped
