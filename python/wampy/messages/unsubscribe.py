"""UNSUBSCRIBE ends a subscription."""

from __future__ import annotations

from typing import Any, ClassVar

from wampy.messages.base import Message, new_request_id


class Unsubscribe(Message):
    """A subscriber wants no more events.

    Wire form: ``[34, request_id, subscription_id]``.
    """

    WAMP_CODE: ClassVar[int] = 34
    name = "unsubscribe"

    def __init__(self, subscription_id: int) -> None:
        self.subscription_id = subscription_id
        self.request_id: int = new_request_id()

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.subscription_id]
