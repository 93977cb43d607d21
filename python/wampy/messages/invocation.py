"""INVOCATION brings a call to its callee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message


class Invocation(Message):
    """The dealer asks a callee to run a procedure.

    Wire form: ``[68, request_id, registration_id, details, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 68
    name = "invocation"

    def __init__(
        self,
        request_id: int,
        registration_id: int,
        details: Mapping[str, Any] | None = None,
        call_args: Sequence[Any] | None = None,
        call_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.request_id = request_id
        self.registration_id = registration_id
        self.details: dict[str, Any] = dict(details or {})
        self.call_args: list[Any] = list(call_args or ())
        self.call_kwargs: dict[str, Any] = dict(call_kwargs or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [
            self.WAMP_CODE,
            self.request_id,
            self.registration_id,
            self.details,
            self.call_args,
            self.call_kwargs,
        ]
