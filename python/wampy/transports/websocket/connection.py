"""``WebSocket``: a blocking WebSocket connection, with its subprotocol ``wamp.2.json``.

It sends lists as JSON text and receives frames, whatever they mean. What is absent: WAMP sessions,
and other serializers; ``wampy.Client`` has both.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import hashlib
import logging
import os
import queue
import socket
import ssl
import threading
from typing import Any

from wampy.config.defaults import heartbeat, heartbeat_timeout
from wampy.constants import (
    WEBSOCKET_SUBPROTOCOLS,
    WEBSOCKET_SUCCESS_STATUS,
    WEBSOCKET_VERSION,
)
from wampy.errors import (
    ConfigurationError,
    ConnectionError,
    ConnectionRefusedError,
    IncompleteFrameError,
    NoFrameReturnedError,
    WebsocktProtocolError,
)
from wampy.interfaces import Transport
from wampy.mixins import ParseUrlMixin
from wampy.serializers import json_serialize
from wampy.transports.websocket.frames import (
    PAYLOAD_MAX,
    Close,
    Frame,
    FrameFactory,
    Ping,
    Pong,
    Text,
)

__all__ = ["SecureWebSocket", "WebSocket"]

logger: logging.Logger = logging.getLogger(__name__)

#: How long connecting and the handshake may take each, in seconds.
HANDSHAKE_TIMEOUT = 5
#: The longest answer to the handshake, in bytes.
HANDSHAKE_MAX = 16 << 10
#: What the server appends to a key before it hashes it (RFC 6455, section 1.3).
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket(Transport, ParseUrlMixin):
    """A connection to ``server_url``, made by ``connect``.

    Args:
        server_url: ``ws://host[:port][path]``.
        ipv: 4 or 6, the version of the Internet Protocol.

    Attributes:
        socket: the socket, None before ``connect``.
        connected: whether the handshake is done, and nobody has closed the connection.
        status: the status of the server's answer to the handshake.
        headers: its headers, by their names in lower case.
        missed_pongs: how many pings the server did not answer in time.
        is_pinging: whether pings are sent.
    """

    def __init__(self, server_url: str, ipv: int = 4) -> None:
        self.url: str = server_url
        self.ipv = ipv
        self.parse_url()
        if ipv not in (4, 6):
            raise ConfigurationError(f"unknown IPV: {ipv!r}; 4 and 6 are known")
        self.websocket_location: str | None = self.resource
        self.key: str = base64.b64encode(os.urandom(16)).decode()
        self.socket: socket.socket | None = None
        self.connected: bool = False
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.pongs: queue.SimpleQueue[Pong] = queue.SimpleQueue()
        self.missed_pongs: int = 0
        self.is_pinging: bool = False
        self._stop_pinging = threading.Event()
        # Pings and pongs go out from other threads than messages.
        self._sending = threading.Lock()

    def connect(self, upgrade: bool = True) -> WebSocket:
        """Connect and do the handshake; without ``upgrade`` it names no subprotocol.

        Raises:
            ConnectionRefusedError: nothing listens there.
            ConnectionError: there is no such host, no answer, or one that is not the wanted one.
        """
        try:
            self._connect()
            self._handshake(upgrade)
        except OSError as error:
            self.disconnect()
            refused = isinstance(error, builtins.ConnectionRefusedError)
            failure = ConnectionRefusedError if refused else ConnectionError
            raise failure(f"{self.url}: {error}") from error
        self.connected = True
        if heartbeat > 0:
            self.start_pinging()
        return self

    def disconnect(self) -> None:
        """Close the connection; a closed one stays as it is."""
        self.stop_pinging()
        self.connected = False
        if self.socket is not None:
            # It may be connected no more.
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()

    def send(self, message: Any) -> None:
        """Send a message, a list, as JSON.

        Raises:
            WampProtocolError: something in it has no JSON form.
            ConnectionError: the connection is broken, or was never made.
        """
        self._send_raw(Text(payload=json_serialize(message)).frame)

    def receive(self, bufsize: int = 1) -> Frame:
        """Wait for a message or for the end; pings are answered and pongs noted on the way.

        Args:
            bufsize: has no meaning any more; what a frame needs is read.

        Returns:
            a frame of the whole message, or the ``Close`` that ended the connection.

        Raises:
            NoFrameReturnedError: the connection ended without one.
            ConnectionError: the connection broke, or was never made.
            WebsocktProtocolError: the server sent what is no WebSocket frame.
        """
        parts: list[Frame] = []
        while True:
            frame = self._read_frame()
            if frame.opcode == Frame.OPCODE_PING:
                self.handle_ping(ping_frame=frame)
            elif frame.opcode == Frame.OPCODE_PONG:
                self.handle_pong(pong_frame=frame)
            elif frame.opcode == Frame.OPCODE_CLOSE:
                self.handle_close(close_frame=frame)
                return frame
            else:
                parts.append(frame)
                if sum(len(part.data) for part in parts) > PAYLOAD_MAX:
                    raise WebsocktProtocolError("the fragments of a message are too long together")
                if frame.fin_bit:
                    return _joined(parts)

    def handle_ping(self, ping_frame: Frame) -> None:
        """Answer a ping."""
        self._send_raw(Pong(payload=ping_frame.data).frame)

    def handle_pong(self, pong_frame: Frame) -> None:
        """Note a pong."""
        if isinstance(pong_frame, Pong):
            self.pongs.put(pong_frame)

    def handle_close(self, close_frame: Frame) -> None:
        """Close the connection that the server has closed, after an answer to that."""
        logger.warning("server closed connection: %s", close_frame.payload)
        with contextlib.suppress(ConnectionError):
            self._send_raw(Close(payload=close_frame.data, mask_payload=True).frame)
        self.disconnect()

    def start_pinging(self) -> None:
        """Send pings from a thread, as often as ``WEBSOCKET_HEARTBEAT`` says, else every 30 s.

        Pongs are noticed while somebody is in ``receive``.
        """
        if not self.is_pinging:
            self.is_pinging = True
            self._stop_pinging = threading.Event()
            threading.Thread(target=self._ping, args=(self._stop_pinging,), daemon=True).start()

    def stop_pinging(self) -> None:
        """Send no more pings."""
        self.is_pinging = False
        self._stop_pinging.set()

    def _ping(self, stopped: threading.Event) -> None:
        number = 0
        while not stopped.wait(heartbeat or 30):
            number += 1
            payload = f"wampy::{number}".encode()
            try:
                self._send_raw(Ping(payload=payload, mask_payload=True).frame)
                while self.pongs.get(timeout=heartbeat_timeout).data != payload:
                    pass
            except queue.Empty:
                self.missed_pongs += 1
            except ConnectionError:
                # Whoever receives learns of it.
                return

    # The socket

    def _open(self) -> socket.socket:
        family = socket.AF_INET if self.ipv == 4 else socket.AF_INET6
        kind = socket.SOCK_STREAM
        found = socket.getaddrinfo(self.host, self.port, family, kind)
        opened = socket.socket(family, kind)
        try:
            opened.settimeout(HANDSHAKE_TIMEOUT)
            opened.connect(found[0][4])
        except BaseException:
            opened.close()
            raise
        return opened

    def _connect(self) -> None:
        self.socket = self._open()

    def _handshake(self, upgrade: bool) -> None:
        lines = self._get_handshake_headers(upgrade=upgrade)
        connection = self._connection()
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.status, self.headers = self._read_handshake_response()
        if self.status != WEBSOCKET_SUCCESS_STATUS:
            raise OSError(f"the server answered the handshake with status {self.status}")
        expected = base64.b64encode(hashlib.sha1((self.key + _GUID).encode()).digest()).decode()
        if self.headers.get("sec-websocket-accept") != expected:
            raise OSError("the server's answer to the handshake is none to this one")
        connection.settimeout(None)

    def _get_handshake_headers(self, upgrade: bool) -> list[str]:
        """The lines of the handshake."""
        lines = [
            f"GET {self.websocket_location} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self.key}",
            f"Origin: ws://{self.host}:{self.port}",
            f"Sec-WebSocket-Version: {WEBSOCKET_VERSION}",
        ]
        if upgrade:
            lines.append(f"Sec-WebSocket-Protocol: {WEBSOCKET_SUBPROTOCOLS}")
        return lines

    def _read_handshake_response(self) -> tuple[int, dict[str, str]]:
        answer = bytearray()
        while not answer.endswith(b"\r\n\r\n"):
            # One by one: what follows is the first frame's.
            byte = self._connection().recv(1)
            if not byte or len(answer) >= HANDSHAKE_MAX:
                raise OSError("the server's answer to the handshake does not end")
            answer += byte
        first, *lines = answer.decode("latin-1").strip().split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[1].isdecimal():
            raise OSError(f"the server's answer to the handshake is no HTTP: {first!r}")
        pairs = (line.partition(":") for line in lines)
        return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _connection(self) -> socket.socket:
        if self.socket is None:
            raise ConnectionError(f"there is no connection to {self.url}: connect() makes it")
        return self.socket

    def _send_raw(self, websocket_message: bytes | bytearray) -> None:
        connection = self._connection()
        try:
            with self._sending:
                connection.sendall(websocket_message)
        except OSError as error:
            raise ConnectionError(f"the connection to {self.url} is lost: {error}") from error

    def _read_frame(self) -> Frame:
        connection = self._connection()
        received = bytearray()
        while True:
            try:
                return FrameFactory.from_bytes(received)
            except IncompleteFrameError as incomplete:
                required = min(incomplete.required_bytes, 1 << 20)
            try:
                read = connection.recv(required)
            except OSError as error:
                if not self.connected:
                    raise NoFrameReturnedError(f"{self.url} is disconnected") from error
                raise ConnectionError(f"the connection to {self.url} is lost: {error}") from error
            if not read:
                self.disconnect()
                raise NoFrameReturnedError(f"{self.url} closed the connection")
            received += read


class SecureWebSocket(WebSocket):
    """A WebSocket over TLS.

    Args:
        server_url: ``wss://host[:port][path]``.
        certificate_path: a PEM file of the authorities that may have signed the server's
            certificate; None for those that the system trusts.
        ipv: 4 or 6, the version of the Internet Protocol.
    """

    def __init__(self, server_url: str, certificate_path: str | None, ipv: int = 4) -> None:
        super().__init__(server_url, ipv)
        self.certificate = certificate_path

    def _connect(self) -> None:
        context = ssl.create_default_context(cafile=self.certificate)
        self.socket: socket.socket | None = context.wrap_socket(
            self._open(), server_hostname=self.host
        )


def _joined(parts: list[Frame]) -> Frame:
    """The message whose fragments ``parts`` are, as one frame."""
    if len(parts) == 1:
        return parts[0]
    data = b"".join(part.data for part in parts)
    return FrameFactory.from_bytes(FrameFactory.generate_bytes(data, 1, parts[0].opcode, False))
