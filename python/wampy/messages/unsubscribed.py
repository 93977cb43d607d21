"""UNSUBSCRIBED acknowledges UNSUBSCRIBE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Unsubscribed(Message):
    """The broker ended a subscription; with request id 0, on its own accord.

    Wire form: ``[35, request_id]``.
    """

    WAMP_CODE: ClassVar[int] = 35
    name = "unsubscribed"

    def __init__(self, request_id: int, details: Mapping[str, Any] | None = None) -> None:
        self.request_id = request_id
        self.details: dict[str, Any] = dict(details or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return (
            [self.WAMP_CODE, self.request_id, self.details]
            if self.details
            else [self.WAMP_CODE, self.request_id]
        )
