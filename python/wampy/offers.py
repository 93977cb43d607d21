"""What a session offers and listens to: handlers by the ids of the present session.

What is absent: running the handlers, see ``wampy.jobs``, and what outlives a session, see
``wampy.records``.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wampy import _wampy, errors
from wampy.describing import description_for
from wampy.messages import Register, Registered, Subscribe, Subscribed
from wampy.records import Record, Records, RegistrationRecord, SubscriptionRecord, topic_key
from wampy.registry import Registry
from wampy.roles.callee import Procedure, prepared
from wampy.roles.subscriber import accepts_meta

if TYPE_CHECKING:
    from wampy.lifetime import Lifetime

__all__ = ["Offers", "Subscription"]

logger: logging.Logger = logging.getLogger("wampy.session")


class Subscription:
    """A handler and the topic it listens to."""

    __slots__ = ("handler", "topic", "wants_meta")

    def __init__(self, handler: Callable[..., Any], topic: str) -> None:
        self.handler: Callable[..., Any] = prepared(handler, ("meta",))
        self.topic: str = topic
        #: whether the handler takes the keyword ``meta``
        self.wants_meta: bool = accepts_meta(handler)


class Offers:
    """Asks the router for registrations and subscriptions, and keeps their handlers."""

    def __init__(self, session: Lifetime) -> None:
        self._session = session
        self.registration_map: dict[int, str] = {}
        self.subscription_map: dict[int, tuple[Callable[..., Any], str]] = {}
        self.request_ids: dict[int, Any] = {}
        #: what the next session is asked for after a loss
        self.records: Records = Records()
        #: held while the router grants an id that jobs may name before its handler is noted
        self.granting: threading.RLock = threading.RLock()
        self._handlers: dict[int, Callable[..., Any]] = {}
        # What the router was told by reflection: URI and match policy by kind and id.
        self._defined: dict[tuple[str, int], tuple[str, str]] = {}
        # Registrations whose handler takes more than the arguments of the call.
        self._takes_more: dict[int, Procedure] = {}
        #: the handlers by the ids of the present connection; the next one has a table of its own,
        #: so that a thread that has taken this one for its jobs finds none of the other's in it
        self.subscriptions: dict[int, tuple[Subscription, ...]] = {}
        self._topics: dict[tuple[str, Any, Any], Subscribed] = {}

    def begin(self) -> None:
        """Note that there is a new connection."""
        self.subscriptions = {}

    def forget_ids(self) -> None:
        """Drop what belonged to the session that ended."""
        for registration_id in self._handlers:
            Registry.remove(registration_id)
        for known in (self.registration_map, self.subscription_map, self.request_ids):
            known.clear()
        self._handlers.clear()
        self._takes_more.clear()
        self._defined.clear()
        self.subscriptions.clear()
        self.begin()
        self._topics.clear()

    def drop_revoked(self) -> None:
        """Forget the registrations and subscriptions that the router has taken back."""
        wire = self._session.wire
        if wire is None or not wire.is_open:
            return
        registrations, subscriptions = wire.revoked()
        for registration_id in registrations:
            self._drop_registration(registration_id)
        for subscription_id in subscriptions:
            self._drop_subscription(subscription_id)

    def _granted(self, request_type: int, asked: _wampy.Asked) -> tuple[int, int]:
        """Wait until the router grants what it was asked for."""
        try:
            return asked.granted(self._timeout)
        except errors.Error as error:
            self._session.delivery.show_error(request_type, error)
            raise

    @contextlib.contextmanager
    def asking(self, records: Sequence[Record]) -> Iterator[list[_wampy.Asked | None]]:
        """Ask for all that the records say, and wait for no answer; None for what is still to ask.

        What comes for them meanwhile waits until the block has noted them.
        """
        wire = self._session.joined()
        with self.granting:
            topics = set(self._topics)
            yield [record.ask(wire, topics) for record in records]

    @property
    def _timeout(self) -> float | None:
        return self._session.call_timeout or None

    # Procedures

    def register(
        self,
        procedure: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any],
        method: str | None = None,
        wanted: Procedure | None = None,
        asked: _wampy.Asked | None = None,
    ) -> Registered:
        """Register a handler; returns the router's message.

        ``wanted`` says what the handler takes beside the arguments of the call, if it was declared;
        ``asked`` is the request, if it was sent before.
        """
        _check_handler(handler)
        runs = prepared(handler, wanted.beside if wanted is not None else ())
        session = self._session
        wire = session.joined()
        with self.granting:
            asked = asked or wire.ask_to_register(procedure, options)
            granted = Registered(*self._granted(Register.WAMP_CODE, asked))
            granted_id = granted.registration_id
            if wanted is not None and (wanted.details or wanted.parts or wanted.traceback):
                self._takes_more[granted_id] = wanted
            self._handlers[granted_id] = runs
            self.registration_map[granted_id] = procedure
            self.records.registrations.append(
                RegistrationRecord(granted_id, procedure, handler, options, method, wanted)
            )
        self.request_ids[granted.request_id] = procedure
        Registry.add(granted_id, type(session.client), method or procedure)
        session.start_threads()
        session.delivery.show(granted)
        return granted

    def offer(
        self,
        procedure: Procedure,
        handler: Callable[..., Any],
        method: str | None,
        asked: _wampy.Asked | None = None,
    ) -> int:
        """Register a handler as ``procedure`` says, and describe it; returns the id."""
        uri, options = procedure.uri, procedure.options
        granted = self.register(uri, handler, options, method, procedure, asked)
        granted_id = granted.registration_id
        self._define(uri, handler, "procedure", options, procedure.beside, granted_id)
        return granted_id

    def unregister(self, registration_id: int) -> None:
        """Withdraw a procedure, which may be named by the id that it had before a reconnect."""
        _check_id("registration", registration_id)
        wire = self._session.joined()
        present = self.records.present_id(self.records.registrations, registration_id)
        if present is not None:
            wire.unregister(present, self._timeout)
        self._drop_registration(registration_id if present is None else present)

    def _drop_registration(self, registration_id: int) -> None:
        self.records.drop_registration(registration_id)
        self._handlers.pop(registration_id, None)
        self._takes_more.pop(registration_id, None)
        self.registration_map.pop(registration_id, None)
        Registry.remove(registration_id)
        self._undefine("procedure", registration_id)

    def handler_of(self, registration_id: int) -> Callable[..., Any] | None:
        """What runs the handler of a registration, once that is noted."""
        handler = self._handlers.get(registration_id)
        if handler is None:
            with self.granting:
                handler = self._handlers.get(registration_id)
        return handler

    def declared(self, registration_id: int) -> Procedure | None:
        """What a registration was declared as, if its handler takes more than its arguments.

        Call it after ``handler_of``, which waits until the registration is noted.
        """
        return self._takes_more.get(registration_id)

    # Topics

    def subscribe(
        self,
        topic: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any],
        described: bool = False,
        asked: _wampy.Asked | None = None,
    ) -> Subscribed:
        """Subscribe a handler; returns the router's message.

        ``asked`` is the request, if it was sent before.
        """
        if not isinstance(topic, str):
            raise errors.ConfigurationError(f"a topic must be a string, not {topic!r}")
        _check_handler(handler)
        session = self._session
        wire = session.joined()
        subscription = Subscription(handler, topic)
        key = topic_key(topic, options)
        self.drop_revoked()
        with self.granting:
            shared = self._topics.get(key)
            if shared is not None:
                self.subscriptions[shared.subscription_id] += (subscription,)
                self._record(shared, subscription, options, described)
                return shared
            asked = asked or wire.ask_to_subscribe(topic, options)
            granted = Subscribed(*self._granted(Subscribe.WAMP_CODE, asked))
            self._topics[key] = granted
            self.subscriptions[granted.subscription_id] = (subscription,)
            self.subscription_map[granted.subscription_id] = handler, topic
            self._record(granted, subscription, options, described)
        self.request_ids[granted.request_id] = topic
        session.start_threads()
        session.delivery.show(granted)
        return granted

    def _record(
        self,
        granted: Subscribed,
        subscription: Subscription,
        options: Mapping[str, Any],
        described: bool,
    ) -> None:
        topic, handler = subscription.topic, subscription.handler
        record = SubscriptionRecord(granted.subscription_id, topic, handler, options, described)
        self.records.subscriptions.append(record)

    def listen(
        self,
        topic: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any],
        asked: _wampy.Asked | None = None,
    ) -> int:
        """Subscribe a handler, and describe it; returns the id."""
        granted = self.subscribe(topic, handler, options, described=True, asked=asked)
        granted_id = granted.subscription_id
        self._define(topic, handler, "topic", options, ["meta"], granted_id)
        return granted_id

    def unsubscribe(self, subscription_id: int) -> None:
        """End a subscription, for all handlers that it has here.

        It may be named by the id that it had before a reconnect.
        """
        _check_id("subscription", subscription_id)
        wire = self._session.joined()
        present = self.records.present_id(self.records.subscriptions, subscription_id)
        if present is not None:
            wire.unsubscribe(present, self._timeout)
        self._drop_subscription(subscription_id if present is None else present)

    def _drop_subscription(self, subscription_id: int) -> None:
        self.records.drop_subscription(subscription_id)
        self._undefine("topic", subscription_id)
        self.subscriptions.pop(subscription_id, None)
        for key, granted in tuple(self._topics.items()):
            if granted.subscription_id == subscription_id:
                del self._topics[key]
        self.subscription_map.pop(subscription_id, None)

    def subscriptions_of(self, subscription_id: int) -> tuple[Subscription, ...]:
        """The handlers of a subscription, in the order in which they came."""
        found = self.subscriptions.get(subscription_id)
        if found is None:
            with self.granting:
                found = self.subscriptions.get(subscription_id)
        return found or ()

    # What the router is told of them

    def _define(
        self,
        uri: str,
        handler: Callable[..., Any],
        kind: str,
        options: Mapping[str, Any],
        ours: Sequence[str],
        granted_id: int,
    ) -> None:
        """Tell the router what ``handler`` is, if it asks; its answer makes no difference."""
        wire = self._session.wire
        if wire is None:
            return
        definition = description_for(wire, uri, handler, kind, options, ours)
        if definition is None:
            return
        try:
            wire.call_and_forget("wamp.reflect.define", [uri, definition], {})
            self._defined[kind, granted_id] = uri, definition["match"]
        except Exception:
            # A value in it may have no form in WAMP; the procedure works without.
            logger.exception("%s cannot be described", uri)

    def _undefine(self, kind: str, granted_id: int) -> None:
        """Take back what was told of a procedure or topic that is offered no more."""
        if (kind, granted_id) not in self._defined:
            return
        uri, match = self._defined.pop((kind, granted_id))
        wire = self._session.wire
        if wire is not None:
            how = {"kind": kind, "match": match}
            wire.call_and_forget("wamp.reflect.define", [uri, None], how)


def _check_id(what: str, given: object) -> None:
    if not isinstance(given, int):
        raise errors.ConfigurationError(f"a {what} is known by its id, a number, not by {given!r}")


def _check_handler(handler: object) -> None:
    import inspect

    if not callable(handler):
        raise errors.ConfigurationError(f"a handler must be a function, not {handler!r}")
    if inspect.iscoroutinefunction(handler):
        raise errors.ConfigurationError(
            f"{handler!r} is a coroutine function, but handlers run on threads: write `def`, "
            "or use wampy.aio"
        )
