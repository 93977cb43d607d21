"""RESULT answers CALL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message
from wampy.result import value_of


class Result(Message):
    """The dealer delivers what the callee returned.

    Wire form: ``[50, request_id, details, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 50
    name = "result"

    def __init__(
        self,
        request_id: int,
        details_dict: Mapping[str, Any] | None = None,
        yield_args: Sequence[Any] | None = None,
        yield_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.request_id = request_id
        self.details: dict[str, Any] = dict(details_dict or {})
        self.yield_args: list[Any] = list(yield_args or ())
        self.yield_kwargs: dict[str, Any] = dict(yield_kwargs or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [self.WAMP_CODE, self.request_id, self.details, self.yield_args, self.yield_kwargs]

    @property
    def value(self) -> Any:
        """The result as the caller's program sees it; see ``wampy.result.value_of``."""
        return value_of(self.yield_args, self.yield_kwargs)
