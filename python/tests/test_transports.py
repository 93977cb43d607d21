"""``wampy.transports``, its frames, and the modules that it stands on."""

import json
import socket
import threading

import pytest

import wampy
from wampy import errors
from wampy.mixins import ParseUrlMixin
from wampy.serializers import json_serialize
from wampy.transports import SecureWebSocket, WebSocket
from wampy.transports.websocket import connection as connection_module
from wampy.transports.websocket.frames import (
    Close,
    Continuation,
    Frame,
    FrameFactory,
    Ping,
    Pong,
    Text,
)

HELLO = [1, "realm1", {"roles": {"caller": {}}}]


@pytest.fixture
def websocket(router):
    """A connection to our router."""
    opened = WebSocket(server_url=router.url)
    yield opened
    opened.disconnect()


def test_a_session_by_hand(websocket):
    assert not websocket.connected
    assert websocket.connect() is websocket
    assert websocket.connected
    assert websocket.status == 101
    assert websocket.headers["sec-websocket-protocol"] == "wamp.2.json"
    websocket.send(HELLO)
    assert json.loads(websocket.receive().payload)[0] == 2
    websocket.send([48, 1, {}, "wamp.session.count"])
    assert json.loads(websocket.receive().payload) == [50, 1, {}, [1]]
    websocket.send([6, {}, "wamp.close.close_realm"])
    assert json.loads(websocket.receive().payload)[0] == 6


def test_the_handshake():
    opened = WebSocket(server_url="ws://example.com/path?a=1")
    first, *lines = opened._get_handshake_headers(upgrade=True)
    assert first == "GET /path?a=1 HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines) == {
        "Host": "example.com:8080",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": opened.key,
        "Origin": "ws://example.com:8080",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "wamp.2.json",
    }
    assert len(opened._get_handshake_headers(upgrade=False)) == len(lines)


@pytest.mark.parametrize("size", [0, 125, 126, 32768, 65535, 65536, 1 << 20])
def test_messages_of_every_size(websocket, size):
    websocket.connect()
    websocket.send(HELLO)
    websocket.receive()
    text = "ä" * (size // 2)
    websocket.send([32, 1, {}, "com.topic"])
    websocket.receive()
    websocket.send([16, 2, {"exclude_me": False}, "com.topic", [text]])
    assert json.loads(websocket.receive().payload)[4] == [text]


class Server:
    """A server of one connection, which sends what a test says."""

    def __init__(self, answer=None):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        self.client = WebSocket(server_url=self.url)
        self._answer = answer
        self.received = bytearray()
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self):
        self.socket, _ = self._listener.accept()
        self.socket.settimeout(20)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += self.socket.recv(1)
        self.socket.sendall(self._answer or self.accept_of(self.client.key))

    @staticmethod
    def accept_of(key):
        import base64
        import hashlib

        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        return (
            f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        ).encode()

    def read_frame(self):
        """The next frame that the client has sent."""
        while True:
            try:
                frame = FrameFactory.from_bytes(self.received)
            except errors.IncompleteFrameError as incomplete:
                self.received += self.socket.recv(incomplete.required_bytes)
            else:
                self.received = bytearray()
                return frame

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._accepting.join(20)
        self.client.disconnect()
        self.socket.close()
        self._listener.close()


@pytest.fixture
def server():
    """A server and a client that is connected to it."""
    with Server() as running:
        running.client.connect()
        running._accepting.join(20)
        yield running


@pytest.mark.parametrize("payload", [b"", b"1", b"\xff\xfe", b"x" * 125])
def test_pings_are_answered_whatever_they_carry(server, payload):
    server.socket.sendall(Ping(payload=payload).frame + unmasked("text"))
    assert server.client.receive().payload == "text"
    pong = server.read_frame()
    assert (type(pong), pong.data) == (Pong, payload)


def test_a_server_that_closes(server):
    server.socket.sendall(Close(payload=b"\x03\xe8bye").frame)
    frame = server.client.receive()
    assert (type(frame), frame.code, frame.payload) == (Close, 1000, "bye")
    assert not server.client.connected
    assert server.read_frame().code == 1000


def test_a_server_that_goes_away(server):
    server.socket.shutdown(socket.SHUT_RDWR)
    with pytest.raises(errors.NoFrameReturnedError, match="closed the connection"):
        server.client.receive()


