"""WebSocket frames as bytes, and back (RFC 6455, section 5).

What is absent: sockets, and the joining of fragments, which the connection does.
"""

from __future__ import annotations

import os
import struct
from typing import ClassVar

from wampy.errors import IncompleteFrameError, WebsocktProtocolError

__all__ = ["Binary", "Close", "Continuation", "Frame", "FrameFactory", "Ping", "Pong", "Text"]

#: The longest payload of a frame that is read, in bytes.
PAYLOAD_MAX = 64 << 20


class Frame:
    """A whole frame, with its header.

    Attributes:
        fin_bit: whether it is the last of its message.
        opcode: what kind of frame it is.
        data: the payload as bytes.
    """

    OPCODE_CONT: ClassVar[int] = 0x0
    OPCODE_TEXT: ClassVar[int] = 0x1
    OPCODE_BINARY: ClassVar[int] = 0x2
    OPCODE_CLOSE: ClassVar[int] = 0x8
    OPCODE_PING: ClassVar[int] = 0x9
    OPCODE_PONG: ClassVar[int] = 0xA

    def __init__(self, raw_bytes: bytes | bytearray, payload: bytes | None = None) -> None:
        self._raw_bytes = bytearray(raw_bytes)
        header, length = _header(self._raw_bytes)
        data = bytes(self._raw_bytes[header : header + length]) if payload is None else payload
        if self._raw_bytes[1] & 0x80 and payload is None:
            data = mask(bytes(self._raw_bytes[header - 4 : header]), data)
        self.data: bytes = data
        self.fin_bit: int = self._raw_bytes[0] >> 7
        self.opcode: int = self._raw_bytes[0] & 0xF
        self.payload_length_indicator: int = self._raw_bytes[1] & 0x7F

    @property
    def frame(self) -> bytearray:
        """The frame as it goes over the connection."""
        return self._raw_bytes

    @property
    def payload(self) -> str:
        """The payload as text; bytes that are no UTF-8 become U+FFFD."""
        return self.data.decode(errors="replace")

    def __str__(self) -> str:
        return self.payload

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.data[:60]!r}>"


class _Made(Frame):
    """A frame of one kind, from its bytes or from its payload."""

    OPCODE: ClassVar[int]
    MASKED: ClassVar[bool] = True

    def __init__(
        self,
        raw_bytes: bytes | bytearray | None = None,
        payload: str | bytes = "",
        mask_payload: bool | None = None,
    ) -> None:
        masked = self.MASKED if mask_payload is None else mask_payload
        super().__init__(raw_bytes or FrameFactory.generate_bytes(payload, 1, self.OPCODE, masked))


class Continuation(_Made):
    """A further fragment of a message."""

    OPCODE = Frame.OPCODE_CONT


class Text(_Made):
    """A message as text."""

    OPCODE = Frame.OPCODE_TEXT


class Binary(_Made):
    """A message as bytes."""

    OPCODE = Frame.OPCODE_BINARY


class Ping(_Made):
    """A ping. Clients must mask theirs: ``mask_payload=True``."""

    OPCODE = Frame.OPCODE_PING
    MASKED: ClassVar[bool] = False


class Pong(_Made):
    """The answer to a ping, with the same payload."""

    OPCODE = Frame.OPCODE_PONG


class Close(_Made):
    """The end of the connection. Clients must mask theirs: ``mask_payload=True``."""

    OPCODE = Frame.OPCODE_CLOSE
    MASKED: ClassVar[bool] = False

    @property
    def payload(self) -> str:
        """The reason as text, without the code before it."""
        return self.data[2:].decode(errors="replace")

    @property
    def code(self) -> int | None:
        """The status code, if there is one."""
        return int.from_bytes(self.data[:2], "big") if len(self.data) > 1 else None


_KINDS: dict[int, type[_Made]] = {
    kind.OPCODE: kind for kind in (Continuation, Text, Binary, Close, Ping, Pong)
}


class FrameFactory:
    """Makes frames of bytes, and bytes of what frames consist of."""

    @classmethod
    def from_bytes(cls, buffered_bytes: bytes | bytearray) -> Frame:
        """The frame that ``buffered_bytes`` are.

        Raises:
            IncompleteFrameError: there are ``required_bytes`` more.
            WebsocktProtocolError: it is no frame, or its payload is longer than ``PAYLOAD_MAX``.
        """
        header, length = _header(buffered_bytes)
        if missing := header + length - len(buffered_bytes):
            if missing < 0:
                raise WebsocktProtocolError(f"{-missing} bytes behind the end of a frame")
            raise IncompleteFrameError(required_bytes=missing)
        return _KINDS[buffered_bytes[0] & 0xF](raw_bytes=buffered_bytes)

    @classmethod
    def generate_mask(cls, mask_key: bytes, data: str | bytes | None) -> bytes:
        """``data`` under a mask of four bytes."""
        return mask(mask_key, _as_bytes(data))

    @classmethod
    def generate_bytes(
        cls, payload: str | bytes, fin_bit: int, opcode: int, mask_payload: bool
    ) -> bytearray:
        """A frame's bytes."""
        data = _as_bytes(payload)
        frame = bytearray([fin_bit << 7 | opcode])
        masked = 0x80 if mask_payload else 0
        if len(data) < 126:
            frame.append(masked | len(data))
        elif len(data) < 1 << 16:
            frame += struct.pack("!BH", masked | 126, len(data))
        else:
            frame += struct.pack("!BQ", masked | 127, len(data))
        if mask_payload:
            key = os.urandom(4)
            return frame + key + mask(key, data)
        return frame + data


def _header(frame: bytes | bytearray) -> tuple[int, int]:
    """How long a frame's header is, and how long its payload."""
    if len(frame) < 2:
        raise IncompleteFrameError(required_bytes=2 - len(frame))
    if frame[0] & 0x70 or frame[0] & 0xF not in _KINDS:
        raise WebsocktProtocolError(f"no frame begins with 0x{frame[0]:02x}")
    indicator = frame[1] & 0x7F
    extended = {126: 2, 127: 8}.get(indicator, 0)
    header = 2 + extended + (4 if frame[1] & 0x80 else 0)
    if len(frame) < header:
        raise IncompleteFrameError(required_bytes=header - len(frame))
    length = int.from_bytes(frame[2 : 2 + extended], "big") if extended else indicator
    if length > PAYLOAD_MAX:
        raise WebsocktProtocolError(f"a frame of {length} bytes is too long")
    return header, length


def mask(key: bytes, data: bytes) -> bytes:
    """``data`` under a mask of four bytes, and from under it."""
    repeated = (key * (len(data) // 4 + 1))[: len(data)]
    masked = int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")
    return masked.to_bytes(len(data), "big")


def _as_bytes(data: str | bytes | None) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data or b"")
