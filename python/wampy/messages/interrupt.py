"""INTERRUPT brings a cancellation to the callee."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Interrupt(Message):
    """The dealer asks a callee to give up an invocation.

    Wire form: ``[69, request_id, options]``.
    """

    WAMP_CODE: ClassVar[int] = 69
    name = "interrupt"

    def __init__(self, request_id: int, options: Mapping[str, Any] | None = None) -> None:
        self.request_id = request_id
        self.options: dict[str, Any] = dict(options or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.options]
