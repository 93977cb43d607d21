"""REGISTERED acknowledges REGISTER."""

from __future__ import annotations

from typing import Any, ClassVar

from wampy.messages.base import Message


class Registered(Message):
    """The dealer accepted a registration.

    Wire form: ``[65, request_id, registration_id]``.
    """

    WAMP_CODE: ClassVar[int] = 65
    name = "registered"

    def __init__(self, request_id: int, registration_id: int) -> None:
        self.request_id = request_id
        self.registration_id = registration_id

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.registration_id]
