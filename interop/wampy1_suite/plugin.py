"""A pytest plugin for the test suite of wampy 1.1.0: its router, and the tests that cannot pass.

The suite comes from PyPI, see `interop/setup`; `interop/test_wampy1_suite.py` runs it. The router
is `wampy.peers.routers.Crossbar` with the node configurations beside this file: ours, or with
`WAMPY1_SUITE_ROUTER=crossbar` Crossbar.io. Absent: a new router for every test, which the suite's
own fixture starts.
"""

import fcntl
import os
import pathlib
import tempfile
import time

import pytest

from wampy.peers.routers import Crossbar

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
    return running.configured_by(pathlib.Path(config_path).stem.removesuffix(".config"))


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
        self._router = None
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
        command = os.environ["CROSSBAR"] if ROUTER == "crossbar" else None
        self._router = Crossbar(
            url=self.url,
            config_path=HERE / f"{name}.json",
            crossbar_directory=tempfile.mkdtemp(),
            command=command,
        )
        self._router.start()
        self._name = name

    def _stop(self):
        if self._router is not None:
            self._router.stop()
            self._router = self._name = None
