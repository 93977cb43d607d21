"""Messages that an application builds itself: what the session does with each of them.

Requests whose answers need a handler (REGISTER, SUBSCRIBE) go the way of the session's own; the
others go out as they are. What is absent: HELLO and its like, which the session alone sends.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from wampy import _wampy
from wampy.constants import ANSWERS_MAX
from wampy.errors import WampProtocolError
from wampy.messages import (
    MESSAGE_TYPE_MAP,
    Call,
    Cancel,
    Error,
    Goodbye,
    Invocation,
    Message,
    Publish,
    Register,
    Registered,
    Subscribe,
    Subscribed,
    Unregister,
    Unregistered,
    Unsubscribe,
    Unsubscribed,
    Yield,
)

if TYPE_CHECKING:
    from wampy.lifetime import Lifetime
    from wampy.offers import Offers

__all__ = ["MessagesByHand"]


class MessagesByHand:
    """Sends an application's own messages over a session, and keeps their answers for it."""

    def __init__(self, session: Lifetime, offers: Offers) -> None:
        self._session = session
        self._offers = offers
        self._answers: collections.deque[Message] = collections.deque(maxlen=ANSWERS_MAX)

    def answer(self, wire: _wampy.Session, message: Yield | Error) -> None:
        """Answer an invocation. One that was answered or canceled before stays as it is.

        Raises:
            WampProtocolError: a client answers nothing but invocations.
        """
        if isinstance(message, Yield):
            wire.reply(message.invocation_request_id, message.result_args, message.result_kwargs)
        elif message.request_type == Invocation.WAMP_CODE:
            wire.reply_error(
                message.request_id, message.error, message.args_list, message.kwargs_dict
            )
        else:
            raise WampProtocolError(f"{message!r} answers nothing that a client is asked")

    def send(self, wire: _wampy.Session, message: Message) -> None:
        """Send ``message``, or do what it asks for.

        Raises:
            WampProtocolError: a client does not send such a message, or not by hand.
        """
        if isinstance(message, Goodbye):
            self._session.end()
        elif isinstance(message, (Register, Subscribe, Unregister, Unsubscribe)):
            self._answers.append(self._grant(message))
        elif isinstance(message, (Call, Publish, Cancel)):
            message.request_id = wire.send(message.message) or message.request_id
        else:
            raise WampProtocolError(f"{message!r} is not a message that a client sends by hand")

    def receive(
        self, wire: _wampy.Session, request_id: int | None, timeout: float | None
    ) -> Message:
        """Wait for an answer: the one to ``request_id``, or any."""
        for answer in tuple(self._answers):
            if request_id in (None, getattr(answer, "request_id", None)):
                self._answers.remove(answer)
                return answer
        code, *fields = wire.next_answer(request_id, timeout)
        return MESSAGE_TYPE_MAP[code](*fields)

    def _grant(self, message: Register | Subscribe | Unregister | Unsubscribe) -> Message:
        """Ask the router for what ``message`` says, with the client's method of that name."""
        offers = self._offers
        granted: Registered | Subscribed
        if isinstance(message, Register):
            handler = getattr(self._session.client, message.procedure)
            granted = offers.register(message.procedure, handler, message.options)
        elif isinstance(message, Subscribe):
            granted = offers.subscribe(message.topic, _ignore, message.options)
        elif isinstance(message, Unregister):
            offers.unregister(message.registration_id)
            return Unregistered(message.request_id)
        else:
            offers.unsubscribe(message.subscription_id)
            return Unsubscribed(message.request_id)
        message.request_id = granted.request_id
        return granted


def _ignore(*args: Any, **kwargs: Any) -> None:
    """The handler of a subscription made by a message alone."""
