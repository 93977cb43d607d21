"""``json_serialize``: the JSON text of a message.

What is absent: the serializers of sessions, which are Rust's.
"""

from __future__ import annotations

from typing import Any

from wampy.errors import WampProtocolError
from wampy.messages.base import as_json

__all__ = ["json_serialize"]


def json_serialize(message: Any) -> str:
    """The JSON text of ``message``, a list; bytes become U+0000 and base64, as WAMP wants it.

    Raises:
        WampProtocolError: something in it has no JSON form.
    """
    try:
        return as_json(message)
    except (TypeError, ValueError) as error:
        raise WampProtocolError(f"Message not serialized: {message} - {error}") from error
