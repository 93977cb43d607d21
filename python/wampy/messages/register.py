"""REGISTER offers a procedure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message, new_request_id


class Register(Message):
    """A callee offers a procedure.

    Wire form: ``[64, request_id, options, procedure]``.
    """

    WAMP_CODE: ClassVar[int] = 64
    name = "register"

    def __init__(self, procedure: str, options: Mapping[str, Any] | None = None) -> None:
        self.procedure = procedure
        self.options: dict[str, Any] = dict(options or {})
        self.request_id: int = new_request_id()

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.options, self.procedure]
