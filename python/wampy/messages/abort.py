"""ABORT ends a session without an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Abort(Message):
    """A peer refuses or ends a session, and says why.

    Wire form: ``[3, details, reason]``.
    """

    WAMP_CODE: ClassVar[int] = 3
    name = "abort"

    def __init__(self, details: Mapping[str, Any] | None = None, uri: str | None = None) -> None:
        self.details: dict[str, Any] = dict(details or {})
        self.uri = uri

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.details, self.uri or ""]
