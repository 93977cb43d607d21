"""PUBLISH sends an event to a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message, new_request_id


class Publish(Message):
    """A publisher sends an event; the arguments after ``options`` are its payload.

    Wire form: ``[16, request_id, options, topic, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 16
    name = "publish"

    def __init__(
        self, topic: str, options: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any
    ) -> None:
        self.topic = topic
        self.options: dict[str, Any] = dict(options or {})
        self.args = args
        self.kwargs = kwargs
        self.request_id: int = new_request_id()

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [
            self.WAMP_CODE,
            self.request_id,
            self.options,
            self.topic,
            list(self.args),
            self.kwargs,
        ]
