"""One node configuration for Crossbar.io and for our router: the same clients get the same answers.

Absent on purpose: how a node configuration is read, which the router's own tests are about.
"""

import contextlib
import json

import pytest
import routers
import users
from command_line import registered, wampy, wampy_json

EXIT_WAMP_ERROR = 1
EXIT_NO_SESSION = 3
ANONYMOUS = "guest"


def permission(uri, match, *allowed):
    actions = ("call", "register", "publish", "subscribe")
    allow = {action: action in allowed for action in actions}
    return {"uri": uri, "match": match, "allow": allow, "cache": True}


def node_config(port):
    """A realm in which each user has a role of its own, and guests may do a few things."""
    everything = permission("", "prefix", "call", "register", "publish", "subscribe")
    roles = [{"name": role, "permissions": [everything]} for role in users.roles()]
    guest = [
        permission("com.shop.", "prefix", "call"),
        permission("com.shop.secret", "exact"),
        permission("com.shop.news", "exact", "subscribe"),
        {"uri": "com.open.*", "allow": {"call": True, "publish": True}},
    ]
    roles.append({"name": ANONYMOUS, "permissions": guest})
    auth = {**users.crossbar_auth(), "anonymous": {"type": "static", "role": ANONYMOUS}}
    serializers = ["json", "msgpack", "cbor"]
    part = {"serializers": serializers, "auth": auth}
    transport = {
        "type": "universal",
        "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": port},
        "rawsocket": part,
        "websocket": {"ws": {"type": "websocket", **part}},
    }
    realm = {"name": "realm1", "roles": roles}
    worker = {"type": "router", "realms": [realm], "transports": [transport]}
    return {"version": 2, "workers": [worker]}


@pytest.fixture(scope="module", params=["wampy", "crossbar"])
def node(request, tmp_path_factory):
    """Our router, then Crossbar.io, by the same configuration."""
    run = {"wampy": routers.wampy_node, "crossbar": routers.crossbar_node}[request.param]
    port = routers.free_port()
    with run(tmp_path_factory.mktemp(request.param), node_config(port), port) as running:
        yield running


@pytest.mark.parametrize("transport", ["ws", "rs"])
@pytest.mark.parametrize("user", users.METHODS)
def test_every_user_joins_and_has_its_role(node, tmp_path, user, transport):
    arguments, environment = users.as_command(user, tmp_path)
    way = ["--url", node.url(transport), *arguments]
    count = ["call", "wamp.session.count", json.dumps([users.role(user)])]
    assert wampy_json(*count, *way, environment=environment) == [1]


@pytest.mark.parametrize("user", users.METHODS)
def test_a_wrong_secret_is_refused(node, tmp_path, user):
    arguments, environment = users.as_command(user, tmp_path, wrong=True)
    refused = wampy("call", "a.b", "--url", node.ws, *arguments, environment=environment)
    assert refused.returncode == EXIT_NO_SESSION, refused.stderr


def test_guests_may_do_what_their_role_may(node):
    procedures = ["com.shop.price", "com.shop.secret", "com.open.echo", "com.other"]
    user = ["--url", node.rs, "--authid", "ticket", "--authmethod", "ticket"]
    user += ["--ticket", users.SECRET]
    with contextlib.ExitStack() as stack:
        for procedure in procedures:
            stack.enter_context(registered(procedure, "--echo", *user))
        said = {name: wampy("call", name, "1", "--url", node.ws) for name in procedures}
    for name in ("com.shop.price", "com.open.echo"):
        assert said[name].returncode == 0 and said[name].stdout == "1\n", said[name]
    for name in ("com.shop.secret", "com.other"):
        assert said[name].returncode == EXIT_WAMP_ERROR, said[name]
        assert "wamp.error.not_authorized" in said[name].stderr


@pytest.mark.parametrize(
    ("topic", "error"),
    [("com.open.topic", None), ("com.shop.news", "wamp.error.not_authorized")],
)
def test_guests_may_publish_where_their_role_may(node, topic, error):
    done = wampy("publish", topic, "1", "--url", node.ws)
    assert (done.returncode == 0) is (error is None), done.stderr
    assert error is None or error in done.stderr


@pytest.mark.parametrize("name", ["com.open.procedure", "com.Open.procedure", "com.shop.x"])
def test_guests_register_nothing(node, name):
    done = wampy("register", name, "--echo", "--url", node.ws)
    assert done.returncode == EXIT_WAMP_ERROR, done.stderr
    expected = "invalid_uri" if "Open" in name else "not_authorized"
    assert f"wamp.error.{expected}" in done.stderr
