"""What a client asks of its session: to call, publish, register and subscribe.

What is absent: the client's life, see ``wampy.peers.clients``, and the session itself, see
``wampy.session``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from wampy import meta
from wampy.errors import ConfigurationError
from wampy.messages import Message
from wampy.options import check_options_of_publish, options_named
from wampy.progressive import ProgressiveCall
from wampy.roles.callee import make_procedure, uri_for
from wampy.roles.caller import RpcProxy, WithOptions
from wampy.roles.subscriber import subscribe_options
from wampy.session import Session
from wampy.uncopied import Uncopied

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wampy.named_options import HistoryFilters, ProcedureOptions, RequestOptions

__all__ = ["Requests"]

_T = TypeVar("_T")


class Requests(Uncopied):
    """The requests of a client; the base of ``Client``."""

    _session: Session
    name: str

    @property
    def session(self) -> Session | None:
        """The session, or None while there is none."""
        return self._session if self._session.id is not None else None

    def _started(self) -> Session:
        """The session, which begins if it has not."""
        raise NotImplementedError

    # Caller and publisher

    @property
    def rpc(self) -> RpcProxy:
        """Remote procedures as methods: ``client.rpc.com.shop.order(3)``."""
        return RpcProxy(self)

    @options_named
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

    def with_options(self, **options: Unpack[RequestOptions]) -> WithOptions:
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
        check_options_of_publish(options)
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

    # Callee and subscriber

    @options_named
    def register(
        self,
        handler: Callable[..., Any],
        name: str | None = None,
        invocation_policy: str = "single",
        **options: Unpack[ProcedureOptions],
    ) -> int:
        """Offer ``handler`` as a procedure from now on; returns the registration id.

        Args:
            handler: what to run; one that yields sends a result in parts.
            name: the URI of the procedure; the name of ``handler`` unless given.
            invocation_policy: see ``wampy.roles.callee.callee``.
            options: see ``wampy.roles.callee.Procedure``.
        """
        method = getattr(handler, "__name__", None)
        procedure = make_procedure("register", uri_for(handler, name), invocation_policy, options)
        return self._started().offer(procedure, handler, method)

    def unregister(self, registration_id: int) -> None:
        """Withdraw a procedure."""
        self._started().unregister(registration_id)

    @options_named
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
        meta.check_scope(scope)
        self._call(meta.FLUSH_TESTAMENTS, (), {"scope": scope})
        self._session.records.drop_testaments(scope)

    def history(
        self, topic: str | int, /, *, match: str = "exact", **filters: Unpack[HistoryFilters]
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
            UnknownOptionError: there is no such filter.
        """
        asked = meta.given(filters)
        subscription = topic
        if isinstance(topic, str):
            how = {"match": match}
            subscription = self._call(meta.LOOKUP_SUBSCRIPTION, (topic, how), {})
            if subscription is None:
                raise meta.no_subscription(topic)
        return meta.events_of(self._started().results(meta.GET_EVENTS, (subscription,), asked))

    @options_named
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
