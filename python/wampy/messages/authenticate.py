"""AUTHENTICATE answers CHALLENGE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Authenticate(Message):
    """A client proves who it is.

    Wire form: ``[5, signature, extra]``.
    """

    WAMP_CODE: ClassVar[int] = 5
    name = "authenticate"

    def __init__(self, signature: str, kwargs_dict: Mapping[str, Any] | None = None) -> None:
        self.signature = signature
        self.kwargs_dict: dict[str, Any] = dict(kwargs_dict or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.signature, self.kwargs_dict]
