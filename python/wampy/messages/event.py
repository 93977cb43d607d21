"""EVENT brings a published event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message


class Event(Message):
    """The broker delivers an event to a subscriber.

    Wire form: ``[36, subscription_id, publication_id, details, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 36
    name = "event"

    def __init__(
        self,
        subscription_id: int,
        publication_id: int,
        details_dict: Mapping[str, Any] | None = None,
        publish_args: Sequence[Any] | None = None,
        publish_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.subscription_id = subscription_id
        self.publication_id = publication_id
        self.details: dict[str, Any] = dict(details_dict or {})
        self.publish_args: list[Any] = list(publish_args or ())
        self.publish_kwargs: dict[str, Any] = dict(publish_kwargs or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [
            self.WAMP_CODE,
            self.subscription_id,
            self.publication_id,
            self.details,
            self.publish_args,
            self.publish_kwargs,
        ]
