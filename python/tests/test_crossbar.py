"""Node configurations of Crossbar.io: ``wampy.peers.Crossbar`` and ``wampy.Router``."""

import contextlib
import json
import logging
import os
import pathlib
import signal
import socket
import stat
import sys

import pytest

import wampy
from wampy.auth import Cryptosign, Scram, Ticket, WampCra
from wampy.errors import ConfigurationError, ConnectionError, WampyError
from wampy.peers import Crossbar

PRIVATE_KEY = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"
PUBLIC_KEY = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d"

EVERYTHING = {
    "uri": "",
    "match": "prefix",
    "allow": {"call": True, "register": True, "publish": True, "subscribe": True},
    "disclose": {"caller": False, "publisher": False},
    "cache": True,
}
#: As wampy 1 had it in its tests.
ROLES = [{"name": "anonymous", "permissions": [EVERYTHING], "features": {"call_timeout": True}}]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def write(tmp_path, port):
    """Write a node configuration with one WebSocket on ``port``."""

    def write(roles=ROLES, workers=(), **transport):
        endpoint = {"type": "tcp", "port": port, "version": 4, "interface": "localhost"}
        transport = {"type": "websocket", "endpoint": endpoint, **transport}
        realm = {"name": "realm1", "roles": roles}
        router = {"type": "router", "realms": [realm], "transports": [transport]}
        config = {"version": 2, "controller": {}, "workers": [router, *workers]}
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        return str(path)

    return write


def test_our_router_runs_by_default(write, port):
    path = write(options={"auto_ping_interval": 10000, "auto_ping_timeout": 5000})
    crossbar = Crossbar(url=f"ws://localhost:{port}", config_path=path)
    assert crossbar.config["version"] == 2
    assert crossbar.realm["name"] == "realm1" and crossbar.roles[0]["name"] == "anonymous"
    assert (crossbar.host, crossbar.port, crossbar.ipv) == ("localhost", port, 4)
    assert crossbar.url == f"ws://localhost:{port}" and crossbar.websocket_location == "/"
    assert crossbar.certificate is None and not crossbar.can_use_tls
    assert not crossbar.started and crossbar.proc is None
    with pytest.raises(ConnectionError, match="Could not connect"):
        crossbar.try_connection()
    with crossbar as same:
        assert same is crossbar and crossbar.started and crossbar.proc is None
        crossbar.try_connection()
        with pytest.raises(WampyError, match="already started"):
            crossbar.start()
        with wampy.Client(router=crossbar) as client:
            assert client.realm == "realm1"
            assert client.call("wamp.session.count") == 1
    assert not crossbar.started
    with pytest.raises(ConnectionError):
        crossbar.try_connection()
    crossbar.stop()
    # And again.
    with crossbar:
        crossbar.try_connection()


def test_every_method_and_role_of_a_node(write, port):
    salt = {"salt": "salt123", "iterations": 100, "keylen": 16}
    hashed = {
        "kdf": "pbkdf2",
        "memory": 0,
        **_scram("sc4", b"0123456789abcdef", 4096),
    }
    roles = [
        {"name": "anonymous", "permissions": [{"uri": "com.open.*", "allow": {"call": True}}]},
        {"name": "user", "permissions": [EVERYTHING]},
    ]
    auth = {
        "anonymous": {"type": "static"},
        "ticket": {"type": "static", "principals": {"tim": {"ticket": "t1", "role": "user"}}},
        "wampcra": {
            "type": "static",
            "users": {
                "cora": {"secret": "cr4", "role": "user"},
                "salty": {"secret": "cr4", "role": "user", **salt},
            },
        },
        "scram": {"type": "static", "principals": {"sam": {**hashed, "role": "user"}}},
        "cryptosign": {
            "type": "static",
            "principals": {"kim": {"authorized_keys": [PUBLIC_KEY], "role": "user"}},
        },
    }
    url = f"ws://localhost:{port}"
    proofs = [
        Ticket("tim", "t1"),
        WampCra("cora", "cr4"),
        WampCra("salty", "cr4"),
        Scram("sam", "sc4"),
        Cryptosign(key=PRIVATE_KEY, authid="kim"),
    ]
    with Crossbar(url=url, config_path=write(roles, auth=auth)):
        for proof in proofs:
            with wampy.Client(url=url, auth=proof) as client:
                assert client.call("wamp.session.count", ["user"]) == 1, proof
        with wampy.Client(url=url) as anonymous:
            with pytest.raises(wampy.Error) as missing:
                anonymous.call("com.open.procedure")
            assert missing.value.uri == "wamp.error.no_such_procedure"
            with pytest.raises(wampy.Error) as refused:
                anonymous.call("com.closed.procedure")
            assert refused.value.uri == "wamp.error.not_authorized"
        with pytest.raises(wampy.errors.WelcomeAbortedError):
            wampy.Client(url=url, auth=Ticket("tim", "t2")).start()


