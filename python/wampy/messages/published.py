"""PUBLISHED acknowledges PUBLISH."""

from __future__ import annotations

from typing import Any, ClassVar

from wampy.messages.base import Message


class Published(Message):
    """The broker accepted an event that asked for acknowledgement.

    Wire form: ``[17, request_id, publication_id]``.
    """

    WAMP_CODE: ClassVar[int] = 17
    name = "published"

    def __init__(self, request_id: int, publication_id: int) -> None:
        self.request_id = request_id
        self.publication_id = publication_id

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.publication_id]
