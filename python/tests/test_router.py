"""``wampy.Router``: the router inside the process."""

import socket
import threading
import time

import pytest

import wampy
from wampy import errors


def test_it_starts_on_a_free_port_and_stops():
    router = wampy.Router()
    assert not router.is_running
    with router:
        assert router.is_running
        assert 1 <= router.port <= 65535
        assert router.url == f"ws://localhost:{router.port}"
        with wampy.Client(url=router.url) as client:
            assert client.session.realm == "realm1"
            assert client.session.router == router.url
        port = router.port
    assert not router.is_running
    with pytest.raises(errors.ConnectionError):
        wampy.Client(url=f"ws://localhost:{port}").start()
    router.stop()


def test_it_starts_again():
    router = wampy.Router()
    for _ in range(3):
        assert router.start() is router
        assert router.start() is router
        with wampy.Client(router=router) as client:
            assert client.call("wamp.session.count") == 1
        router.stop()


def test_it_takes_milliseconds():
    wampy.Router().start().stop()
    begin = time.monotonic()
    for _ in range(10):
        wampy.Router().start().stop()
    assert time.monotonic() - begin < 5


def test_a_port_that_is_taken():
    with wampy.Router() as first, pytest.raises(errors.ConnectionError) as caught:
        wampy.Router(port=first.port).start()
    assert str(first._port) == "0"
    assert "in use" in str(caught.value)


def test_it_speaks_tls(certificate):
    cert, key = certificate
    with wampy.Router(tls_cert=cert, tls_key=str(key)) as router:
        assert router.url == f"wss://localhost:{router.port}"
        with wampy.Client(router=router, cert_path=str(cert)) as client:
            assert client.call("wamp.session.count") == 1


def test_tls_files_that_are_none(tmp_path):
    with pytest.raises(errors.ConfigurationError):
        wampy.Router(tls_cert="cert.pem")
    missing = tmp_path / "missing.pem"
    with pytest.raises(errors.ConfigurationError, match=r"missing\.pem"):
        wampy.Router(tls_cert=missing, tls_key=missing).start()


def test_a_realm_that_is_no_uri():
    with pytest.raises(errors.ConfigurationError) as caught:
        wampy.Router(realm="a realm").start()
    assert "a realm" in str(caught.value)


def test_an_address_that_is_not_here():
    with pytest.raises(errors.ConnectionError):
        wampy.Router(host="192.0.2.1").start()


def test_it_has_the_realms_it_was_given():
    with wampy.Router(realms=["music", "sport"]) as router:
        assert wampy.Client(router=router).realm == "music"
        for realm in ("music", "sport"):
            with wampy.Client(router=router, realm=realm) as client:
                assert client.session.id
        with pytest.raises(errors.WelcomeAbortedError):
            wampy.Client(router=router, realm="realm1").start()


@pytest.mark.parametrize(("host", "ipv"), [("127.0.0.1", 4), ("::1", 6)])
def test_ipv4_and_ipv6(host, ipv):
    try:
        socket.create_server(
            (host, 0), family=socket.AF_INET6 if ipv == 6 else socket.AF_INET
        ).close()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with wampy.Router(host=host) as router:
        with wampy.Client(router=router, ipv=ipv) as client:
            assert client.session.id
        with pytest.raises(errors.ConnectionError):
            wampy.Client(router=router, ipv=10 - ipv).start()


def test_many_routers_at_once():
    routers = [wampy.Router().start() for _ in range(5)]
    try:
        assert len({router.port for router in routers}) == 5
        clients = [wampy.Client(router=router) for router in routers]
        for number, client in enumerate(clients):
            client.register(lambda number=number: number, "who")
        assert [client.call("who") for client in clients] == [0, 1, 2, 3, 4]
        for client in clients:
            client.stop()
    finally:
        for router in routers:
            router.stop()


def test_a_client_of_a_router_that_has_not_started():
    client = wampy.Client(router=wampy.Router())
    with pytest.raises(errors.ConfigurationError, match="does not run"):
        client.start()


def test_stopping_says_goodbye_to_its_sessions(router, start, until):
    clients = [start() for _ in range(3)]
    begin = time.monotonic()
    router.stop()
    assert time.monotonic() - begin < 5
    until(lambda: not any(client.session.is_open for client in clients))


def test_stopping_from_another_thread(router, start):
    start()
    thread = threading.Thread(target=router.stop)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_it_runs_by_a_configuration_file(tmp_path):
    config = tmp_path / "wampy.toml"
    config.write_text(
        """
        listen = ["127.0.0.1:0"]
        [[realms]]
        name = "shop"
        [[realms]]
        name = "bar"
        [realms.authentication]
        methods = ["ticket"]
        """
    )
    with wampy.Router(config=config) as router:
        assert router.realms == ["shop", "bar"]
        assert router.url == f"ws://127.0.0.1:{router.port}/"
        with wampy.Client(router=router) as client:
            assert client.session.realm == "shop"
            assert client.call("wamp.session.count") == 1
        with pytest.raises(errors.WampyError, match="authentication_required"):
            wampy.Client(router=router, realm="bar").start()


