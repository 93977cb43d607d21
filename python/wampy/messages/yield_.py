"""YIELD answers INVOCATION."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message


class Yield(Message):
    """A callee returns a result.

    Wire form: ``[70, invocation_request_id, options, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 70
    name = "yield"

    def __init__(
        self,
        invocation_request_id: int,
        options: Mapping[str, Any] | None = None,
        result_args: Sequence[Any] | None = None,
        result_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.invocation_request_id = invocation_request_id
        self.options: dict[str, Any] = dict(options or {})
        self.result_args: list[Any] = list(result_args or ())
        self.result_kwargs: dict[str, Any] = dict(result_kwargs or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [
            self.WAMP_CODE,
            self.invocation_request_id,
            self.options,
            self.result_args,
            self.result_kwargs,
        ]
