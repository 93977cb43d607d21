"""A pytest plugin for the test suite of wampy 1.1.0: its router, and the tests that cannot pass.

The suite comes from PyPI, see `interop/setup`; `interop/test_wampy1_suite.py` runs it. The router
is ours, or Crossbar.io with `WAMPY1_SUITE_ROUTER=crossbar`, each in a process of its own and
configured by the files beside this one. Absent: the suite's own `Crossbar`, which starts a
Crossbar.io anew for every test.
"""

import contextlib
import fcntl
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PORT = 8080
PATIENCE_S = 60
ROUTER = os.environ.get("WAMPY1_SUITE_ROUTER", "wampy")

if os.environ.get("WAMPY1_SUITE_PATCHED"):
    # wampy 1 did so at its import.
    import wampy

    wampy.configure_async()


class Deselected:
    """A row of `deselected.tsv`: a test, the routers with which it cannot pass, and why."""

    def __init__(self, line):
        self.name, routers, self.reason = line.split("\t")
        self.routers = routers.split(",")


def deselected():
    lines = (HERE / "deselected.tsv").read_text(encoding="utf-8").splitlines()
    return [Deselected(line) for line in lines if line and not line.startswith("#")]


def pytest_collection_modifyitems(config, items):
    """Leave out what cannot pass; a row that names no test is a mistake."""
    names = {item.nodeid for item in items}
    files = {name.partition("::")[0] for name in names}
    rows = [row for row in deselected() if ROUTER in row.routers]
    # PyPI has not all files of the suite.
    rows = [row for row in rows if row.name.partition("::")[0] in files]
    unknown = [row.name for row in rows if row.name not in names]
    if unknown:
        raise pytest.UsageError(f"deselected.tsv names tests that are not there: {unknown}")
    left_out = {row.name for row in rows}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
    items[:] = [item for item in items if item.nodeid not in left_out]


@pytest.fixture(scope="session")
def running():
    """The router that runs, which changes only with its configuration."""
    with RunningRouter() as router:
        yield router


@pytest.fixture
def router(running, config_path):
    """A router configured as the test says, where all tests look for one."""
    return running.configured_by(pathlib.Path(config_path).stem)


@pytest.fixture(autouse=True)
def environment():
    """What a test sets in the environment is gone after it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


class RunningRouter:
    """One router at a time, on the port that the suite names."""

    url = f"ws://localhost:{PORT}"

    def __init__(self):
        self._name = None
        self._process = None
        lock = pathlib.Path(tempfile.gettempdir(), f"wampy-tests-port-{PORT}.lock")
        self._lock = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o666)

    def __enter__(self):
        # Other tests that need this port take the same lock.
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                assert time.monotonic() < deadline, f"another test run owns port {PORT}"
                time.sleep(0.1)
            else:
                return self

    def __exit__(self, *_):
        self._stop()
        os.close(self._lock)

    def configured_by(self, name):
        if name != self._name:
            self._stop()
            self._start(name)
        return self

    def _start(self, name):
        if ROUTER == "crossbar":
            command = [os.environ["CROSSBAR"], "start", "--cbdir", tempfile.mkdtemp()]
            command += ["--config", str(HERE / f"{name}.json"), "--loglevel", "warn"]
        else:
            command = [sys.executable, "-m", "wampy", "router", "--config"]
            command.append(str(HERE / f"{name}.toml"))
        self._process = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + PATIENCE_S
        while not is_listening():
            assert self._process.poll() is None, "the router ended at once"
            assert time.monotonic() < deadline, f"nothing listens on port {PORT}"
            time.sleep(0.05)
        self._name = name

    def _stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = self._name = None


def is_listening():
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 1):
        return True
    return False
