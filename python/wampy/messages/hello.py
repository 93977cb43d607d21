"""HELLO opens a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Hello(Message):
    """A client asks to join a realm.

    Wire form: ``[1, realm, details]``.
    """

    WAMP_CODE: ClassVar[int] = 1
    name = "hello"

    def __init__(self, realm: str, details: Mapping[str, Any] | None = None) -> None:
        self.realm = realm
        self.details: dict[str, Any] = dict(details or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.realm, self.details]
