"""A conversation between a client and a router in one realm.

The session asks the router for what the client wants, and knows which handler belongs to which
registration and subscription. What is absent: the protocol and the socket, which are Rust's, and
everything about classes with decorated methods, which is the client's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wampy import _wampy, errors
from wampy.by_hand import MessagesByHand
from wampy.encryption import named_key
from wampy.lifetime import Lifetime
from wampy.messages import Call, Error, Invocation, Message, Registered, Result, Subscribed, Yield
from wampy.offers import Subscription
from wampy.progressive import Feeder, Parts, ProgressiveCall, check_parts
from wampy.result import arguments_of, value_of
from wampy.roles.callee import Procedure

__all__ = ["Session", "Subscription"]


class Session(Lifetime):
    """A session; it can begin again after its end, and by itself after a loss."""

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
        wire = self.joined()
        try:
            request_id, details, result, by_name = wire.call(procedure, args, kwargs or {}, options)
        except errors.Error as error:
            self.delivery.show_error(Call.WAMP_CODE, error)
            raise
        if self.delivery.shows:
            self.delivery.show(Result(request_id, details, result, by_name))
        return value_of(result, by_name)

    def results(self, procedure: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Call a procedure that returns several values."""
        options = self._call_options(procedure, None)
        return self.joined().call(procedure, args, kwargs, options)[2]

    def ask_to_call(
        self, procedure: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> _wampy.AskedCall:
        """Call a procedure, and wait for its answer later."""
        options = self._call_options(procedure, None)
        return self.joined().ask_to_call(procedure, args, kwargs, options)

    def call_progressive(
        self,
        procedure: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> ProgressiveCall:
        """Call a procedure whose result comes in parts; see ``Client.call_progressive``."""
        options = self._call_options(procedure, options)
        results = self.joined().call_progressive(procedure, args, kwargs or {}, options)
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
        send, results = self.joined().call_in_parts(procedure, args, kwargs or {}, options)
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
        if self.delivery.shows:
            self.delivery.show(Result(*received))

    def publish(
        self,
        topic: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> int | None:
        """Publish an event; with the option ``acknowledge``, return its publication id."""
        wire = self.joined()
        options = named_key(options or {})
        return wire.publish(topic, args, kwargs or {}, options, self.call_timeout or None)

    # Callee and subscriber

    @property
    def registration_map(self) -> dict[int, str]:
        """``{registration_id: procedure URI}``"""
        return self._offers.registration_map

    @property
    def subscription_map(self) -> dict[int, tuple[Callable[..., Any], str]]:
        """``{subscription_id: (handler, topic)}``"""
        return self._offers.subscription_map

    @property
    def request_ids(self) -> dict[int, Any]:
        """``{request_id: what was asked for}`` of registrations and subscriptions"""
        return self._offers.request_ids

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

    def register_granted(
        self,
        procedure: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any] | None = None,
        method: str | None = None,
    ) -> Registered:
        """Do as ``register``; returns the router's message."""
        return self._offers.register(procedure, handler, options or {}, method)

    def offer(self, procedure: Procedure, handler: Callable[..., Any], method: str | None) -> int:
        """Register ``handler`` as ``procedure`` says, and describe it; returns the id."""
        return self._offers.offer(procedure, handler, method)

    def unregister(self, registration_id: int) -> None:
        """Withdraw a procedure, which may be named by the id that it had before a reconnect."""
        self._offers.unregister(registration_id)

    def subscribe(
        self, topic: str, handler: Callable[..., Any], options: Mapping[str, Any] | None = None
    ) -> int:
        """Run ``handler`` for the events of ``topic``; returns the subscription id."""
        return self.subscribe_granted(topic, handler, options).subscription_id

    def subscribe_granted(
        self, topic: str, handler: Callable[..., Any], options: Mapping[str, Any] | None = None
    ) -> Subscribed:
        """Do as ``subscribe``; returns the router's message."""
        return self._offers.subscribe(topic, handler, options or {})

    def listen(self, topic: str, handler: Callable[..., Any], options: Mapping[str, Any]) -> int:
        """Subscribe ``handler`` to ``topic``, and describe it; returns the subscription id."""
        return self._offers.listen(topic, handler, options)

    def unsubscribe(self, subscription_id: int) -> None:
        """End a subscription, for all handlers that it has here.

        It may be named by the id that it had before a reconnect.
        """
        self._offers.unsubscribe(subscription_id)

    def drop_revoked(self) -> None:
        """Forget the registrations and subscriptions that the router has taken back."""
        self._offers.drop_revoked()

    def restore(self) -> None:
        """Ask for everything that the present session has not granted."""
        self.records.restore(self, self._offers)

    def router_has(self, role: str, feature: str) -> bool:
        """Whether the router announces a feature of one of its roles."""
        return self.joined().router_has(role, feature)

    # What a message handler asks

    def handler_of(self, registration_id: int) -> Callable[..., Any]:
        """What runs the handler of a registration."""
        handler = self._offers.handler_of(registration_id)
        if handler is None or self._jobs.is_stale:
            raise errors.Error("wamp.error.no_such_registration", registration_id)
        return handler

    def beside_arguments(self, invocation: Invocation) -> dict[str, Any]:
        """What the handler of an invocation takes by keyword beside the call's arguments.

        Call it after ``handler_of``, which waits until the registration is noted.
        """
        wanted = self._offers.declared(invocation.registration_id)
        more: dict[str, Any] = {}
        if wanted is not None and wanted.details:
            more["details"] = {"procedure": wanted.uri, **invocation.details}
        if wanted is not None and wanted.parts:
            has_more = invocation.details.get("progress", False)
            more["parts"] = Parts(self._answering(), invocation.request_id, has_more)
        return more

    def shows_traceback(self, registration_id: int) -> bool:
        """Whether callers of a registration are told where its handler failed."""
        wanted = self._offers.declared(registration_id)
        return self.tracebacks or (wanted is not None and wanted.traceback)

    def send_progress(self, invocation: Invocation, part: Any) -> bool:
        """Send a part of a result, if the caller takes parts; false if the call is over.

        Waits while the router takes no more.
        """
        args, kwargs = arguments_of(part)
        return self._answering().progress(invocation.request_id, args, kwargs)

    def _answering(self) -> _wampy.Session:
        """The wire of the job that this thread works on, even if another session has begun."""
        return self._jobs.wire or self.joined()

    def subscriptions_of(self, subscription_id: int) -> Sequence[Subscription]:
        """The handlers of a subscription, in the order in which they came."""
        return self._jobs.subscriptions_of(subscription_id)

    # Messages built by hand

    def _messages_by_hand(self) -> MessagesByHand:
        """What sends them and keeps their answers; most programs build none."""
        if self._by_hand is None:
            with self._offers.granting:
                self._by_hand = self._by_hand or MessagesByHand(self, self._offers)
        return self._by_hand

    def send_message(self, message: Message) -> None:
        """Send a message; the session assigns its ``request_id``, which the protocol wants.

        Answers go to ``recv_message`` and disturb nothing if nobody asks for them.

        Raises:
            WampProtocolError: a client does not send such a message, or not by hand.
        """
        if isinstance(message, (Yield, Error)):
            self._messages_by_hand().answer(self._answering(), message)
        else:
            self._messages_by_hand().send(self.joined(), message)

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
        return self._messages_by_hand().receive(self.joined(), source_request_id, patience or None)

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
