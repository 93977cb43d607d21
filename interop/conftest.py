"""Routers that all interop tests share, each started once and stopped in the end.

With `--interop-router crossbar` the third-party clients meet Crossbar.io instead of our router,
which shows what in these tests is ours and what is theirs.
"""

import os
import pathlib
import subprocess

import pytest
import routers

TEST_TIMEOUT_S = 100


def pytest_addoption(parser):
    """Add `--interop-router`."""
    parser.addoption(
        "--interop-router",
        choices=["wampy", "crossbar"],
        default="wampy",
        help="the router that third-party clients meet",
    )


def pytest_collection_modifyitems(items):
    """A test that takes too long fails by an exception, so that its processes are still ended."""
    here = pathlib.Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S, method="signal"))


@pytest.fixture(scope="session")
def router(request, tmp_path_factory):
    """The router under test, as strict as it is by default."""
    directory = tmp_path_factory.mktemp("router")
    if request.config.getoption("--interop-router") == "crossbar":
        with routers.crossbar_router(directory) as running:
            yield running
    else:
        with routers.wampy_router(directory) as running:
            yield running


@pytest.fixture(scope="session")
def lenient_router(tmp_path_factory):
    """The router under test with `--lenient`, which wampy 1.1.0 needs."""
    with routers.wampy_router(tmp_path_factory.mktemp("lenient"), "--lenient") as running:
        yield running


@pytest.fixture(scope="session")
def tls_router(tmp_path_factory):
    """The router under test with a certificate."""
    with routers.tls_router(tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture(scope="session")
def crossbar(tmp_path_factory):
    """Crossbar.io, for our own clients to meet."""
    with routers.crossbar_router(tmp_path_factory.mktemp("crossbar")) as running:
        yield running


@pytest.fixture
def our_package(tmp_path):
    """A directory for `PYTHONPATH` with our package alone."""
    python = os.environ.get("WAMPY_PYTHON", str(routers.ROOT / ".venv" / "bin" / "python"))
    code = "import importlib.metadata as m; print(m.distribution('wampy').locate_file(''))"
    found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    installed = pathlib.Path(found.stdout.strip())
    for path in installed.glob("wampy*"):
        (tmp_path / path.name).symlink_to(path)
    return tmp_path
