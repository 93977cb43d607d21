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


def _worker(port, roles, auth, **options):
    """A router with one realm and one port."""
    serializers = ["json", "msgpack", "cbor"]
    part = {"serializers": serializers, "auth": auth}
    transport = {
        "type": "universal",
        "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": port},
        "rawsocket": part,
        "websocket": {"ws": {"type": "websocket", **part}},
    }
    realm = {"name": "realm1", "roles": roles, "options": options}
    worker = {"type": "router", "realms": [realm], "transports": [transport]}
    return {"version": 2, "workers": [worker]}


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
    return _worker(port, roles, auth, uri_check="strict")


def asking_config(port):
    """A realm in which procedures say who somebody is, and what its role may do."""
    everything = permission("", "prefix", "call", "register", "publish", "subscribe")
    roles = [{"name": ANONYMOUS, "permissions": [everything]}]
    roles.append({"name": "asked", "authorizer": "com.auth.authorize"})
    ticket = {
        "type": "dynamic",
        "authenticator": "com.auth.authenticate",
        "authenticator-realm": "realm1",
        "authenticator-role": "trusted",
    }
    auth = {"anonymous": {"type": "static", "role": ANONYMOUS}, "ticket": ticket}
    return _worker(port, roles, auth)


ROUTERS = {"wampy": routers.wampy_node, "crossbar": routers.crossbar_node}


def _run(name, config, tmp_path_factory):
    port = routers.free_port()
    with ROUTERS[name](tmp_path_factory.mktemp(name), config(port), port) as running:
        yield running


@pytest.fixture(scope="module", params=ROUTERS)
def node(request, tmp_path_factory):
    """Our router, then Crossbar.io, by the same configuration."""
    yield from _run(request.param, node_config, tmp_path_factory)


@pytest.fixture(scope="module", params=ROUTERS)
def asking_node(request, tmp_path_factory):
    """The same with procedures that are asked, which stand by."""
    for running in _run(request.param, asking_config, tmp_path_factory):
        way = ["--url", running.rs]
        knows = 'grep -q \'"ticket":"right"\' && echo \'"asked"\''
        allows = "if grep -q com.shop.open; then echo true; else echo false; fi"
        with (
            registered("com.auth.authenticate", "--exec", knows, *way),
            registered("com.auth.authorize", "--exec", allows, *way),
            registered("com.shop.open", "--echo", *way),
            registered("com.shop.closed", "--echo", *way),
        ):
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


@pytest.mark.parametrize("transport", ["ws", "rs"])
def test_procedures_say_who_somebody_is_and_what_it_may_do(asking_node, transport):
    def call(procedure, ticket):
        user = ["--authid", "joe", "--authmethod", "ticket", "--ticket", ticket]
        return wampy("call", procedure, "1", "--url", asking_node.url(transport), *user)

    allowed = call("com.shop.open", "right")
    assert allowed.returncode == 0 and allowed.stdout == "1\n", allowed.stderr
    refused = call("com.shop.closed", "right")
    assert refused.returncode == EXIT_WAMP_ERROR, refused.stderr
    assert "wamp.error.not_authorized" in refused.stderr
    wrong = call("com.shop.open", "wrong")
    assert wrong.returncode == EXIT_NO_SESSION, wrong.stderr
