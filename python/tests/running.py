"""``wampy run`` as a process of its own, in a directory with an app, for the tests of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

SERVICE = """
import threading, time
import wampy
from wampy import callee, subscribe

class DateService(wampy.Client):
    @callee(name="com.example.version")
    def version(self):
        return 1

    @callee(name="com.example.slow")
    def slow(self, seconds):
        self.publish("com.example.entered")
        time.sleep(seconds)
        return "done"

class Greeter(wampy.Client):
    @callee(name="com.example.greet")
    def greet(self, name):
        return f"hello, {name}"

    @subscribe(topic="com.example.news")
    def news(self, item):
        self.publish("com.example.heard", item)

class NoClient:
    pass

class Picky(wampy.Client):
    def __init__(self):
        super().__init__()

class Failing(wampy.Client):
    def __init__(self, *args, **kwargs):
        raise RuntimeError("on purpose")
"""

ALLOWED = ("call", "register", "publish", "subscribe")


class Command:
    """A ``wampy run`` as a process of its own, whose standard error is read as it comes."""

    def __init__(self, directory, arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wampy", "run", *arguments],
            cwd=directory,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._lines = []
        self._is_over = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    @property
    def text(self):
        with self._changed:
            return "".join(self._lines)

    def says(self, words, times=1, timeout=30):
        """Wait until the command has said so."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._times(words) >= times, timeout)
            assert self._times(words) >= times, "".join(self._lines)

    def _times(self, words):
        return sum(words in line for line in self._lines)

    def ends(self, timeout=30):
        """Wait for its end; returns the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def tell(self, number=signal.SIGTERM):
        self.process.send_signal(number)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "date_service.py").write_text(SERVICE)
    return tmp_path


@pytest.fixture
def command(directory):
    commands = []

    def run(*arguments):
        commands.append(Command(directory, arguments))
        return commands[-1]

    yield run
    for started in commands:
        if started.process.poll() is None:
            started.tell()
            try:
                started.process.wait(15)
            except subprocess.TimeoutExpired:
                started.process.kill()
                started.process.wait()


@pytest.fixture
def free_port():
    """A port that refuses connections, until whoever was told it listens there.

    Nobody else gets it by chance meanwhile: neither another program nor an outgoing connection, not
    even one to the port itself, which would then have itself as its peer.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def crossbar(port, realm="realm1", **transport):
    endpoint = {"type": "tcp", "port": port, "interface": "127.0.0.1"}
    transports = [{"type": "websocket", "endpoint": endpoint, **transport}]
    permission = {"uri": "", "match": "prefix", "allow": dict.fromkeys(ALLOWED, True)}
    realms = [{"name": realm, "roles": [{"name": "anonymous", "permissions": [permission]}]}]
    worker = {"type": "router", "realms": realms, "transports": transports}
    return json.dumps({"version": 2, "workers": [worker]})
