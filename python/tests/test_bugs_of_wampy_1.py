"""The bugs that wampy 1.1.0 had, each with a test that fails if it comes back."""

import base64
import hashlib
import json
import socket
import subprocess
import sys
import threading

import pytest

from wampy import errors
from wampy.peers import Client
from wampy.roles.callee import callee
from wampy.roles.subscriber import subscribe


class Echo(Client):
    @callee
    def echo(self, value):
        return value


def test_many_clients_in_one_process_get_their_own_answers(start):
    """All clients shared one queue and took each other's answers."""
    start(Echo)
    clients = [start() for _ in range(20)]
    wrong = []

    def work(number, client):
        for step in range(25):
            if client.rpc.echo([number, step]) != [number, step]:
                wrong.append((number, step))

    threads = [threading.Thread(target=work, args=item) for item in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len({client.session.id for client in clients}) == 20


@pytest.mark.parametrize(
    "size", [125, 126, 32767, 32768, 40000, 65400, 65535, 65536, 70000, 1 << 20]
)
@pytest.mark.parametrize("scheme", ["ws", "rs"])
def test_messages_of_every_size(router, start, scheme, size):
    """Inbound frames of 32,768 to 65,535 bytes ended the listener."""
    start(Echo)
    text = (hashlib.sha256(str(size).encode()).hexdigest() * (size // 64 + 1))[:size]
    with Client(url=f"{scheme}://localhost:{router.port}", call_timeout=30) as caller:
        assert caller.rpc.echo(text) == text
        assert caller.rpc.echo(text.encode()) == text.encode()
        assert caller.rpc.echo("still there") == "still there"


def test_a_subscriber_without_keywords_gets_no_meta(start, seen):
    """A handler that did not take ``meta`` ended the listener, silently."""

    class Listener(Client):
        @subscribe(topic="com.weather")
        def on_weather(self, weather):
            seen.add(weather)

    start(Listener)
    publisher = start()
    for weather in ("sunny", "rainy"):
        publisher.publish(topic="com.weather", weather=weather)
    assert seen.take(2) == ["sunny", "rainy"]


def test_an_event_handler_that_fails_does_not_end_the_client(start, seen):
    class Listener(Client):
        @subscribe(topic="com.weather")
        def on_weather(self, weather):
            seen.add(weather)
            raise RuntimeError(weather)

    listener = start(Listener)
    publisher = start()
    for weather in ("sunny", "rainy"):
        publisher.publish(topic="com.weather", weather=weather)
    assert seen.take(2) == ["sunny", "rainy"]
    assert listener.session.is_open


def test_a_call_from_inside_a_procedure(start):
    """It timed out, and the caller got the result of the inner call."""

    class Outer(Client):
        @callee
        def outer(self):
            return ["outer", self.rpc.echo("inner")]

    start(Echo)
    start(Outer)
    assert start().rpc.outer() == ["outer", "inner"]


def test_a_failing_procedure_is_answered_once(start):
    """The caller got an ERROR and then a RESULT, which confused its next request."""

    class Failing(Client):
        @callee
        def fail(self):
            raise ValueError("no")

    start(Failing)
    start(Echo)
    caller = start()
    for number in range(10):
        with pytest.raises(errors.RemoteError) as caught:
            caller.rpc.fail()
        assert caught.value.kwargs["exc_type"] == "ValueError"
        assert caller.rpc.echo(number) == number


def test_a_duplicate_registration_fails_the_client_that_made_it(start, make):
    """The error was consumed by the next client that started."""
    start(Echo)
    second = make(Echo)
    with pytest.raises(errors.ProcedureAlreadyExistsError):
        second.start()
    third = start()
    assert third.rpc.echo(3) == 3


def test_call_raises_instead_of_returning_an_error_object(start):
    with pytest.raises(errors.ProcedureNotFoundError):
        start().call("no.such.procedure")


def test_a_client_starts_again(start):
    client = start(Echo)
    client.stop()
    client.start()
    assert client.rpc.echo(1) == 1


def test_installing_wampy_breaks_no_suite(tmp_path):
    """The pytest plugin of the package needed packages that it did not install."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "--collect-only"],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
    )
    assert "no tests collected" in done.stdout
    assert (done.returncode, done.stderr) == (5, "")


PINGS = [b"", b"\x07", b"ascii", b"\xff\xfe\x00\x80", bytes(range(125))]


class PingingRouter(threading.Thread):
    """Welcomes one client over WebSocket-JSON, and pings it before it answers its first call."""

    def __init__(self):
        super().__init__()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        self.pongs = []

    def run(self):
        connection, _ = self.listener.accept()
        with self.listener, connection, connection.makefile("rb") as stream:
            headers = {}
            while (line := stream.readline().decode().strip()) or not headers:
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            connection.sendall(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n"
                "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n".encode()
            )
            while (frame := self.read(stream)) is not None:
                self.answer(connection, *frame)

    def read(self, stream):
        head = stream.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return None
        length = head[1] & 127
        if length == 126:
            length = int.from_bytes(stream.read(2), "big")
        mask = stream.read(4)
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(stream.read(length)))
        return head[0] & 15, payload

    def answer(self, connection, opcode, payload):
        def send(code, data):
            connection.sendall(bytes([128 | code, len(data)]) + data)

        if opcode == 10:
            self.pongs.append(payload)
            return
        code, *fields = json.loads(payload)
        if code == 1:
            send(1, b'[2,7,{"roles":{"broker":{},"dealer":{}}}]')
        elif code == 48:
            for ping in PINGS:
                send(9, ping)
            send(1, json.dumps([50, fields[0], {}, ["answer"]]).encode())
        elif code == 6:
            send(1, b'[6,{},"wamp.close.goodbye_and_out"]')


def test_pings_of_every_kind_are_answered():
    """A ping whose payload was no text made the client deaf; one of a single byte hung it."""
    router = PingingRouter()
    router.start()
    with Client(url=router.url) as client:
        assert client.session.id == 7
        assert client.call("com.x") == "answer"
        assert client.call("com.x") == "answer"
    router.join(20)
    assert router.pongs == PINGS * 2


def test_long_strings_and_bytes(start):
    start(Echo)
    caller = start()
    for length in (1, 300, 3000, 300_000):
        value = {"text": "ä" * length, "bytes": bytes(range(256)) * (length // 256 + 1)}
        assert caller.rpc.echo(value) == value
