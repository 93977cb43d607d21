"""What most tests share: a router of their own on a free port, and clients that are stopped."""

import subprocess
import sys
import threading
import time

import pytest
from certificates import make_certificate
from greenlet_programs import forever, program  # noqa: F401 - fixtures
from loops import on_loop  # noqa: F401 - a fixture
from lossy import connect, proxy, proxy_class, serve  # noqa: F401 - fixtures
from running import command, directory, free_port  # noqa: F401 - fixtures

import wampy

#: What each program begins with. Where the tests themselves ignore Ctrl-C, as what a shell starts
#: in the background does, their children would inherit that, and Python would leave it so. By the
#: module that is always there, so that programs can look at what they import.
HEED_CTRL_C = (
    "import _signal; _signal.signal(_signal.SIGINT, _signal.default_int_handler); del _signal\n"
)


@pytest.fixture
def router():
    """A router in this process, new for every test."""
    with wampy.Router() as running:
        yield running


@pytest.fixture
def certificate(tmp_path):
    """The files of a certificate of localhost and of its key."""
    return make_certificate(tmp_path)


@pytest.fixture
def make(router):
    """Build clients of a class that talk to ``router``; all are stopped after the test."""
    clients = []

    def build(cls=wampy.Client, **arguments):
        client = cls(**{"router": router, "call_timeout": 20, **arguments})
        clients.append(client)
        return client

    yield build
    for client in clients:
        client.stop()


@pytest.fixture
def start(make):
    """Build clients as ``make`` does, and start them."""

    def build(cls=wampy.Client, **arguments):
        client = make(cls, **arguments)
        client.start()
        return client

    return build


class Collector:
    """Collects what handlers saw, for a test that waits for it."""

    def __init__(self):
        self._items = []
        self._changed = threading.Condition()

    def add(self, item):
        """Add one item, from any thread."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def take(self, count, timeout=20):
        """Wait for ``count`` items and return all that there are."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._items) >= count, timeout), self._items
            return list(self._items)


@pytest.fixture
def seen():
    """A new ``Collector``."""
    return Collector()


@pytest.fixture
def until():
    """Wait for a condition."""

    def wait(condition, timeout=20):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition never became true"
            time.sleep(0.005)

    return wait


@pytest.fixture
def python():
    """Start a Python program as a process of its own; none outlives the test."""
    processes = []

    def run(code, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", HEED_CTRL_C + code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