def _scram(password, salt, iterations):
    import hashlib
    import hmac

    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return {
        "salt": salt.hex(),
        "iterations": iterations,
        "stored-key": hashlib.sha256(client_key).hexdigest(),
        "server-key": hmac.digest(salted, b"Server Key", "sha256").hex(),
    }


def test_tls_by_files_of_the_node(write, port, certificate, tmp_path):
    cert, key = certificate
    tls = {"certificate": cert.name, "key": key.name, "ciphers": "x", "dhparam": "y"}
    endpoint = {"type": "tcp", "port": port, "interface": "localhost", "tls": tls}
    path = write(endpoint=endpoint)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.rename(path, elsewhere / "config.json")
    crossbar = Crossbar(f"wss://localhost:{port}", elsewhere / "config.json", tmp_path)
    assert crossbar.can_use_tls and crossbar.certificate == cert.name
    with crossbar, wampy.Client(url=crossbar.url, cert_path=str(cert)) as client:
        assert client.call("wamp.session.count") == 1


def test_yaml(port, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"""
version: 2
workers:
- type: router
  realms:
  - name: com.shop
    roles:
    - name: anonymous
      permissions: [{{uri: "*", allow: {{call: yes}}}}, {{uri: wamp.*, allow: {{call: yes}}}}]
  transports:
  - type: websocket
    endpoint: {{type: tcp, port: {port}, interface: "127.0.0.1"}}
""")
    with Crossbar(f"ws://127.0.0.1:{port}", path) as crossbar:
        assert crossbar.realm["name"] == "com.shop"
        with wampy.Client(router=crossbar) as client:
            assert client.realm == "com.shop"
            assert client.call("wamp.session.count") == 1


def test_several_transports(write, tmp_path, port):
    config = json.loads(pathlib.Path(write()).read_text())
    worker = config["workers"][0]
    user = {"ticket": "secret!!!", "role": "anonymous"}
    worker["transports"][0]["auth"] = {"ticket": {"type": "static", "principals": {"joe": user}}}
    inside = {"type": "rawsocket", "endpoint": {"type": "unix", "path": "inside.sock"}}
    worker["transports"].insert(0, inside)
    path = tmp_path / "node.json"
    path.write_text(json.dumps(config))
    with Crossbar(url=f"ws://localhost:{port}", config_path=path) as crossbar:
        assert crossbar.transport == worker["transports"][1]
        with pytest.raises(WampyError, match="authentication_required"):
            wampy.Client(router=crossbar).start()
        with wampy.Client(router=crossbar, auth=wampy.auth.Ticket("joe", "secret!!!")) as client:
            assert client.call("wamp.session.count") == 1
        with wampy.Client(url=f"unix://{tmp_path}/inside.sock") as client:
            assert client.call("wamp.session.count") == 1


def test_wrong_configurations(write, tmp_path, port):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json not found"):
        Crossbar(config_path="nowhere.json")
    path = tmp_path / "config.json"
    path.write_text("{\n1}")
    with pytest.raises(ConfigurationError, match=r"config.json:2: this is no JSON"):
        Crossbar(config_path=path)
    path.write_text('{"workers": [{"type": "container"}]}')
    with pytest.raises(ConfigurationError, match="no router with a realm"):
        Crossbar(config_path=path)
    config = json.loads(pathlib.Path(write()).read_text())
    config["workers"][0]["transports"] *= 2
    path.write_text(json.dumps(config))
    with pytest.raises(WampyError, match="none of the 2 transports is at ws://localhost:1: say"):
        Crossbar(url="ws://localhost:1", config_path=path)
    # What is found when it is to run.
    crossbar = Crossbar(config_path=write(options={"compresion": {}}))
    with pytest.raises(ConfigurationError, match=r"compresion: .* did you mean compression"):
        crossbar.start()
    assert not crossbar.started
    # Nobody listens where clients would look.
    elsewhere = Crossbar(url=f"ws://localhost:{free_port()}", config_path=write())
    with pytest.raises(ConnectionError):
        elsewhere.start()
    with socket.create_server(("127.0.0.1", port)):
        pass
    elsewhere.ipv = 5
    with pytest.raises(WampyError, match="unknown IPV: 5"):
        elsewhere.try_connection()


