"""``WEBSOCKET_HEARTBEAT``: a silent router is noticed, and one that answers is kept."""

import contextlib
import socket
import threading

import pytest

from wampy import joining


class Relay:
    """Stands between a client and a router, and can keep back what the router says."""

    def __init__(self, port):
        self._router_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        self.is_mute = False
        self._sockets = [self._listener]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        client, _ = self._listener.accept()
        router = socket.create_connection(("127.0.0.1", self._router_port))
        self._sockets += [client, router]
        threading.Thread(target=self._copy, args=(router, client, True), daemon=True).start()
        self._copy(client, router, False)

    def _copy(self, source, target, may_be_mute):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not (may_be_mute and self.is_mute):
                    target.sendall(data)

    def close(self):
        for opened in self._sockets:
            opened.close()


@pytest.fixture
def relay(router):
    """A relay to ``router``."""
    running = Relay(router.port)
    yield running
    running.close()


def test_a_silent_router_is_noticed(monkeypatch, relay, make, until):
    monkeypatch.setattr(joining, "heartbeat", 0.02)
    monkeypatch.setattr(joining, "heartbeat_timeout", 0.02)
    client = make(router=None, url=relay.url, reconnect=False)
    client.start()
    relay.is_mute = True
    until(lambda: not client.session.is_open)
    assert not client.is_pinging


def test_a_router_that_answers_is_not_lost(monkeypatch, relay, make):
    monkeypatch.setattr(joining, "heartbeat", 0.01)
    monkeypatch.setattr(joining, "heartbeat_timeout", 15)
    client = make(router=None, url=relay.url, reconnect=False)
    client.start()
    pause = threading.Event()
    for _ in range(5):
        # Many heartbeats, in which nothing else is said.
        pause.wait(0.1)
        assert client.call("wamp.session.count") == 1
    assert client.is_pinging
