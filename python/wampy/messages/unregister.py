"""UNREGISTER withdraws a procedure."""

from __future__ import annotations

from typing import Any, ClassVar

from wampy.messages.base import Message, new_request_id


class Unregister(Message):
    """A callee withdraws a procedure.

    Wire form: ``[66, request_id, registration_id]``.
    """

    WAMP_CODE: ClassVar[int] = 66
    name = "unregister"

    def __init__(self, registration_id: int) -> None:
        self.registration_id = registration_id
        self.request_id: int = new_request_id()

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.registration_id]
