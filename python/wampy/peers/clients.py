"""``Client``: a peer that calls, is called, publishes and subscribes.

A subclass offers its ``@callee`` methods and listens with its ``@subscribe`` methods; a plain
``Client`` calls and publishes. What is absent: the session, see ``wampy.session``, and what is
asked of it, see ``wampy.peers.requests``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wampy import address
from wampy._wampy import CookieJar
from wampy.constants import DEFAULT_REALM, DEFAULT_ROLES, DEFAULT_ROUTER_URL, DEFAULT_TIMEOUT
from wampy.encryption import DataKey
from wampy.errors import ConfigurationError
from wampy.message_handler import MessageHandler
from wampy.options import options_named
from wampy.peers.requests import Requests
from wampy.reconnect import Reconnect
from wampy.registry import Registry
from wampy.roles.callee import procedure_of
from wampy.roles.declared import declared
from wampy.roles.subscriber import options_of, topic_of
from wampy.session import Session
from wampy.settings import Certificate, StrPath, check_target, check_timeout

if TYPE_CHECKING:
    from wampy.auth import Auth

__all__ = ["Client", "RpcClient", "WampClient"]

_Self = TypeVar("_Self", bound="Client")


class _BeforeInit:
    """What a client has in place of its parts until its ``__init__`` has made them."""

    def __get__(self, client: object, owner: type) -> Any:
        if client is None:
            return self
        raise ConfigurationError(
            f"{owner.__name__}.__init__ must call super().__init__() before the client is used"
        )


class Client(Requests):
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

    @options_named
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
        check_target(url, router, realm)
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
            cookies=cookies,
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

    @property
    def call_timeout(self) -> float | None:
        """How long a call may take, in seconds; 0 or None for as long as it takes."""
        return self._session.call_timeout

    @call_timeout.setter
    def call_timeout(self, seconds: float | None) -> None:
        check_timeout(seconds)
        self._session.call_timeout = seconds

    def _started(self) -> Session:
        """The session; the first use of a client that was never started starts it."""
        session = self._session
        if session.id is None and not session.has_ended:
            self.start()
        return session

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