def test_what_is_no_router_is_left_out_on_demand(write, port, caplog):
    path = write(workers=[{"type": "guest", "executable": "node"}])
    with pytest.raises(ConfigurationError, match=r"workers\[1\]: .*router_only leaves it out"):
        Crossbar(f"ws://localhost:{port}", path).start()
    with (
        caplog.at_level(logging.WARNING, logger="wampy.router"),
        Crossbar(f"ws://localhost:{port}", path, router_only=True) as crossbar,
    ):
        crossbar.try_connection()
    assert "workers[1]: left out" in caplog.text
    assert "features: ignored" in caplog.text


def test_a_router_by_a_node_configuration(write, port):
    with wampy.Router(crossbar_config=write()) as router:
        assert router.realms == ["realm1"] and router.port == port
        with wampy.Client(router=router) as client:
            assert client.call("wamp.session.count") == 1
    with wampy.Router(crossbar_config=write()) as router, wampy.Client(router=router) as client:
        write(roles=[{"name": "anonymous", "permissions": [{"uri": "com.*"}]}])
        assert router.reload() == []
        with pytest.raises(wampy.Error) as refused:
            client.call("wamp.session.count")
        assert refused.value.uri == "wamp.error.not_authorized"
    with pytest.raises(ConfigurationError, match="not both"):
        wampy.Router(config="a.toml", crossbar_config="b.json")
    with pytest.raises(ConfigurationError, match="no argument goes with it"):
        wampy.Router(realm="x", crossbar_config="b.json")
    with pytest.raises(ConfigurationError, match="mean nothing without crossbar_config"):
        wampy.Router(router_only=True)


#: Stands for the `crossbar` command: listens where the configuration says, with a child of its own.
COMMAND = """#!{python}
import json, signal, socket, subprocess, sys, time
assert sys.argv[1:2] == ["start"], sys.argv
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
config = json.load(open(options["--config"]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(options["--cbdir"] + "/started", "w") as file:
    file.write(str(child.pid))
if config["workers"][0].get("id") == "broken":
    sys.exit(1)
port = config["workers"][0]["transports"][0]["endpoint"]["port"]
with socket.create_server(("127.0.0.1", port)) as server:
    while True:
        server.accept()
"""


@pytest.fixture
def command(tmp_path):
    path = tmp_path / "crossbar command"
    path.write_text(COMMAND.replace("{python}", sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    yield path
    started = tmp_path / "started"
    if started.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(started.read_text()), signal.SIGKILL)


def is_gone(pid):
    """Whether the process has ended; one that nobody has waited for has."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("by_environment", [False, True])
def test_the_real_crossbar_runs_when_told_to(
    write, port, tmp_path, command, by_environment, monkeypatch
):
    url = f"ws://localhost:{port}"
    if by_environment:
        monkeypatch.setenv("WAMPY_CROSSBAR", f"'{command}'")
        crossbar = Crossbar(url, write())
    else:
        crossbar = Crossbar(url, write(), command=[str(command)])
    with crossbar:
        assert crossbar.proc.poll() is None
        crossbar.try_connection()
        child = int((tmp_path / "started").read_text())
        assert not is_gone(child)
    assert crossbar.proc.returncode == -signal.SIGTERM
    # Its group gets the signal at once; the process is gone when the kernel is done with it.
    while not is_gone(child):
        pass


def test_a_crossbar_that_does_not_start(write, port, tmp_path, command):
    path = write()
    config = json.loads(pathlib.Path(path).read_text())
    config["workers"][0]["id"] = "broken"
    (tmp_path / "config.json").write_text(json.dumps(config))
    crossbar = Crossbar(f"ws://localhost:{port}", path, command=f"'{command}'")
    with pytest.raises(ConnectionError, match=r"Failed to connect to Crossbar\.io, it has ended"):
        crossbar.start()
    assert not crossbar.started
    absent = Crossbar(f"ws://localhost:{port}", path, command="no-such-command-anywhere")
    with pytest.raises(ConfigurationError, match="'no-such-command-anywhere' cannot be run"):
        absent.start()
