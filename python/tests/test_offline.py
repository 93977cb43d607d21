"""What needs no router: imports, construction, wrong arguments, descriptions of routers."""

import subprocess
import sys
import threading

import pytest

import wampy
from wampy import address, constants, errors
from wampy.peers import Client
from wampy.peers.clients import RpcClient, WampClient
from wampy.peers.routers import WampRouter


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_has_no_side_effects():
    code = """
import logging, os, signal, sys, threading
before = signal.getsignal(signal.SIGINT)
import wampy, wampy.peers, wampy.messages, wampy.rpc, wampy.roles.callee, wampy.registry
import wampy.session, wampy.router, wampy.exceptions, wampy.constants, wampy.message_handler
client = wampy.Client()
assert threading.active_count() == 1, threading.enumerate()
assert logging.getLogger().handlers == []
assert logging.getLogger("wampy").handlers == []
assert signal.getsignal(signal.SIGINT) is before
assert "gevent" not in sys.modules and "asyncio" not in sys.modules
print("clean")
"""
    assert run_python(code) == "clean\n"


def test_every_public_name_resolves():
    for name in wampy.__all__:
        assert getattr(wampy, name) is not None
        assert name in dir(wampy)
    with pytest.raises(AttributeError, match="no_such_name"):
        wampy.no_such_name


def test_constants_of_both_generations():
    assert constants.DEFAULT_HOST == "localhost"
    assert constants.DEFAULT_PORT == 8080
    assert constants.DEFAULT_REALM == "realm1"
    assert constants.DEFAULT_ROUTER_URL == "ws://localhost:8080"
    assert constants.DEFAULT_TIMEOUT == 10
    assert set(constants.DEFAULT_ROLES["roles"]) == {"subscriber", "publisher", "callee", "caller"}
    assert constants.WEBSOCKET_SUBPROTOCOLS == "wamp.2.json"
    assert constants.NOT_AUTHORISED == "wamp.error.not_authorized"


def test_constructing_touches_no_network():
    client = Client(url="ws://192.0.2.1:9")
    assert client.session is None
    assert client.url == "ws://192.0.2.1:9"
    assert threading.active_count() >= 1


def test_stop_before_start_does_nothing():
    client = Client()
    client.stop()
    client.stop()
    assert client.session is None


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("ws://localhost", "ws://localhost:8080"),
        ("ws://localhost/ws?a=b", "ws://localhost:8080/ws?a=b"),
        ("ws://localhost:9000/ws", "ws://localhost:9000/ws"),
        ("wss://example.com", "wss://example.com:443"),
        ("ws://[::1]", "ws://[::1]:8080"),
        ("rs://example.com:81", "rs://example.com:81"),
        ("unix:///run/router.sock", "unix:///run/router.sock"),
        ("unix:router.sock", "unix:router.sock"),
    ],
)
def test_urls_get_their_port(url, normal):
    assert address.normalize(url) == normal
    assert Client(url=url).url == normal


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "ftp://localhost",
        "ws://",
        "ws://:80",
        "ws://a:99999",
        "ws://[::1",
        "unix://",
        "unix:",
        "",
    ],
)
def test_wrong_urls_are_refused_at_once(url):
    with pytest.raises(ValueError, match=r"ws:|host|socket|port|Port|IPv6") as caught:
        Client(url=url)
    assert isinstance(caught.value, errors.WampyError)
    assert url in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "ws://localhost", "router": WampRouter()},
        {"ipv": 5},
        {"roles": "caller"},
        {"call_timeout": -1},
        {"call_timeout": float("nan")},
        {"call_timeout": float("inf")},
        {"call_timeout": "10"},
        {"realm": ""},
        {"realm": 5},
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments):
    with pytest.raises(errors.ConfigurationError):
        Client(**arguments)


def test_wamp_router_describes_a_router():
    router = WampRouter(name="Crossbar", host="localhost", port="8080", realm="realm1")
    assert (router.name, router.host, router.port) == ("Crossbar", "localhost", 8080)
    assert (router.realm, router.realms) == ("realm1", ["realm1"])
    assert router.url == "ws://localhost:8080/ws"
    assert router.roles == constants.DEFAULT_ROLES
    assert WampRouter(realms=["a", "b"]).realms == ["a", "b"]
    assert WampRouter(realms="a").realm == "a"
    assert WampRouter(host="::1", port=1).url == "ws://[::1]:1/ws"


@pytest.mark.parametrize("port", ["http", 0, 70000, None])
def test_wamp_router_needs_a_port(port):
    with pytest.raises(errors.ConfigurationError, match="port"):
        WampRouter(port=port)


def test_clients_take_their_realm_from_the_router():
    router = WampRouter(realm="music", port=8081)
    assert Client(router=router).realm == "music"
    assert Client(router=router, realm="other").realm == "other"
    assert Client(router=router).url == "ws://localhost:8081/ws"
    assert Client(router="ws://localhost:1").url == "ws://localhost:1"
    assert Client().realm == "realm1"


def test_clients_of_2016_take_their_arguments_in_any_order():
    router = WampRouter()
    for cls in (WampClient, RpcClient):
        client = cls(name="Caller", router=router, realm="r", roles=constants.DEFAULT_ROLES)
        assert (client.name, client.realm, client.router) == ("Caller", "r", router)
        assert client.roles == constants.DEFAULT_ROLES
        assert cls("Caller", "r", constants.DEFAULT_ROLES, router).name == "Caller"


def test_rpc_proxy_ignores_what_shells_probe_for():
    proxy = Client().rpc
    assert repr(proxy.com.app.add) == "<RemoteProcedure com.app.add>"
    assert repr(proxy["com.app.add"]) == "<RemoteProcedure com.app.add>"
    for name in ("_repr_html_", "__deepcopy__", "_ipython_canary_method_should_not_exist_"):
        assert not hasattr(proxy, name)
        assert not hasattr(proxy.com, name)


@pytest.mark.parametrize("arguments", [{}, {"topic": ""}, {"topic": 3}])
def test_publish_needs_a_topic(arguments):
    with pytest.raises(errors.WampyError, match="topic"):
        Client().publish(**arguments)


def test_an_embedded_router_checks_its_arguments():
    with pytest.raises(errors.ConfigurationError, match="port"):
        wampy.Router(port=70000)
    with pytest.raises(errors.ConfigurationError, match="realm"):
        wampy.Router(realms=[])
    with pytest.raises(errors.ConfigurationError, match="does not run"):
        wampy.Router().url
    assert wampy.Router(port=8080).url == "ws://localhost:8080"
    assert wampy.Router(realms=["a", "b"]).realm == "a"


def test_reprs_say_what_matters():
    assert repr(Client(name="Caller")) == "<Client 'Caller', realm realm1, not started>"
    assert repr(wampy.Router()) == "<Router stopped, realms realm1>"
    assert repr(WampRouter()) == "<WampRouter router at ws://localhost:8080/ws>"
