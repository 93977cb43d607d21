"""nameko-wamp 0.3.0 from PyPI, unmodified, with our package in the place of wampy 0.9, on eventlet.

Its own tests run, each in a process of its own, because they leave their services running.
flask-wamp is not here: its package on PyPI holds no code.
"""

import os
import pathlib
import subprocess

import pytest

INTEROP = pathlib.Path(__file__).resolve().parent
VENV = INTEROP.parent / ".venv-nameko-wamp"
TEST_TIMEOUT_S = 60
#: Its helpers look at `client.session` while a service joins, when that is None since wampy 1.0.
CONFTEST = """
from wampy.peers.clients import Client

Client.session = property(lambda client: client._session)
"""


@pytest.fixture
def place(tmp_path_factory):
    """A directory with the tests of nameko-wamp, and the configuration that they name."""
    directory = tmp_path_factory.mktemp("nameko-wamp")
    (tests,) = VENV.glob("lib/python*/site-packages/test")
    (directory / "test").symlink_to(tests)
    (directory / "conftest.py").write_text(CONFTEST)
    configuration = directory / "nameko_wamp" / "testing" / "crossbar.config.json"
    configuration.parent.mkdir(parents=True)
    configuration.symlink_to(INTEROP / "wampy1_suite" / "crossbar.json")
    return directory


@pytest.mark.parametrize(
    "test",
    [
        "test_pubsub.py::test_nameko_service_can_subscribe_to_wamp_topic",
        "test_pubsub.py::test_nameko_services_can_subscribe_to_other_nameko_services",
        "test_rpc.py::test_nameko_service_rpc_methods_are_called_by_any_wampy_client",
        "test_rpc.py::test_nameko_services_can_call_each_other_over_wamp_rpc",
    ],
)
def test_nameko_wamp(our_package, place, test):
    environment = {
        **os.environ,
        "PYTHONPATH": f"{our_package}{os.pathsep}{INTEROP / 'wampy1_suite'}",
        # The readme of nameko-wamp wants this; the patching is what `nameko run` does.
        "WAMPY_ASYNC_NAME": "eventlet",
        "WAMPY1_SUITE_PATCHED": "yes",
    }
    command = [str(VENV / "bin" / "python"), "-m", "pytest", "-q", "-W", "ignore"]
    command += ["-p", "plugin", "-p", "no:cacheprovider", "--timeout=30", "--timeout-method=thread"]
    command += ["--rootdir=.", "--config-file=/dev/null", f"test/{test}"]
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TEST_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
