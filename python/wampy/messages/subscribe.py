"""SUBSCRIBE asks for the events of a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message, new_request_id


class Subscribe(Message):
    """A subscriber asks for the events of a topic.

    Wire form: ``[32, request_id, options, topic]``.
    """

    WAMP_CODE: ClassVar[int] = 32
    name = "subscribe"

    def __init__(self, topic: str, options: Mapping[str, Any] | None = None) -> None:
        self.topic = topic
        self.options: dict[str, Any] = dict(options or {})
        self.request_id: int = new_request_id()

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.options, self.topic]
