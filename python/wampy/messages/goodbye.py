"""GOODBYE ends a session in agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Goodbye(Message):
    """A peer ends the session; the other one answers with GOODBYE.

    Wire form: ``[6, details, reason]``.
    """

    WAMP_CODE: ClassVar[int] = 6
    name = "goodbye"
    DEFAULT_REASON = "wamp.close.close_realm"

    def __init__(
        self, details: Mapping[str, Any] | None = None, reason: str = DEFAULT_REASON
    ) -> None:
        self.details: dict[str, Any] = dict(details or {})
        self.reason = reason

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.details, self.reason]
