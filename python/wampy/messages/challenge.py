"""CHALLENGE asks a client to prove who it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wampy.messages.base import Message


class Challenge(Message):
    """The router asks for a proof of identity.

    Wire form: ``[4, auth_method, extra]``.
    """

    WAMP_CODE: ClassVar[int] = 4
    name = "challenge"

    def __init__(self, auth_method: str, kwargs_dict: Mapping[str, Any] | None = None) -> None:
        self.auth_method = auth_method
        self.kwargs_dict: dict[str, Any] = dict(kwargs_dict or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.auth_method, self.kwargs_dict]

    @property
    def value(self) -> dict[str, Any]:
        """Everything that the router said beside the method."""
        return self.kwargs_dict

    @property
    def challenge(self) -> Any:
        """What has to be signed."""
        return self.kwargs_dict["challenge"]
