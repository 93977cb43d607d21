"""A connection that can be lost on purpose, patience with that, and a service that loses it."""

import contextlib
import socket
import threading

import pytest

import wampy
from wampy.roles.callee import callee
from wampy.roles.subscriber import subscribe

FAST = wampy.Reconnect(delay_min=0.01, delay_max=0.1)

ROUTER = """
import sys, time, wampy
for _ in range(200):
    try:
        router = wampy.Router(port=int(sys.argv[1]), realm=sys.argv[2]).start()
        break
    except wampy.errors.ConnectionError:
        time.sleep(0.05)
print(router.port, flush=True)
sys.stdin.read()
"""


class Proxy:
    """A TCP proxy whose connections can be cut on the side of the client, or on both."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs = []
        self._open = threading.Event()
        self._open.set()
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def cut(self, router_too=True):
        """Cut all connections; the router's side only if asked for."""
        for client, server in self._pairs:
            for end in (client, server)[: 2 if router_too else 1]:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        if router_too:
            self._pairs.clear()

    def refuse(self):
        """Cut, and let nobody through."""
        self._open.clear()
        self.cut()

    def admit(self):
        """Let everybody through again."""
        self._open.set()

    def close(self):
        """Let nothing listen any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


@pytest.fixture
def proxy_class():
    """What stands between the clients and the router; a file of tests may have another."""
    return Proxy


@pytest.fixture
def proxy(router, proxy_class):
    """A proxy of the router."""
    between = proxy_class(router.port)
    yield between
    between.close()


@pytest.fixture
def connect(proxy):
    """Start clients that talk to the router by way of the proxy."""
    clients = []

    def build(cls=wampy.Client, **arguments):
        client = cls(**{"url": proxy.url, "call_timeout": 20, "reconnect": FAST, **arguments})
        clients.append(client)
        client.start()
        return client

    yield build
    for client in clients:
        client.stop()


@pytest.fixture
def serve(python, free_port):
    """Run a router as a process of its own, always at the same port."""

    def run(realm="realm1"):
        process = python(ROUTER, str(free_port), realm)
        assert process.stdout.readline() == f"{free_port}\n"
        return process

    return run


class Service(wampy.Client):
    """Adds, and listens, and keeps count of its connections."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = []
        self.told = []
        self.entered = threading.Event()
        self.release = threading.Event()

    @callee(name="com.example.add")
    def add(self, a, b):
        return a + b

    @callee(name="com.example.wait")
    def wait(self):
        self.entered.set()
        assert self.release.wait(20)
        return "waited"

    @callee(name="com.example.who", details=True)
    def who(self, details):
        """Say which procedure this is."""
        return details["procedure"]

    @subscribe(topic="com.example.news")
    def first(self, item):
        self.seen.append(("first", item))

    @subscribe(topic="com.example.news")
    def second(self, item):
        self.seen.append(("second", item))

    def on_connection_lost(self, reason):
        self.told.append(("lost", reason))

    def on_reconnected(self):
        self.told.append(("back", self.session.id))

    def on_given_up(self, reason):
        self.told.append(("given up", reason))


def names(told):
    """What a service was told, without details."""
    return [name for name, _ in told]


def wampy_threads(name):
    """The threads of a client."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"wampy-{name}")]
