"""``Client``: a peer that calls, is called, publishes and subscribes.

A subclass offers its ``@callee`` methods and listens with its ``@subscribe`` methods; a plain
``Client`` calls and publishes. What is absent: the session, see ``wampy.session``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar, cast

from wampy import address, meta
from wampy._wampy import CookieJar
from wampy.auth import Auth
from wampy.constants import (
    DEFAULT_REALM,
    DEFAULT_ROLES,
    DEFAULT_ROUTER_URL,
    DEFAULT_TIMEOUT,
)
from wampy.encryption import DataKey
from wampy.errors import ConfigurationError
from wampy.message_handler import MessageHandler
from wampy.messages import Message
from wampy.progressive import ProgressiveCall
from wampy.reconnect import Reconnect
from wampy.registry import Registry
from wampy.roles.callee import Procedure, procedure_of, uri_for
from wampy.roles.caller import RpcProxy, WithOptions
from wampy.roles.declared import declared
from wampy.roles.subscriber import options_of, subscribe_options, topic_of
from wampy.session import Session
from wampy.settings import Certificate, StrPath, check, check_timeout, jar_of

__all__ = ["Client", "RpcClient", "WampClient"]

_Self = TypeVar("_Self", bound="Client")
_T = TypeVar("_T")


class _BeforeInit:
    """What a client has in place of its parts until its ``__init__`` has made them."""

    def __get__(self, client: object, owner: type) -> Any:
        if client is None:
            return self
        raise ConfigurationError(
            f"{owner.__name__}.__init__ must call super().__init__() before the client is used"
        )


class Client:
    """A WAMP client for programs, scripts and shells.

    Constructing it touches no network. ``start`` connects, and so does the first call or event.

    Args:
        url: where the router is: ``ws://``, ``wss://``, ``rs://``, ``rss://``, ``unix://``, or
            ``http://``, ``https://`` for long-polling where nothing else passes.
        cert_path: a file of the authorities that may have signed the router's certificate.
        ipv: 4 or 6 to use only that version of the Internet Protocol.
        name: a name for logs; the class name unless given.
        realm: the realm to join; the router's, or ``realm1``, unless given.
        roles: what to say in HELLO: ``{"roles": ..., "authmethods": ..., "authid": ...}``.
        call_timeout: how long a call may take, in seconds; 0 or None for as long as it takes.
        message_handler_cls: a subclass of ``wampy.message_handler.MessageHandler``.
        router: a ``wampy.Router``, a ``WampRouter`` or anything with a ``url``, instead of one.
        message_handler: the same as ``message_handler_cls``, or a handler made already.
        use_tls: whether a URL ``ws:`` means ``wss:``, and so on.
        batched: whether to prefer that messages which are sent together share WebSocket frames, or
            requests of long-polling (the subprotocols ``wamp.2.*.batched``).
        cookies: whether to keep the cookies that the router sets, in a jar of the client's own, or
            a ``wampy.CookieJar`` to share. Who has authenticated once is then known again by the
            authmethod ``cookie``, if the router has it: when the client starts again or reconnects.
        auth: what to prove oneself with: an object of ``wampy.auth``, or several.
        certificate: a file of a TLS certificate, and one of its private key, to prove oneself with.
        keys: keys for end-to-end encryption, objects of ``wampy.DataKey``. What others have
            encrypted with one of them is opened, and answers to encrypted calls are encrypted.
            Events that none opens are left out, see ``events_undecryptable``.
        cipher: how calls and events are encrypted: ``xsalsa20poly1305`` unless given, or
            ``aes256gcm``.
        reconnect: whether to get a lost session back, with all its registrations, subscriptions
            and testaments: True, False, or a ``wampy.Reconnect`` that says how. By default a client
            does that once it offers or listens to anything; one that only calls and publishes does
            not, and its next request fails. See ``docs/python/services.md``.
        on_connection_lost: a function of the client and the reason, in place of the method.
        on_reconnected: a function of the client, in place of the method.
        on_given_up: a function of the client and the reason, in place of the method.
        tracebacks: whether callers are told where procedures of this client failed, if they do
            unexpectedly; ``@callee(traceback=True)`` says so of one.
    """

    _session: Session = cast(Any, _BeforeInit())
    _starting: threading.RLock = cast(Any, _BeforeInit())

    def __init__(
        self,
        url: str | None = None,
        cert_path: StrPath | None = None,
        ipv: int | None = None,
        name: str | None = None,
        realm: str | None = None,
        roles: Mapping[str, Any] = DEFAULT_ROLES,
        call_timeout: float | None = DEFAULT_TIMEOUT,
        message_handler_cls: type[MessageHandler] | None = None,
        router: Any = None,
        auth: Auth | Sequence[Auth] | None = None,
        certificate: Certificate | None = None,
        keys: Sequence[DataKey] = (),
        cipher: str | None = None,
        reconnect: bool | Reconnect | None = None,
        on_connection_lost: Callable[[Any, str], object] | None = None,
        on_reconnected: Callable[[Any], object] | None = None,
        on_given_up: Callable[[Any, str], object] | None = None,
        message_handler: MessageHandler | type[MessageHandler] | None = None,
        use_tls: bool = False,
        batched: bool = False,
        cookies: bool | CookieJar = False,
        tracebacks: bool = False,
    ) -> None:
        check(
            url=url,
            router=router,
            realm=realm,
            roles=roles,
            call_timeout=call_timeout,
            ipv=ipv,
            certificate=certificate,
            cert_path=cert_path,
            keys=keys,
        )
        if reconnect is not None and not isinstance(reconnect, (bool, Reconnect)):
            raise ConfigurationError(f"reconnect must be a bool or a Reconnect, not {reconnect!r}")
        self._on_connection_lost = on_connection_lost
        self._on_reconnected = on_reconnected
        self._on_given_up = on_given_up
        self.router = router
        self._use_tls = use_tls
        self.url = DEFAULT_ROUTER_URL if url is None else url
        self.name: str = name or type(self).__name__
        self.realm: str = realm or _realm_of(router) or DEFAULT_REALM
        self.roles = roles
        self.cert_path = cert_path
        self.ipv = ipv
        self.message_handler: MessageHandler = _handler_for(
            self, message_handler, message_handler_cls
        )
        self._starting = threading.RLock()
        self._session = Session(
            router_url=self._url,
            message_handler=self.message_handler,
            ipv=ipv,
            cert_path=cert_path,
            call_timeout=call_timeout,
            realm=self.realm,
            roles=roles,
            client_name=self.name,
            auth=auth,
            certificate=certificate,
            keys=keys,
            cipher=cipher,
            reconnect=reconnect,
            batched=batched,
            cookies=jar_of(cookies),
            watched=self._wants_to_hear(),
            tracebacks=tracebacks,
        )

    # Life

    @property
    def url(self) -> str:
        """Where the router is. A ``wampy.Router`` knows it only after its start.

        What is set counts from the next ``start`` on.
        """
        if self.router is None:
            return self._url
        return address.normalize(getattr(self.router, "url", self.router), self._use_tls)

    @url.setter
    def url(self, url: str) -> None:
        self._url = address.normalize(url, self._use_tls)

    @property
    def session(self) -> Session | None:
        """The session, or None while there is none."""
        return self._session if self._session.id is not None else None

    def start(self) -> None:
        """Connect, join the realm, register every procedure and subscribe to every topic.

        When this returns, others can call. When it raises, nothing is left behind. A started
        client stays as it is; one that reconnects is waited for.

        Raises:
            ConnectionError: the router cannot be reached.
            WelcomeAbortedError: the router does not let the client join.
            ProcedureAlreadyExistsError: another client offers one of the procedures.
        """
        with self._starting:
            if self._session.is_open or self._session.wait_until_back():
                return
            self._session.url = self.url
            self._session.begin()
            try:
                self._register_roles()
            except BaseException:
                self._session.end(goodbye_from=self.name)
                raise
            Registry.client_registry[self.name] = self

    def stop(self) -> None:
        """Say GOODBYE and disconnect; a stopped client stays as it is and can start again."""
        if Registry.client_registry.get(self.name) is self:
            Registry.client_registry.pop(self.name, None)
        self._session.end(goodbye_from=self.name)

    def __enter__(self: _Self) -> _Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        session = f"session {self._session.id}" if self.session else "not started"
        if self.session and not self._session.is_open:
            session += " (reconnecting)" if self._session.is_reconnecting else " (lost)"
        return f"<{type(self).__name__} {self.name!r}, realm {self.realm}, {session}>"

    # What becomes of the connection

    def on_connection_lost(self, reason: str) -> None:
        """The connection, or the session on it, was lost; override to hear of it.

        This and the two below run on a thread of their own, one after the other, and what they
        raise is logged. Whether the session comes back is a matter of ``reconnect``: then
        ``on_reconnected`` or ``on_given_up`` follows.
        """
        if self._on_connection_lost is not None:
            self._on_connection_lost(self, reason)

    def on_reconnected(self) -> None:
        """There is a new session, which was asked for everything that the lost one had."""
        if self._on_reconnected is not None:
            self._on_reconnected(self)

    def on_given_up(self, reason: str) -> None:
        """There will be no new session by itself; ``start`` begins one."""
        if self._on_given_up is not None:
            self._on_given_up(self, reason)

    def _wants_to_hear(self) -> bool:
        """Whether somebody wants to hear of a lost connection."""
        if self._on_connection_lost is not None or self._on_given_up is not None:
            return True
        cls = type(self)
        return (
            cls.on_connection_lost is not Client.on_connection_lost
            or cls.on_given_up is not Client.on_given_up
        )

    # Caller and publisher

    @property
    def call_timeout(self) -> float | None:
        """How long a call may take, in seconds; 0 or None for as long as it takes."""
        return self._session.call_timeout

    @call_timeout.setter
    def call_timeout(self, seconds: float | None) -> None:
        check_timeout(seconds)
        self._session.call_timeout = seconds

    @property
    def rpc(self) -> RpcProxy:
        """Remote procedures as methods: ``client.rpc.com.shop.order(3)``."""
        return RpcProxy(self)

    def proxy(self, interface: Callable[..., _T], prefix: str = "") -> _T:
        """An object with the methods of an interface, which call procedures.

        ``weather = client.proxy(Weather, prefix="com.weather.")`` has the type ``Weather``. Its
        methods check what they are given by their signature, call the procedure of their name
        behind ``prefix`` (or that of ``@callee(name=...)``), and make of the result what their
        annotation says. One that returns an ``Iterator`` or a ``Generator`` calls for a result in
        parts.

        Args:
            interface: a Protocol, or a class with abstract methods.
            prefix: what the URIs have before the names of the methods.

        Raises:
            ConfigurationError: this is no interface. (The methods raise ``TypeError`` for arguments
                that they do not take, and ``ConversionError`` for results of another type.)
        """
        from wampy.proxy import make_proxy

        return make_proxy(interface, prefix, self)

    def with_options(self, **options: Any) -> WithOptions:
        """This client with options for what it calls and publishes then.

        ``client.with_options(disclose_me=True).call("com.shop.order", 3)``. The options are
        WAMP's own: ``disclose_me`` shows the callee or the subscribers who calls or publishes,
        ``rkey`` selects one of those that share a procedure or topic, ``timeout`` is that of a
        call in milliseconds; those of events are told at ``publish``. And ``encrypt``, one of
        the client's ``keys`` or the id of one, encrypts from end to end: whoever gets a call or
        an event so has ``ppt_scheme`` as ``wamp`` in its details or ``meta``.
        """
        return WithOptions(self, options)

    def call(self, procedure: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call ``procedure`` and return its result; see ``with_options`` for the options of CALL.

        Raises:
            Error: the callee or the router answered with an error.
            WampyTimeOutError: no answer came within ``call_timeout``.
        """
        return self._call(procedure, args, kwargs)

    def call_progressive(self, procedure: str, /, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Call ``procedure`` for a result in parts: ``for part in client.call_progressive(...)``.

        The call is made when the first part is asked for. The loop waits for each part; the last
        is the result, or the exception that ``call`` raises. Leaving it early cancels the call.
        ``call_timeout`` is the time for one part.
        """
        return self._call_progressive(procedure, args, kwargs)

    def call_in_parts(
        self, procedure: str, parts: Iterable[Any], /, *args: Any, **kwargs: Any
    ) -> ProgressiveCall:
        """Make a call whose arguments go in parts, for instance those that a generator brings.

        The call itself goes out at once with ``args`` and ``kwargs``; then each item of ``parts``
        follows as one positional argument, from a thread of its own; a last part without
        arguments says that there are no more. The callee's handler has them in its keyword
        ``parts`` (see ``wampy.callee``). What is returned is an iterator as that of
        ``call_progressive``, so both directions may flow at once; ``.result()`` waits for the
        result alone.

        When the generator fails, the call is canceled, and the iterator raises the failure. When
        the call is over before the generator, the generator is closed at its next part.

        Raises:
            ConfigurationError: the router does not take calls in parts, or ``parts`` is no
                iterable.
        """
        return self._started().call_in_parts(procedure, parts, args, kwargs)

    def publish(
        self,
        *args: Any,
        topic: str | None = None,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> int | None:
        """Publish an event: ``publish("com.shop.sold", 3, article="tea")``.

        Args:
            args: the topic, unless it is given by keyword, and the positional payload.
            topic: the topic.
            options: options of PUBLISH; with ``{"acknowledge": True}`` this waits for the router.
                Others are ``exclude_me``, ``disclose_me``, ``retain``, ``rkey``, and the lists
                ``exclude``, ``eligible`` and the same with ``_authid`` and ``_authrole``.
            kwargs: the payload by keyword.

        Returns:
            The publication id if ``acknowledge`` was asked for, else None.
        """
        if topic is None:
            topic, *rest = args or (None,)
            args = tuple(rest)
        if not isinstance(topic, str) or not topic:
            raise ConfigurationError(f"publish needs a topic, not {topic!r}")
        return self._started().publish(topic, args, kwargs, options)

    def _call(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        return self._started().call(procedure, args, kwargs, options)

    def _call_progressive(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
    ) -> ProgressiveCall:
        return self._started().call_progressive(procedure, args, kwargs, options)

    def _started(self) -> Session:
        """The session; the first use of a client that was never started starts it."""
        session = self._session
        if session.id is None and not session.has_ended:
            self.start()
        return session

    # Callee and subscriber

    def register(
        self,
        handler: Callable[..., Any],
        name: str | None = None,
        invocation_policy: str = "single",
        **options: Any,
    ) -> int:
        """Offer ``handler`` as a procedure from now on; returns the registration id.

        Args:
            handler: what to run; one that yields sends a result in parts.
            name: the URI of the procedure; the name of ``handler`` unless given.
            invocation_policy: see ``wampy.roles.callee.callee``.
            options: see ``wampy.roles.callee.Procedure``.
        """
        procedure = Procedure(uri_for(handler, name), invocation_policy, **options)
        return self._started().offer(procedure, handler, getattr(handler, "__name__", None))

    def unregister(self, registration_id: int) -> None:
        """Withdraw a procedure."""
        self._started().unregister(registration_id)

    def subscribe(
        self,
        topic: str,
        handler: Callable[..., Any],
        *,
        match: str = "exact",
        get_retained: bool = False,
        nkey: str | None = None,
    ) -> int:
        """Run ``handler`` for the events of ``topic`` from now on; returns the subscription id.

        Args: see ``wampy.subscribe``. Handlers of one topic share a subscription, and so only the
            first of them gets events that the router has kept.
        """
        options = subscribe_options(match, get_retained, nkey)
        return self._started().listen(topic, handler, options)

    def unsubscribe(self, subscription_id: int) -> None:
        """End a subscription."""
        self._started().unsubscribe(subscription_id)

    @property
    def registration_map(self) -> dict[int, str]:
        """``{registration_id: procedure URI}``"""
        self._session.drop_revoked()
        return self._session.registration_map

    @property
    def subscription_map(self) -> dict[int, tuple[Callable[..., Any], str]]:
        """``{subscription_id: (handler, topic)}``"""
        self._session.drop_revoked()
        return self._session.subscription_map

    @property
    def events_undecryptable(self) -> int:
        """How many events were left out because none of the client's keys opens them."""
        return self._session.events_undecryptable

    @property
    def is_pinging(self) -> bool:
        """Whether the client pings a router that is silent."""
        return self._session.connection.is_pinging

    @property
    def request_ids(self) -> dict[int, Any]:
        """``{request_id: what was asked for}`` of registrations and subscriptions."""
        return self._session.request_ids

    def _register_roles(self) -> None:
        """Register and subscribe what the class declares; override to add to it."""
        self.register_roles()

    def register_roles(self) -> None:
        """The same, for subclasses that override it under its name of wampy 0.9."""
        session = self._session
        for attribute, function in declared(type(self)):
            handler = getattr(self, attribute)
            procedure = procedure_of(function)
            if procedure is not None:
                session.offer(procedure, handler, attribute)
            topic = topic_of(function)
            if topic is not None:
                session.listen(topic, handler, options_of(function))

    # What the router knows besides

    def add_testament(
        self,
        topic: str,
        /,
        *args: Any,
        scope: str = "destroyed",
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Leave an event that the router publishes when this session has ended, however it ends.

        Args:
            topic: the topic.
            args: the positional payload.
            scope: ``destroyed``, when the session is gone, or ``detached``, when its connection is.
            options: options of PUBLISH.
            kwargs: the payload by keyword.
        """
        what, how = meta.testament(topic, args, kwargs, scope, options)
        self._call(meta.ADD_TESTAMENT, what, how)
        self._session.records.add_testament(scope, what, how)

    def flush_testaments(self, scope: str = "destroyed") -> None:
        """Take back the testaments of a scope."""
        self._call(meta.FLUSH_TESTAMENTS, (), {"scope": scope})
        self._session.records.drop_testaments(scope)

    def history(
        self, topic: str | int, *, match: str = "exact", **filters: Any
    ) -> list[dict[str, Any]]:
        """Events that the router has kept, the oldest first.

        Args:
            topic: a topic or pattern that anybody is subscribed to, or the id of a subscription.
            match: how the pattern is subscribed to: ``exact``, ``prefix`` or ``wildcard``.
            filters: ``limit`` (how many), ``reverse`` (the newest first), ``topic`` (of those that
                a pattern matches), ``from_time``, ``after_time``, ``before_time`` and
                ``until_time`` (RFC 3339), ``from_publication``, ``after_publication``,
                ``before_publication`` and ``until_publication`` (publication ids).

        Returns:
            dictionaries of ``timestamp``, ``subscription``, ``publication``, ``details``, ``args``
            and ``kwargs``.

        Raises:
            Error: the router keeps no history of the topic, or nobody is subscribed to it.
        """
        subscription = topic
        if isinstance(topic, str):
            how = {"match": match}
            subscription = self._call(meta.LOOKUP_SUBSCRIPTION, (topic, how), {})
            if subscription is None:
                raise meta.no_subscription(topic)
        asked = meta.given(filters)
        return meta.events_of(self._started().results(meta.GET_EVENTS, (subscription,), asked))

    def describe(
        self, uri: str, kind: str = "procedure", match: str | None = None
    ) -> dict[str, Any] | None:
        """What the router knows of a procedure, a topic or an error; None if it knows nothing.

        Args:
            uri: the URI, or the pattern if ``match`` is given.
            kind: ``procedure``, ``topic`` or ``error``.
            match: the match policy of the pattern; without it, what fits the URI best.

        Returns:
            a dictionary: ``uri``, ``kind``, ``match``, what is ``live``, and what whoever offers it
            says: ``doc``, and JSON Schemas of ``args``, ``kwargs``, ``result`` and ``progress``.
        """
        procedure, how = meta.describe(kind, match)
        description: dict[str, Any] | None = self._call(procedure, (uri,), how)
        return description

    # Messages built by hand

    def send_message(self, message: Message) -> None:
        """Send a message, and give it the request id that is its turn in the session."""
        self._started().send_message(message)

    def recv_message(self, source_request_id: int | None = None) -> Message:
        """Wait for an answer to a message that ``send_message`` sent."""
        return self._started().recv_message(source_request_id)

    def receive_message(self) -> list[Any]:
        """Wait for an answer as ``recv_message`` does; returns its list."""
        return self.recv_message().message

    def _make_rpc(self, message: Message) -> Message:
        """Send a CALL and return its answer; extensions of wampy 1 call this."""
        self.send_message(message)
        return self.recv_message(source_request_id=getattr(message, "request_id", None))

    #: the name of the same in wampy 0.9
    make_rpc = _make_rpc


class WampClient(Client):
    """The client of 2016, whose arguments are ``name``, ``realm``, ``roles`` and ``router``."""

    def __init__(
        self,
        name: str | None = None,
        realm: str | None = None,
        roles: Mapping[str, Any] = DEFAULT_ROLES,
        router: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, realm=realm, roles=roles, router=router, **options)


class RpcClient(WampClient):
    """A ``WampClient`` that calls; every client does by now."""


def _realm_of(router: object) -> str | None:
    """The name of a router's realm; that of ``Crossbar`` is a part of its configuration."""
    realm = getattr(router, "realm", None)
    return realm.get("name") if isinstance(realm, Mapping) else realm


def _handler_for(
    client: Client,
    message_handler: MessageHandler | type[MessageHandler] | None,
    message_handler_cls: type[MessageHandler] | None,
) -> MessageHandler:
    """The message handler that a client is given, or one of the class that it is given."""
    if message_handler is not None and message_handler_cls is not None:
        raise ConfigurationError("give a client message_handler or message_handler_cls, not both")
    given = message_handler or message_handler_cls or MessageHandler
    if isinstance(given, MessageHandler):
        if getattr(given, "client", client) is not client:
            raise ConfigurationError(f"{given!r} handles the messages of another client")
        given.client = client
        return given
    other_class = isinstance(given, type) and not issubclass(given, MessageHandler)
    if other_class or not callable(given):
        raise ConfigurationError(f"{given!r} is no wampy.message_handler.MessageHandler")
    return given(client=client)


def __getattr__(name: str) -> Any:
    # The clients of wampy 0.5, which few want.
    if name not in ("DefaultClient", "ServiceClient"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wampy.peers import web

    return getattr(web, name)
