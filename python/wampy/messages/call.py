"""CALL asks for a remote procedure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message, new_request_id


class Call(Message):
    """A caller calls a procedure.

    Wire form: ``[48, request_id, options, procedure, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 48
    name = "call"

    def __init__(
        self,
        procedure: str,
        options: Mapping[str, Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.procedure = procedure
        self.options: dict[str, Any] = dict(options or {})
        self.args: list[Any] = list(args or ())
        self.kwargs: dict[str, Any] = dict(kwargs or {})
        self.request_id: int = new_request_id()

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [
            self.WAMP_CODE,
            self.request_id,
            self.options,
            self.procedure,
            self.args,
            self.kwargs,
        ]
