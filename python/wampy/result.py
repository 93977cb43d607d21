"""``wampy.Result``: a result of several values, or of values with names.

What is absent: results of one value, which are that value, and of none, which are None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

__all__ = ["Result", "arguments_of", "value_of"]


class Result:
    """What a handler returns to answer several values, and what its caller gets then.

    ``return wampy.Result(3, 4, unit="cm")`` answers two positional values and a keyword. The
    caller finds them as ``result[0]``, ``result["unit"]``, ``result.args`` and
    ``result.kwargs``, and ``width, height = result`` unpacks the positional ones.

    Two results are equal when their values are.
    """

    __slots__ = ("args", "kwargs")

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        #: the positional values
        self.args: tuple[Any, ...] = args
        #: the values by keyword
        self.kwargs: dict[str, Any] = kwargs

    def __iter__(self) -> Iterator[Any]:
        """Over the positional values."""
        return iter(self.args)

    def __len__(self) -> int:
        """How many positional values there are."""
        return len(self.args)

    def __bool__(self) -> bool:
        """Whether there is any value."""
        return bool(self.args or self.kwargs)

    def __getitem__(self, key: int | str) -> Any:
        """The value at a position, or the one of a keyword."""
        return self.kwargs[key] if isinstance(key, str) else self.args[key]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Result):
            return self.args == other.args and self.kwargs == other.kwargs
        return NotImplemented

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwargs.items())]
        return f"Result({', '.join(given)})"


def arguments_of(returned: Any) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """What a handler returned, or yielded, as the payload of a message."""
    if type(returned) is Result:
        return returned.args, returned.kwargs
    return (returned,), {}


def value_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The payload of a result as the caller's program gets it.

    One value is that value, and none is None. wampy 1 sends the value a second time as the keyword
    ``message`` beside ``meta``; it is one value, too. All else is a ``Result``.
    """
    if not kwargs:
        if len(args) == 1:
            return args[0]
        return Result(*args) if args else None
    if "message" in kwargs and "meta" in kwargs:
        return kwargs["message"]
    return Result(*args, **kwargs)
