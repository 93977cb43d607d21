"""WELCOME confirms a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Welcome(Message):
    """The router confirms that the session has joined.

    Wire form: ``[2, session_id, details]``.
    """

    WAMP_CODE: ClassVar[int] = 2
    name = "welcome"

    def __init__(self, session_id: int, details_dict: Mapping[str, Any] | None = None) -> None:
        self.session_id = session_id
        self.details: dict[str, Any] = dict(details_dict or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.session_id, self.details]
