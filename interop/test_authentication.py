"""Who a client is: autobahn-python proves it to our router, ours to our router and Crossbar.io.

With `--interop-router crossbar` autobahn-python meets Crossbar.io.
"""

import json
import subprocess

import pytest
import routers
import users
from command_line import COMMAND_TIMEOUT_S, wampy, wampy_json

AUTOBAHN = routers.ROOT / "interop" / "clients" / "autobahn_auth.py"
EXIT_NO_SESSION = 3


@pytest.fixture(scope="module")
def knowing_router(request, tmp_path_factory):
    """The router that third-party clients meet, which knows the users."""
    name = request.config.getoption("--interop-router")
    yield from _router(name, tmp_path_factory)


@pytest.fixture(scope="module", params=["wampy", "crossbar"])
def each_router(request, tmp_path_factory):
    """Our router, then Crossbar.io; both know the users."""
    yield from _router(request.param, tmp_path_factory)


def _router(name, tmp_path_factory):
    directory = tmp_path_factory.mktemp(name)
    if name == "crossbar":
        running = routers.crossbar_router(directory, users.crossbar_auth(), users.roles())
    else:
        running = routers.wampy_router(directory, config=users.wampy_config())
    with running as router:
        yield router


def autobahn(router, authentication, serializer="json"):
    """What comes of autobahn-python's trying to join."""
    python = routers.ROOT / ".venv-interop" / "bin" / "python"
    arguments = ["--url", router.ws, "--serializer", serializer]
    done = subprocess.run(
        [python, AUTOBAHN, *arguments, "--authentication", json.dumps(authentication)],
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
@pytest.mark.parametrize("user", users.METHODS)
def test_autobahn_proves_who_it_is(knowing_router, user, serializer):
    outcome = autobahn(knowing_router, users.as_autobahn(user), serializer)
    method = users.METHODS[user]
    who = {"authid": user, "authrole": users.role(user), "authmethod": method}
    assert outcome == {"joined": who}


@pytest.mark.parametrize("user", users.METHODS)
def test_autobahn_is_refused_with_a_wrong_secret(knowing_router, user):
    outcome = autobahn(knowing_router, users.as_autobahn(user, wrong=True))
    assert outcome["refused"].startswith("wamp.error."), outcome


@pytest.mark.parametrize("transport", ["ws", "rs"])
@pytest.mark.parametrize("user", users.METHODS)
def test_our_client_proves_who_it_is(each_router, tmp_path, user, transport):
    arguments, environment = users.as_command(user, tmp_path)
    way = ["--url", each_router.url(transport), *arguments]
    count = ["call", "wamp.session.count", json.dumps([users.role(user)])]
    assert wampy_json(*count, *way, environment=environment) == [1]


@pytest.mark.parametrize("user", users.METHODS)
def test_our_client_is_refused_with_a_wrong_secret(each_router, tmp_path, user):
    arguments, environment = users.as_command(user, tmp_path, wrong=True)
    refused = wampy("call", "a.b", "--url", each_router.ws, *arguments, environment=environment)
    assert refused.returncode == EXIT_NO_SESSION, refused.stderr
    assert "wamp.error." in refused.stderr and users.SECRET not in refused.stderr


def test_our_client_says_what_it_lacks(each_router):
    """Only a ticket was given, to a user who has none."""
    environment = {"WAMPY_TICKET": users.SECRET}
    way = ["--url", each_router.ws, "--authid", "wampcra"]
    refused = wampy("call", "a.b", *way, environment=environment)
    assert refused.returncode == EXIT_NO_SESSION, refused.stderr
