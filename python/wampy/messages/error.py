"""ERROR answers a request that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wampy.messages.base import Message


class Error(Message):
    """A request failed. Not an exception: that is ``wampy.errors.Error``.

    Wire form: ``[8, request_type, request_id, details, error, args, kwargs]``.
    """

    WAMP_CODE: ClassVar[int] = 8
    name = "error"

    def __init__(
        self,
        request_type: int,
        request_id: int,
        details: Mapping[str, Any] | None = None,
        error: str = "",
        args_list: Sequence[Any] | None = None,
        kwargs_dict: Mapping[str, Any] | None = None,
    ) -> None:
        self.request_type = request_type
        self.request_id = request_id
        self.details: dict[str, Any] = dict(details or {})
        self.error = error
        self.args_list: list[Any] = list(args_list or ())
        self.kwargs_dict: dict[str, Any] = dict(kwargs_dict or {})

    @property
    def message(self) -> list[Any]:
        """The wire form."""
        return [
            self.WAMP_CODE,
            self.request_type,
            self.request_id,
            self.details,
            self.error,
            self.args_list,
            self.kwargs_dict,
        ]
