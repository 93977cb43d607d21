"""What a program's message handler gets to see of a session.

Its own class of handler may want every message as text, and answers, too, as they pass. What is
absent: what the handler does with them; see ``wampy.message_handler``.
"""

from __future__ import annotations

import logging

from wampy import errors
from wampy.message_handler import MessageHandler, sees_events, sees_invocations
from wampy.messages import Error, Message

__all__ = ["Delivery"]

logger: logging.Logger = logging.getLogger("wampy.session")


class Delivery:
    """Gives messages to a message handler."""

    def __init__(self, message_handler: MessageHandler) -> None:
        self.message_handler = message_handler
        kind = type(message_handler)
        #: whether answers are shown: only a handler class of the application wants to see them pass
        self.shows: bool = kind is not MessageHandler
        #: whether the handler wants to hear of a lost connection
        self.tells_loss: bool = kind.handle_close is not MessageHandler.handle_close
        self._wants_text = kind.handle_message is not MessageHandler.handle_message

    @property
    def sees_events(self) -> bool:
        """Whether the handler wants each event as a message, because the program has its own."""
        return sees_events(self.message_handler)

    def sees_invocations(self) -> bool:
        """Whether the handler wants each call as a message, because the program has its own."""
        return sees_invocations(self.message_handler)

    def deliver(self, message: Message) -> None:
        """Have a message handled; the handler's failures are raised."""
        if self._wants_text:
            self.message_handler.handle_message(message.serialize())
        else:
            self.message_handler.dispatch(message)

    def show(self, message: Message) -> None:
        """Show a message to a handler class of the application; its failures are its own."""
        if not self.shows:
            return
        try:
            self.deliver(message)
        except Exception:
            logger.exception("%s failed", type(self.message_handler).__name__)

    def show_error(self, request_type: int, error: errors.Error) -> None:
        """Show that a request failed."""
        if self.shows:
            request_id = error.request_id or 0
            self.show(Error(request_type, request_id, {}, error.uri, error.args, error.kwargs))

    def show_loss(self, reason: str) -> None:
        """Show that the connection is lost."""
        if not self.shows:
            return
        from wampy.transports.websocket.frames import Close

        # The code that stands for a connection without a close frame (RFC 6455, section 7.4.1).
        frame = Close(payload=(1006).to_bytes(2, "big") + reason.encode())
        try:
            self.message_handler.handle_close(frame)
        except Exception:
            logger.exception("%s failed", type(self.message_handler).__name__)