def test_fragments_are_joined(server):
    parts = [
        FrameFactory.generate_bytes("one ", 0, Frame.OPCODE_TEXT, False),
        Ping(payload=b"between").frame,
        FrameFactory.generate_bytes("two ", 0, Frame.OPCODE_CONT, False),
        Continuation(payload="three", mask_payload=False).frame,
    ]
    server.socket.sendall(b"".join(parts))
    frame = server.client.receive()
    assert (type(frame), frame.payload) == (Text, "one two three")


def test_what_is_no_frame(server):
    server.socket.sendall(b"HTTP/1.1 400\r\n\r\n")
    with pytest.raises(errors.WebsocktProtocolError, match="0x48"):
        server.client.receive()


def test_a_frame_that_is_too_long(server):
    server.socket.sendall(b"\x81\x7f" + (1 << 40).to_bytes(8, "big"))
    with pytest.raises(errors.WebsocktProtocolError, match="1099511627776 bytes"):
        server.client.receive()


def test_pings_that_are_not_answered_are_counted(monkeypatch, server, until):
    monkeypatch.setattr(connection_module, "heartbeat", 0.01)
    monkeypatch.setattr(connection_module, "heartbeat_timeout", 0.01)
    server.client.start_pinging()
    assert server.client.is_pinging
    assert type(server.read_frame()) is Ping
    until(lambda: server.client.missed_pongs > 0)
    server.client.stop_pinging()
    assert not server.client.is_pinging


def test_pongs_are_noticed(monkeypatch, websocket, until):
    monkeypatch.setattr(connection_module, "heartbeat", 0.01)
    monkeypatch.setattr(connection_module, "heartbeat_timeout", 20)
    noted = []
    monkeypatch.setattr(websocket, "handle_pong", lambda pong_frame: noted.append(pong_frame.data))
    websocket.connect()
    websocket.send(HELLO)
    websocket.receive()
    with pytest.raises(errors.WampyError):
        # Returns only when the connection ends.
        threading.Thread(target=lambda: (until(lambda: noted), websocket.disconnect())).start()
        websocket.receive()
    assert noted == [b"wampy::1"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
        (b"HTTP/1.1 101 Fine\r\nSec-WebSocket-Accept: x\r\n\r\n", "none to this one"),
        (b"SSH-2.0\r\n\r\n", "no HTTP: 'SSH-2.0'"),
        (b"HTTP/1.1 101 Fine\r\n" + b"a: b\r\n" * 5000, "does not end"),
    ],
)
def test_a_handshake_that_fails(answer, complaint):
    with Server(answer) as server:
        with pytest.raises(errors.ConnectionError, match=complaint):
            server.client.connect()
        assert not server.client.connected


def test_nobody_listens():
    with pytest.raises(ConnectionRefusedError, match="ws://127"):
        WebSocket(server_url="ws://127.0.0.1:1").connect()


def test_before_it_is_connected():
    with pytest.raises(errors.ConnectionError, match=r"connect\(\) makes it"):
        WebSocket(server_url="ws://127.0.0.1:1").send([1])


def test_over_tls(certificate):
    cert, key = certificate
    with wampy.Router(tls_cert=cert, tls_key=key) as router:
        opened = SecureWebSocket(router.url, certificate_path=str(cert))
        opened.connect()
        opened.send(HELLO)
        assert json.loads(opened.receive().payload)[0] == 2
        opened.disconnect()
        with pytest.raises(errors.ConnectionError, match="certificate"):
            SecureWebSocket(router.url, certificate_path=None).connect()


def unmasked(text):
    return FrameFactory.generate_bytes(text, 1, Frame.OPCODE_TEXT, False)


# What it stands on


class Address(ParseUrlMixin):
    def __init__(self, url):
        self.url = url
        self.parse_url()

    def parts(self):
        return self.scheme, self.host, self.port, self.resource


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("ws://localhost", ("ws", "localhost", 8080, "/")),
        ("wss://example.com/ws?a=1", ("wss", "example.com", 443, "/ws?a=1")),
        ("ws://[::1]:7/", ("ws", "::1", 7, "/")),
        ("ws+unix:///run/r.sock", ("ws+unix", "localhost", None, "/")),
        (None, (None, None, None, None)),
    ],
)
def test_the_parts_of_a_url(url, parts):
    assert Address(url).parts() == parts


def test_the_path_of_a_unix_socket():
    assert Address("ws+unix:///run/r.sock").unix_socket_path == "/run/r.sock"


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://localhost", "ws://", ""])
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match="Invalid"):
        Address(url)


def test_json():
    assert json_serialize([48, 1, {}, "ä", [b"\x00"]]) == '[48,1,{},"ä",["\\u0000AA=="]]'
    with pytest.raises(errors.WampProtocolError, match="complex has no JSON form"):
        json_serialize([1j])
