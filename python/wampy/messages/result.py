"""RESULT answers CALL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message


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
        """The result as the caller's program sees it; see ``result_value``."""
        return result_value(self.yield_args, self.yield_kwargs)


def result_value(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The one value of a result: callees of every kind and age are understood.

    Most send it as the only positional result. wampy 1 sends it a second time as the keyword
    ``message`` beside ``meta``. A result of keywords alone is their dictionary, an empty one None.
    """
    if "message" in kwargs and "meta" in kwargs:
        return kwargs["message"]
    if args:
        return args[0]
    return dict(kwargs) or None
