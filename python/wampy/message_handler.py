"""What a client does with each message that concerns its program.

An application can subclass ``MessageHandler`` and give the class to its client. The methods run
on the client's handler threads, those for answers on the thread that asked. What is absent: the
protocol. The session has checked every message before a handler sees it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Generator, Mapping
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from wampy import errors
from wampy.definitions import is_answer, refusal, told
from wampy.messages import (
    MESSAGE_TYPE_MAP,
    Abort,
    Authenticate,
    Challenge,
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
from wampy.result import arguments_of

if TYPE_CHECKING:
    from wampy.offers import Subscription
    from wampy.peers.clients import Client
    from wampy.session import Session
    from wampy.transports.websocket.frames import Close

__all__ = ["MessageHandler"]

logger: logging.Logger = logging.getLogger("wampy.messagehandler")


class MessageHandler:
    """Runs procedures and event handlers; override ``handle_...`` to do more.

    An exception in an overridden method is logged. It ends neither the thread nor the session.
    """

    #: the client whose messages it handles; a handler made without one gets it from its client
    client: Client

    def __init__(self, client: Client | None = None) -> None:
        if client is not None:
            self.client = client

    @property
    def session(self) -> Session:
        """The client's session."""
        return self.client._session

    def handle_message(self, message: str) -> None:
        """Handle a message given as JSON text; an override sees every message pass."""
        import json

        code, *fields = json.loads(message)
        message_class = MESSAGE_TYPE_MAP.get(code)
        if message_class is None:
            logger.warning("unexpected WAMP code: %s", code)
            return
        self.dispatch(message_class(*fields))

    def dispatch(self, message: Message) -> None:
        """Give the message to the method that its name selects."""
        getattr(self, f"handle_{message.name}")(message)

    def handle_invocation(self, message_obj: Invocation) -> None:
        """Run the procedure and answer with its result or its exception."""
        session = self.session
        handler = session.handler_of(message_obj.registration_id)
        kwargs: dict[str, Any] = message_obj.call_kwargs
        try:
            kwargs = {**kwargs, **session.beside_arguments(message_obj)}
            result = handler(*message_obj.call_args, **kwargs)
            if isinstance(result, GeneratorType):
                result = self.run_generator(message_obj, result)
        # A handler that raises SystemExit or KeyboardInterrupt must not leave its caller waiting.
        except BaseException as failure:
            self.process_failure(message_obj, failure, handler, kwargs)
        else:
            self.process_result(message_obj, result)

    def process_failure(
        self,
        message_obj: Invocation,
        failure: BaseException,
        handler: Callable[..., Any],
        kwargs: Mapping[str, Any],
    ) -> None:
        """Answer the invocation with what its handler has raised, while that is handled."""
        error = refusal(failure, handler, message_obj.call_args, kwargs) or failure
        if not is_answer(error):
            name = self.session.registration_map.get(message_obj.registration_id)
            logger.exception("error calling: %s", name)
        self.process_result(message_obj, None, exc=error)

    def run_generator(self, message_obj: Invocation, generator: Generator[Any, None, Any]) -> Any:
        """Send what a handler yields, and return what it returns.

        When the call is over before that, the generator is closed where it stands.
        """
        with contextlib.closing(generator):
            while True:
                try:
                    part = next(generator)
                except StopIteration as end:
                    return end.value
                if not self.session.send_progress(message_obj, part):
                    raise errors.CanceledError("wamp.error.canceled", "the call is over")

    def process_result(
        self, message_obj: Invocation, result: Any, exc: BaseException | None = None
    ) -> None:
        """Answer the invocation, exactly once."""
        if exc is None:
            try:
                args, kwargs = arguments_of(result)
                self.session.send_message(Yield(message_obj.request_id, {}, args, kwargs))
            except errors.SerializationError as error:
                name = self.session.registration_map.get(message_obj.registration_id)
                logger.error("the result of %s cannot be sent: %s", name, error)
                exc = error
        if exc is not None:
            self.session.send_message(self._error_of(message_obj, exc))

    def handle_event(self, message_obj: Event) -> None:
        """Run the handlers of the event's topic."""
        for subscription in self.session.subscriptions_of(message_obj.subscription_id):
            kwargs = dict(message_obj.publish_kwargs)
            if subscription.wants_meta:
                kwargs["meta"] = {
                    "topic": subscription.topic,
                    "subscription_id": message_obj.subscription_id,
                    **message_obj.details,
                }
            try:
                subscription.handler(*message_obj.publish_args, **kwargs)
            except BaseException as error:
                log_failed_event(subscription, error)

    def handle_registered(self, message_obj: Registered) -> None:
        """A procedure has been registered; ``session.registration_map`` has it."""

    def handle_subscribed(self, message_obj: Subscribed) -> None:
        """A topic has been subscribed to; ``session.subscription_map`` has it."""

    def handle_welcome(self, message_obj: Welcome) -> None:
        """The session has joined."""

    def handle_abort(self, message_obj: Abort) -> None:
        """The router refused the session; ``start`` raises."""

    def handle_challenge(self, message_obj: Challenge) -> None:
        """The router asked for a proof of identity; the session answers."""

    def handle_authenticate(self, message_obj: Authenticate) -> None:
        """Routers do not send this."""

    def handle_goodbye(self, message_obj: Goodbye) -> None:
        """The session has ended."""

    def handle_close(self, close_frame: Close) -> None:
        """The connection is lost; ``close_frame.payload`` says why."""

    def handle_result(self, message_obj: Result) -> None:
        """A call has a result; the caller gets it after this."""

    def handle_error(self, message_obj: Error) -> None:
        """A request failed; whoever made it gets the exception after this."""

    def _error_of(self, invocation: Invocation, exc: BaseException) -> Error:
        """The ERROR for an exception; see ``wampy.definitions``."""
        session, registration_id = self.session, invocation.registration_id
        uri, args, kwargs = told(
            exc,
            session.registration_map.get(registration_id),
            invocation.call_args,
            invocation.call_kwargs,
            session.shows_traceback(registration_id),
        )
        return Error(Invocation.WAMP_CODE, invocation.request_id, {}, uri, args, kwargs)


#: What stands between an event and the handlers of its topic.
_OF_EVENTS = {
    name: getattr(MessageHandler, name) for name in ("handle_message", "dispatch", "handle_event")
}


def sees_events(handler: MessageHandler) -> bool:
    """Whether something of the program stands there instead, and wants to see the events pass."""
    return any(
        getattr(getattr(handler, name), "__func__", None) is not ours
        for name, ours in _OF_EVENTS.items()
    )


def sees_invocations(handler: MessageHandler) -> bool:
    """Whether something of the program stands between a call and its handler or its answer.

    Asked of each call, so that it costs little where there is nothing: a handler of our own class
    that has no attributes but its client.
    """
    return (
        type(handler) is not MessageHandler
        or len(handler.__dict__) > 1
        or _between_calls() != _OF_INVOCATIONS
    )


def _between_calls() -> tuple[object, ...]:
    """What stands there; a test may have put something else in its place."""
    ours = MessageHandler
    return ours.handle_message, ours.dispatch, ours.handle_invocation, ours.process_result


_OF_INVOCATIONS = _between_calls()


def log_failed_event(subscription: Subscription, error: BaseException) -> None:
    """Log that a handler has raised an exception; the other handlers still get the event."""
    topic = subscription.topic
    if isinstance(error, errors.InvalidArgumentError) and error.procedure is None:
        logger.warning("an event of %s is not handled: %s", topic, error)
    else:
        logger.error("error handling an event of %s", topic, exc_info=error)
