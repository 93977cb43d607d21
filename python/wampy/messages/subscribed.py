"""SUBSCRIBED acknowledges SUBSCRIBE."""

from __future__ import annotations

from typing import Any, ClassVar

from wampy.messages.base import Message


class Subscribed(Message):
    """The broker accepted a subscription.

    Wire form: ``[33, request_id, subscription_id]``.
    """

    WAMP_CODE: ClassVar[int] = 33
    name = "subscribed"

    def __init__(self, request_id: int, subscription_id: int) -> None:
        self.request_id = request_id
        self.subscription_id = subscription_id

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.subscription_id]