def test_mistakes_in_a_configuration_file_are_named(tmp_path):
    config = tmp_path / "wampy.toml"
    config.write_text("compres = true\n[[realms]]\nname = 'a shop'\n")
    with pytest.raises(errors.ConfigurationError) as mistake:
        wampy.Router(config=config).start()
    assert "wampy.toml:1: compres: there is no such key; did you mean" in str(mistake.value)
    assert "wampy.toml:3: realms[0].name:" in str(mistake.value)


def test_a_configuration_file_and_other_arguments_are_refused_together():
    with pytest.raises(errors.ConfigurationError):
        wampy.Router(config="wampy.toml", port=8080)


def write_config(path, action):
    path.write_text(
        f"""
        listen = ["127.0.0.1:0"]
        [[realms]]
        name = "realm1"
        [[realms.roles]]
        name = "anonymous"
        permissions = [{{ uri = "a.*", allow = {{ {action} = true }} }}]
        """
    )


def test_its_configuration_file_is_read_again(tmp_path):
    config = tmp_path / "wampy.toml"
    write_config(config, "call")
    with wampy.Router(config=config) as router, wampy.Client(router=router) as client:
        with pytest.raises(errors.ProcedureNotFoundError):
            client.call("a.b")
        write_config(config, "publish")
        assert router.reload() == []
        with pytest.raises(errors.NotAuthorisedError):
            client.call("a.b")
        config.write_text("compres = true\n[[realms]]\nname = 'a shop'\n")
        with pytest.raises(errors.ConfigurationError) as mistake:
            router.reload()
        assert "wampy.toml:1: compres" in str(mistake.value)
        assert "wampy.toml:3: realms[0].name" in str(mistake.value)
        with pytest.raises(errors.NotAuthorisedError):
            client.call("a.b")
        other = tmp_path / "other.toml"
        half = "listen = ['127.0.0.1:1']\n[[realms]]\nname = 'realm1'\n"
        other.write_text(half)
        with pytest.raises(errors.ConfigurationError, match="roles"):
            router.reload(other)
        other.write_text(half + "roles = []\n")
        assert router.reload(other) == ["listen"]
        with pytest.raises(errors.ProcedureNotFoundError):
            client.call("a.b")


def test_realms_that_a_reload_adds_are_shown(tmp_path):
    config = tmp_path / "wampy.toml"
    config.write_text("listen = ['127.0.0.1:0']\n[[realms]]\nname = 'first'\n")
    with wampy.Router(config=config) as router:
        assert router.realms == ["first"]
        config.write_text(
            "listen = ['127.0.0.1:0']\n[[realms]]\nname = 'second'\n[[realms]]\nname = 'third'\n"
        )
        # One that is not wanted any more stays until the next start.
        assert router.reload() == ['realm "first": goes']
        assert router.realms == ["first", "second", "third"]
        assert "realms first, second, third" in repr(router)
        assert router.realm == "first"
        with wampy.Client(router=router, realm="third") as client:
            assert client.call("wamp.session.count") == 1
        config.write_text("compres = true\n[[realms]]\nname = 'fourth'\n")
        with pytest.raises(errors.ConfigurationError):
            router.reload()
        assert router.realms == ["first", "second", "third"]


def test_only_a_router_that_runs_by_a_file_reads_it_again(router):
    with pytest.raises(errors.ConfigurationError, match="without a configuration file"):
        router.reload()
    with pytest.raises(errors.ConfigurationError, match="does not run"):
        wampy.Router(config="wampy.toml").reload()


def test_roles_are_set_at_run_time(router, start):
    client = start()
    client.call("wamp.session.count")
    may = {"name": "anonymous", "permissions": [{"uri": "a.*", "allow": {"register": True}}]}
    router.set_roles([may])
    client.register(lambda: 1, "a.b")
    with pytest.raises(errors.NotAuthorisedError):
        client.register(lambda: 1, "b")
    with pytest.raises(errors.NotAuthorisedError):
        client.call("a.b")
    router.set_roles([])
    assert client.call("a.b") == 1


@pytest.mark.parametrize(
    ("roles", "problem"),
    [
        ([{"permissions": []}], "name"),
        ([{"name": "a", "permisions": []}], "permisions"),
        ([{"name": object()}], "as in JSON"),
        (["a"], "dicts"),
    ],
)
def test_what_is_no_role_is_refused(router, roles, problem):
    with pytest.raises(errors.ConfigurationError, match=problem):
        router.set_roles(roles)
    with pytest.raises(errors.ConfigurationError, match="nowhere"):
        router.set_roles([], realm="nowhere")
