"""A conversation between a client and a router in one realm.

The session knows which handler belongs to which registration and subscription, and turns jobs
of the wire into calls of the ``MessageHandler``. What is absent: the protocol and the socket,
which are Rust's, and everything about classes with decorated methods, which is the client's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wampy import _wampy, errors, joining, process
from wampy.auth import Auth, proofs
from wampy.by_hand import MessagesByHand
from wampy.constants import (
    CLOSE_REASON,
    CONNECT_TIMEOUT,
    DEFAULT_REALM,
    DEFAULT_TIMEOUT,
    GOODBYE_TIMEOUT,
)
from wampy.encryption import DataKey, named_key
from wampy.handler_threads import HandlerThreads
from wampy.message_handler import MessageHandler
from wampy.messages import (
    Error,
    Event,
    Goodbye,
    Invocation,
    Message,
    Registered,
    Result,
    Subscribed,
    Welcome,
    Yield,
)
from wampy.progressive import Feeder, Parts, ProgressiveCall, check_parts
from wampy.reconnect import Keeper, Reconnect, connect_first
from wampy.records import Records, RegistrationRecord, SubscriptionRecord
from wampy.registry import Registry
from wampy.result import arguments_of, value_of
from wampy.roles.callee import Procedure, prepared
from wampy.roles.subscriber import accepts_meta

if TYPE_CHECKING:
    from wampy.connection import Connection

__all__ = ["Session", "Subscription"]

logger: logging.Logger = logging.getLogger("wampy.session")


class Subscription:
    """A handler and the topic it listens to."""

    __slots__ = ("handler", "topic", "wants_meta")

    def __init__(self, handler: Callable[..., Any], topic: str) -> None:
        self.handler: Callable[..., Any] = prepared(handler, ("meta",))
        self.topic: str = topic
        #: whether the handler takes the keyword ``meta``
        self.wants_meta: bool = accepts_meta(handler)


class Session:
    """A session; it can begin again after its end, and by itself after a loss.

    Attributes:
        registration_map: ``{registration_id: procedure URI}``
        subscription_map: ``{subscription_id: (handler, topic)}``
        request_ids: ``{request_id: what was asked for}`` of registrations and subscriptions
    """

    def __init__(
        self,
        router_url: str,
        message_handler: MessageHandler,
        ipv: int | None = None,
        cert_path: str | None = None,
        call_timeout: float | None = DEFAULT_TIMEOUT,
        realm: str = DEFAULT_REALM,
        roles: Mapping[str, Any] | None = None,
        client_name: str = "wampy",
        auth: Auth | Sequence[Auth] | None = None,
        certificate: tuple[str, str] | None = None,
        keys: Sequence[DataKey] = (),
        cipher: str | None = None,
        reconnect: bool | Reconnect | None = False,
        watched: bool = False,
        batched: bool = False,
        cookies: _wampy.CookieJar | None = None,
        tracebacks: bool = False,
    ) -> None:
        self.url = router_url
        self.message_handler = message_handler
        self.ipv = ipv
        self.cert_path = cert_path
        self.call_timeout = call_timeout
        self.realm = realm
        self.roles: Mapping[str, Any] = roles or {}
        self.client_name = client_name
        self.auth = auth
        self.certificate = certificate
        self.keys: list[DataKey] = list(keys)
        self.cipher = cipher
        self.batched = batched
        self.cookies = cookies
        self.tracebacks = tracebacks
        self.registration_map: dict[int, str] = {}
        self.subscription_map: dict[int, tuple[Callable[..., Any], str]] = {}
        self.request_ids: dict[int, Any] = {}
        self._handlers: dict[int, Callable[..., Any]] = {}
        # What the router was told by reflection: URI and match policy by kind and id.
        self._defined: dict[tuple[str, int], tuple[str, str]] = {}
        # Registrations whose handler takes more than the arguments of the call.
        self._takes_more: dict[int, Procedure] = {}
        self._subscriptions: dict[int, list[Subscription]] = {}
        self._topics: dict[tuple[str, Any, Any], Subscribed] = {}
        # The wire of the job that this thread works on.
        self._current = threading.local()
        self._by_hand = MessagesByHand(self)
        #: what the next session is asked for after a loss
        self.records: Records = Records()
        #: whether and how to get a lost session back; None for if there is something to restore
        self.reconnect = reconnect
        closes = type(message_handler).handle_close is not MessageHandler.handle_close
        #: whether the program wants to hear of a loss in any case
        self.watched: bool = watched or closes
        self._keeper: Keeper | None = None
        self._wire: _wampy.Session | None = None
        self._threads: HandlerThreads | None = None
        self._ended = False
        self._events_dropped = 0
        # Those of the connections before this one.
        self._events_undecryptable = 0
        # Held while the router grants an id that jobs may name before we have noted its handler.
        self._granting = threading.RLock()
        # Only a handler class of the application wants to see answers pass.
        self._observed = type(message_handler) is not MessageHandler
        self._wants_text = type(message_handler).handle_message is not MessageHandler.handle_message

    def __repr__(self) -> str:
        state = f"{self.id}, realm {self.realm}" if self.is_open else "not joined"
        return f"<Session {state}>"

    # Life

    @property
    def id(self) -> int | None:
        """The session id that the router chose, or None before the session has joined."""
        return self._wire.id if self._wire else None

    session_id = id

    @property
    def client(self) -> Any:
        """The client whose session this is."""
        return self.message_handler.client

    @property
    def router(self) -> Any:
        """The router that the client was given, or its URL."""
        return getattr(self.client, "router", None) or self.url

    @property
    def connection(self) -> Connection:
        """The connection, for extensions of wampy 1 that look at it."""
        from wampy.connection import Connection

        return Connection(self)

    @property
    def is_open(self) -> bool:
        """Whether the session has joined and not ended."""
        return self._wire is not None and self._wire.is_open

    @property
    def has_ended(self) -> bool:
        """Whether there was a session that somebody ended."""
        return self._ended

    @property
    def events_undecryptable(self) -> int:
        """How many events were left out because none of the keys opens them."""
        now = self._wire.events_undecryptable if self._wire else 0
        return self._events_undecryptable + now

    @property
    def wire(self) -> _wampy.Session | None:
        """The connection of the present session."""
        return self._wire

    def wait_until_back(self) -> bool:
        """Wait for a lost session that comes back, as long as a start may take; false if none does.

        Raises:
            ConnectionLostError: it does not come back in time.
        """
        keeper = self._keeper
        if keeper is None or not keeper.is_at_work:
            return False
        keeper.wait_until_back(CONNECT_TIMEOUT)
        return True

    @property
    def is_reconnecting(self) -> bool:
        """Whether the session was lost and may come back."""
        return self._keeper is not None and self._keeper.is_at_work

    def begin(self) -> None:
        """Connect and join the realm.

        Raises:
            ConnectionError: the router cannot be reached.
            WelcomeAbortedError: the router does not let us join.
        """
        process.prepare()
        self._part_with_keeper()
        self._forget()
        reconnect = self.reconnect
        if isinstance(reconnect, bool):
            reconnect = Reconnect() if reconnect else None
        self._ended = False
        self._events_undecryptable = 0
        self._begin_on(connect_first(self, reconnect))
        if self.watched or reconnect is not None:
            self._keep()
        self.welcome()

    def connect(self, attempt: _wampy.Attempt | None = None) -> _wampy.Session:
        """Connect and join, without making it the session; ``attempt`` can end that early."""
        proven_by = proofs(self.auth, self.roles)
        # Whoever has something to prove offers the methods that it proves itself by.
        unsaid = self.auth or self.certificate
        methods = [] if unsaid else list(self.roles.get("authmethods", ()))
        if self.cookies is not None and methods == ["anonymous"]:
            # Nobody in particular, or who the cookie says.
            methods = []
        return joining.connect(
            self,
            timeout=CONNECT_TIMEOUT,
            close_timeout=GOODBYE_TIMEOUT,
            authmethods=methods,
            authid=self.roles.get("authid"),
            proofs=proven_by,
            certificate=self.certificate,
            ca_path=self.cert_path,
            ip_version=self.ipv,
            keys=self.keys,
            cipher=self.cipher,
            batched=self.batched,
            cookies=self.cookies,
            attempt=attempt,
        )

    def _begin_on(self, wire: _wampy.Session) -> None:
        self._wire = wire
        self._events_dropped = 0
        self._threads = HandlerThreads(self.client_name, wire, self._run)
        logger.debug("%s joined %s as session %s", self.client_name, self.realm, wire.id)

    def welcome(self) -> None:
        """Show that the session has joined."""
        if self._wire is not None:
            self._observe(Welcome(self._wire.id, {}))

    def show_loss(self, reason: str) -> None:
        """Show a message handler of the program that the connection is lost."""
        if not self._observed:
            return
        from wampy.transports.websocket.frames import Close

        # The code that stands for a connection without a close frame (RFC 6455, section 7.4.1).
        frame = Close(payload=(1006).to_bytes(2, "big") + reason.encode())
        try:
            self.message_handler.handle_close(frame)
        except Exception:
            logger.exception("%s failed", type(self.message_handler).__name__)

    def adopt(self, wire: _wampy.Session) -> None:
        """Let a new connection take the place of a lost one, whose ids mean nothing any more."""
        lost, self._wire = self._wire, wire
        self._forget_ids()
        self.records.lose()
        self._begin_on(wire)
        if lost is not None:
            self._events_undecryptable += lost.events_undecryptable
            # Its events that no handler has taken yet are dropped by this.
            lost.close(CLOSE_REASON)

    def _keep(self) -> None:
        """Have somebody see to it that a lost session comes back."""
        wire, reconnect = self._wire, self.reconnect
        if self._keeper is not None or wire is None or (reconnect is False and not self.watched):
            return
        chosen = reconnect if isinstance(reconnect, Reconnect) else Reconnect()
        wanted = None if reconnect is False else chosen
        self._keeper = Keeper(self, wire, wanted, only_if_held=reconnect is None)

    def _part_with_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.stop()

    def end(self, goodbye_from: str | None = None) -> None:
        """Say GOODBYE and disconnect; without a session, do nothing."""
        self._part_with_keeper()
        wire, self._wire = self._wire, None
        self._ended = True
        self._forget()
        if wire is None:
            return
        wire.close(CLOSE_REASON)
        logger.debug("%s said goodbye", goodbye_from or self.client_name)
        self._observe(Goodbye({}, "wamp.close.goodbye_and_out"))

    def _forget(self) -> None:
        """Drop what belonged to the session that ended, and what the next one would get."""
        self.records.clear()
        self._forget_ids()

    def _forget_ids(self) -> None:
        for registration_id in self._handlers:
            Registry.remove(registration_id)
        for known in (self.registration_map, self.subscription_map, self.request_ids):
            known.clear()
        self._handlers.clear()
        self._takes_more.clear()
        self._defined.clear()
        self._subscriptions.clear()
        self._topics.clear()
        self._by_hand.forget()

    def _joined(self) -> _wampy.Session:
        """The connection for a new request; waits for it while it is lost and may come back."""
        wire, keeper = self._wire, self._keeper
        if wire is None:
            what = "is stopped; start() begins a new session" if self._ended else "has not started"
            raise errors.SessionError(f"{self.client_name} {what}")
        if keeper is not None and not (wire is keeper.wire and wire.is_open):
            return keeper.wait_until_back(self.call_timeout)
        return wire

    # Caller and publisher

    def call(
        self,
        procedure: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a procedure and return its value; the dealer gets the timeout in milliseconds.

        Raises:
            Error: the router or the callee answered with an error.
            WampyTimeOutError: there was no answer within ``call_timeout`` seconds.
        """
        options = self._call_options(procedure, options)
        wire = self._joined()
        try:
            request_id, details, result, by_name = wire.call(procedure, args, kwargs or {}, options)
        except errors.Error as error:
            self._observe_error(48, error)
            raise
        if self._observed:
            self._observe(Result(request_id, details, result, by_name))
        return value_of(result, by_name)

    def results(self, procedure: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Call a procedure that returns several values."""
        options = self._call_options(procedure, None)
        return self._joined().call(procedure, args, kwargs, options)[2]

    def call_progressive(
        self,
        procedure: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> ProgressiveCall:
        """Call a procedure whose result comes in parts; see ``Client.call_progressive``."""
        options = self._call_options(procedure, options)
        results = self._joined().call_progressive(procedure, args, kwargs or {}, options)
        return ProgressiveCall(results, self._observe_result, procedure=procedure)

    def call_in_parts(
        self,
        procedure: str,
        parts: Iterable[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> ProgressiveCall:
        """Make a call whose arguments go in parts; see ``Client.call_in_parts``."""
        options = self._call_options(procedure, options)
        parts = check_parts(parts)
        send, results = self._joined().call_in_parts(procedure, args, kwargs or {}, options)
        feeder = Feeder(send, parts, self.client_name)
        return ProgressiveCall(results, self._observe_result, feeder, procedure)

    def _call_options(self, procedure: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """The options of CALL: what the program says, and the time limit of the client."""
        if not isinstance(procedure, str):
            raise errors.ConfigurationError(f"a procedure has a name, not {procedure!r}")
        merged = named_key(options or {})
        if self.call_timeout:
            merged.setdefault("timeout", max(1, int(self.call_timeout * 1000)))
        return merged

    def _observe_result(self, received: tuple[Any, ...]) -> None:
        if self._observed:
            self._observe(Result(*received))

    def publish(
        self,
        topic: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> int | None:
        """Publish an event; with the option ``acknowledge``, return its publication id."""
        wire = self._joined()
        options = named_key(options or {})
        return wire.publish(topic, args, kwargs or {}, options, self.call_timeout or None)

    # Callee and subscriber

    def register(
        self,
        procedure: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any] | None = None,
        method: str | None = None,
    ) -> int:
        """Offer ``handler`` as ``procedure``; returns the registration id.

        Raises:
            Error: the router refuses, for instance because the procedure exists already.
        """
        return self.register_granted(procedure, handler, options, method).registration_id

    def offer(self, procedure: Procedure, handler: Callable[..., Any], method: str | None) -> int:
        """Register ``handler`` as ``procedure`` says, and describe it; returns the id."""
        granted = self.register_granted(
            procedure.uri, handler, procedure.options, method, procedure
        )
        granted_id, ours = granted.registration_id, procedure.beside
        self._define(procedure.uri, handler, "procedure", procedure.options, ours, granted_id)
        return granted_id

    def listen(self, topic: str, handler: Callable[..., Any], options: Mapping[str, Any]) -> int:
        """Subscribe ``handler`` to ``topic``, and describe it; returns the subscription id."""
        granted = self.subscribe_granted(topic, handler, options, described=True)
        granted_id = granted.subscription_id
        self._define(topic, handler, "topic", options, ["meta"], granted_id)
        return granted_id

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
        wire = self._wire
        if wire is None:
            return
        role = "dealer" if kind == "procedure" else "broker"
        if uri.startswith("wamp.") or not wire.router_has(role, "reflection"):
            return
        from wampy.reflection import definition_of

        try:
            definition = definition_of(handler, kind, options.get("match", "exact"), ours)
            wire.call_and_forget("wamp.reflect.define", [uri, definition], {})
            self._defined[kind, granted_id] = uri, definition["match"]
        except Exception:
            # Whatever stands in annotations, the procedure works without.
            logger.exception("%s cannot be described", uri)

    def _undefine(self, kind: str, granted_id: int) -> None:
        """Take back what was told of a procedure or topic that is offered no more."""
        if (kind, granted_id) not in self._defined:
            return
        uri, match = self._defined.pop((kind, granted_id))
        how = {"kind": kind, "match": match}
        if self._wire is not None:
            self._wire.call_and_forget("wamp.reflect.define", [uri, None], how)

    def register_granted(
        self,
        procedure: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any] | None = None,
        method: str | None = None,
        wanted: Procedure | None = None,
    ) -> Registered:
        """Do as ``register``; returns the router's message."""
        _check_handler(handler)
        runs = prepared(handler, wanted.beside if wanted is not None else ())
        wire = self._joined()
        with self._granting:
            try:
                granted = Registered(
                    *wire.register(procedure, options or {}, self.call_timeout or None)
                )
            except errors.Error as error:
                self._observe_error(64, error)
                raise
            if wanted is not None and (wanted.details or wanted.parts or wanted.traceback):
                self._takes_more[granted.registration_id] = wanted
            self._handlers[granted.registration_id] = runs
            self.registration_map[granted.registration_id] = procedure
            self.records.registrations.append(
                RegistrationRecord(
                    granted.registration_id, procedure, handler, options or {}, method, wanted
                )
            )
        self.request_ids[granted.request_id] = procedure
        Registry.add(granted.registration_id, type(self.client), method or procedure)
        self._start_threads()
        self._observe(granted)
        return granted

    def unregister(self, registration_id: int) -> None:
        """Withdraw a procedure, which may be named by the id that it had before a reconnect."""
        wire = self._joined()
        present = self.records.present_id(self.records.registrations, registration_id)
        if present is not None:
            wire.unregister(present, self.call_timeout or None)
        self._drop_registration(registration_id if present is None else present)

    def _drop_registration(self, registration_id: int) -> None:
        self.records.drop_registration(registration_id)
        self._handlers.pop(registration_id, None)
        self._takes_more.pop(registration_id, None)
        self.registration_map.pop(registration_id, None)
        Registry.remove(registration_id)
        self._undefine("procedure", registration_id)

    def router_has(self, role: str, feature: str) -> bool:
        """Whether the router announces a feature of one of its roles."""
        return self._joined().router_has(role, feature)

    def drop_revoked(self) -> None:
        """Forget the registrations and subscriptions that the router has taken back."""
        if not self.is_open or self._wire is None:
            return
        registrations, subscriptions = self._wire.revoked()
        for registration_id in registrations:
            self._drop_registration(registration_id)
        for subscription_id in subscriptions:
            self._drop_subscription(subscription_id)

    def subscribe(
        self, topic: str, handler: Callable[..., Any], options: Mapping[str, Any] | None = None
    ) -> int:
        """Run ``handler`` for the events of ``topic``; returns the subscription id."""
        return self.subscribe_granted(topic, handler, options).subscription_id

    def subscribe_granted(
        self,
        topic: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any] | None = None,
        described: bool = False,
    ) -> Subscribed:
        """Do as ``subscribe``; returns the router's message."""
        if not isinstance(topic, str):
            raise errors.ConfigurationError(f"a topic must be a string, not {topic!r}")
        _check_handler(handler)
        wire = self._joined()
        subscription = Subscription(handler, topic)
        options = options or {}
        # The router has one subscription for both handlers of a topic, and one event.
        key = (topic, options.get("match", "exact"), options.get("nkey"))
        self.drop_revoked()
        with self._granting:
            shared = self._topics.get(key)
            if shared is not None:
                self._subscriptions[shared.subscription_id].append(subscription)
                self._record(shared, subscription, options, described)
                return shared
            try:
                granted = Subscribed(*wire.subscribe(topic, options, self.call_timeout or None))
            except errors.Error as error:
                self._observe_error(32, error)
                raise
            self._topics[key] = granted
            self._subscriptions[granted.subscription_id] = [subscription]
            self.subscription_map[granted.subscription_id] = handler, topic
            self._record(granted, subscription, options, described)
        self.request_ids[granted.request_id] = topic
        self._start_threads()
        self._observe(granted)
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

    def unsubscribe(self, subscription_id: int) -> None:
        """End a subscription, for all handlers that it has here.

        It may be named by the id that it had before a reconnect.
        """
        wire = self._joined()
        present = self.records.present_id(self.records.subscriptions, subscription_id)
        if present is not None:
            wire.unsubscribe(present, self.call_timeout or None)
        self._drop_subscription(subscription_id if present is None else present)

    def _drop_subscription(self, subscription_id: int) -> None:
        self.records.drop_subscription(subscription_id)
        self._undefine("topic", subscription_id)
        self._subscriptions.pop(subscription_id, None)
        for key, granted in tuple(self._topics.items()):
            if granted.subscription_id == subscription_id:
                del self._topics[key]
        self.subscription_map.pop(subscription_id, None)

    def handler_of(self, registration_id: int) -> Callable[..., Any]:
        """What runs the handler of a registration."""
        handler = self._handlers.get(registration_id)
        if handler is None:
            with self._granting:
                handler = self._handlers.get(registration_id)
        if handler is None or self._is_stale():
            raise errors.Error("wamp.error.no_such_registration", registration_id)
        return handler

    def beside_arguments(self, invocation: Invocation) -> dict[str, Any]:
        """What the handler of an invocation takes by keyword beside the call's arguments.

        Call it after ``handler_of``, which waits until the registration is noted.
        """
        wanted = self._takes_more.get(invocation.registration_id)
        more: dict[str, Any] = {}
        if wanted is not None and wanted.details:
            more["details"] = {"procedure": wanted.uri, **invocation.details}
        if wanted is not None and wanted.parts:
            has_more = invocation.details.get("progress", False)
            more["parts"] = Parts(self._answering(), invocation.request_id, has_more)
        return more

    def shows_traceback(self, registration_id: int) -> bool:
        """Whether callers of a registration are told where its handler failed."""
        wanted = self._takes_more.get(registration_id)
        return self.tracebacks or (wanted is not None and wanted.traceback)

    def send_progress(self, invocation: Invocation, part: Any) -> bool:
        """Send a part of a result, if the caller takes parts; false if the call is over.

        Waits while the router takes no more.
        """
        args, kwargs = arguments_of(part)
        return self._answering().progress(invocation.request_id, args, kwargs)

    def _answering(self) -> _wampy.Session:
        """The wire of the job that this thread works on, even if another session has begun."""
        return getattr(self._current, "wire", None) or self._joined()

    def subscriptions_of(self, subscription_id: int) -> Sequence[Subscription]:
        """The handlers of a subscription, in the order in which they came."""
        found = self._subscriptions.get(subscription_id)
        if found is None:
            with self._granting:
                found = self._subscriptions.get(subscription_id)
        return () if self._is_stale() else tuple(found or ())

    def _is_stale(self) -> bool:
        """Whether this thread works on a job of a connection that is lost, with ids of its own.

        Asked after a look into the tables of ids, it says that they were still those of the job.
        """
        wire = getattr(self._current, "wire", None)
        return wire is not None and wire is not self._wire

    # Messages built by hand

    def send_message(self, message: Message) -> None:
        """Send a message; the session assigns its ``request_id``, which the protocol wants.

        Answers go to ``recv_message`` and disturb nothing if nobody asks for them.

        Raises:
            WampProtocolError: a client does not send such a message, or not by hand.
        """
        if isinstance(message, (Yield, Error)):
            self._by_hand.answer(self._answering(), message)
        else:
            self._by_hand.send(self._joined(), message)

    def recv_message(
        self, source_request_id: int | None = None, timeout: float | None = None
    ) -> Message:
        """Wait for an answer to a message that ``send_message`` sent.

        Args:
            source_request_id: the ``request_id`` that the answer must have; any unless given.
            timeout: how long to wait, in seconds; ``call_timeout`` unless given.

        Raises:
            WampyTimeOutError: none came in time.
        """
        patience = timeout if timeout is not None else self.call_timeout
        return self._by_hand.receive(self._joined(), source_request_id, patience or None)

    def _register_procedure(self, procedure_name: str, invocation_policy: str = "single") -> None:
        """Offer the client's method of that name; extensions of wampy 1 call this.

        The method may be made later: it is looked for when somebody calls it.
        """

        def handler(*args: Any, **kwargs: Any) -> Any:
            return getattr(self.client, procedure_name)(*args, **kwargs)

        self.register(procedure_name, handler, {"invoke": invocation_policy})

    def _subscribe_to_topic(self, handler: Callable[..., Any], topic: str) -> None:
        """Run ``handler`` for the events of ``topic``; extensions of wampy 1 call this."""
        self.subscribe(topic, handler)

    # Jobs

    @property
    def handlers_at_work(self) -> int:
        """How many handlers run at this moment."""
        return self._threads.busy if self._threads is not None else 0

    def _start_threads(self) -> None:
        if self._threads is not None:
            self._threads.start()
        if self._keeper is None:
            with self._granting:
                self._keep()

    def _run(self, wire: _wampy.Session, job: tuple[Any, ...]) -> None:
        """Process one job of the wire, on a handler thread."""
        if wire is not self._wire:
            # The session has ended, and its ids mean something else in the next one.
            if job[0] == Event.WAMP_CODE:
                wire.event_done()
            return
        code, *fields = job
        self._current.wire = wire
        try:
            if code == Event.WAMP_CODE:
                self._deliver(Event(*fields))
            else:
                self._answer(wire, Invocation(*fields))
        finally:
            self._current.wire = None
            if code == Event.WAMP_CODE:
                wire.event_done()
                self._warn_of_dropped_events(wire)

    def _answer(self, wire: _wampy.Session, invocation: Invocation) -> None:
        try:
            self._deliver(invocation)
        except Exception as error:
            # The application's own MessageHandler failed: its caller still gets an answer.
            wire.reply_error(invocation.request_id, "wamp.error.runtime_error", [str(error)], {})
            raise

    def _warn_of_dropped_events(self, wire: _wampy.Session) -> None:
        dropped = wire.events_dropped
        if dropped > self._events_dropped:
            logger.warning(
                "%s handles events too slowly: %d were dropped", self.client_name, dropped
            )
            self._events_dropped = dropped

    def _deliver(self, message: Message) -> None:
        if self._wants_text:
            self.message_handler.handle_message(message.serialize())
        else:
            self.message_handler.dispatch(message)

    def _observe(self, message: Message) -> None:
        """Show a message to a handler class of the application; its failures are its own."""
        if not self._observed:
            return
        try:
            self._deliver(message)
        except Exception:
            logger.exception("%s failed", type(self.message_handler).__name__)

    def _observe_error(self, request_type: int, error: errors.Error) -> None:
        if self._observed:
            request_id = error.request_id or 0
            message = Error(request_type, request_id, {}, error.uri, error.args, error.kwargs)
            self._observe(message)


def _check_handler(handler: object) -> None:
    import inspect

    if not callable(handler):
        raise errors.ConfigurationError(f"a handler must be a function, not {handler!r}")
    if inspect.iscoroutinefunction(handler):
        raise errors.ConfigurationError(
            f"{handler!r} is a coroutine function, but handlers run on threads: write `def`"
        )
