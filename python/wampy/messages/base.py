"""What all messages have in common: a code, a name, and the list that goes over the wire.

What is absent: sending. A session sends a message and gives it the request id that is its turn.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Message:
    """One WAMP message; ``message`` is its wire form as a list.

    Two messages are equal when their wire forms are.
    """

    WAMP_CODE: ClassVar[int]
    name: ClassVar[str]

    @property
    def message(self) -> list[Any]:
        """The message as the list of the specification, the code first."""
        raise NotImplementedError(f"{type(self).__name__} is not a message by itself")

    def construct(self) -> list[Any]:
        """Return ``message``; the API of 2016 asked for this call before sending."""
        return self.message

    def serialize(self) -> str:
        """Return ``message`` as JSON text; bytes become U+0000 and base64, as WAMP wants it."""
        return as_json(self.message)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Message):
            return self.message == other.message
        return NotImplemented

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __str__(self) -> str:
        return str(self.message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.message!r}>"


def as_json(message: Any) -> str:
    """The JSON text of ``message``; bytes become U+0000 and base64, as WAMP wants it."""
    import json

    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, default=_form_of)


def new_request_id() -> int:
    """A placeholder until a session sends the message and assigns the id that is its turn."""
    import random

    return random.getrandbits(32) or 1


def _form_of(value: object) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        import base64

        return "\0" + base64.b64encode(value).decode()
    from wampy.forms import plain

    form = plain(value)
    if form is NotImplemented:
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return form
