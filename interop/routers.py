"""Start a router in a process of its own, on free ports, and stop it again.

`wampy router` is the router under test; Crossbar.io is there for our clients to meet, and to run
these same tests against. Absent on purpose: anything a client needs beyond the URLs.
"""

import contextlib
import json
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15


class Router:
    """Where a router listens: `ws` and `rs` URLs, `unix` if it has a Unix socket, `wss` and `rss`
    if it has a certificate, of an authority that `ca_file` makes clients trust, and `lp` if it has
    long-polling.

    `always_asks_for_progress`: callees that cannot be interrupted are asked for it as well.
    """

    def __init__(self, name, ws, rs, unix=None, always_asks_for_progress=False):
        self.wss = self.rss = self.ca_file = self.lp = None
        self.name = name
        self.always_asks_for_progress = always_asks_for_progress
        self.ws = ws
        self.rs = rs
        self.unix = unix

    def url(self, scheme):
        """The URL for `ws`, `rs`, `unix`, `wss`, `rss` or `lp`."""
        return getattr(self, scheme)


def wampy_binary():
    """The `wampy` command to test: $WAMPY_BIN, or else what `make build` leaves.

    Made absolute, because the scenarios run in other directories.
    """
    named = os.environ.get("WAMPY_BIN")
    binary = pathlib.Path(named).resolve() if named else ROOT / "target" / "release" / "wampy"
    if not binary.is_file():
        raise FileNotFoundError(f"{binary} is missing: run `make build`, or set WAMPY_BIN")
    return binary


@contextlib.contextmanager
def wampy_router(directory, *flags, config=None):
    """Run `wampy router`; it has to end by itself, with exit code 0 and without a panic.

    `config` is the text of a configuration file without the addresses to listen on.
    """
    unix = pathlib.Path(directory) / "wampy.sock"
    addresses = ["127.0.0.1:0", f"unix:{unix}"]
    command = [str(wampy_binary()), "router", *flags]
    if config is None:
        command += [word for address in addresses for word in ("--listen", address)]
    else:
        file = pathlib.Path(directory) / "wampy.toml"
        file.write_text(f"listen = {json.dumps(addresses)}\n{config}")
        command += ["--config", str(file)]
    with _process(command, cwd=directory) as process:
        output = _Output(process)
        port = output.wait_for(re.compile(r"127\.0\.0\.1:(\d+)"))
        _wait_for_unix(unix, process)
        address = f"127.0.0.1:{port}"
        urls = f"ws://{address}/ws", f"rs://{address}", f"unix://{unix}"
        running = Router("wampy", *urls, always_asks_for_progress="--lenient" in flags)
        running.lp = f"http://{address}/lp"
        yield running
        code = _terminate(process)
        assert "panicked" not in output.text(), output.text()
        assert code == 0, f"the router ended with {code}:\n{output.text()}"


@contextlib.contextmanager
def tls_router(directory):
    """Run `wampy router` with a certificate, so that its port speaks TLS only."""
    python = ROOT / ".venv-interop" / "bin" / "python"
    subprocess.run([python, ROOT / "interop" / "certificate.py", directory], check=True)
    command = [str(wampy_binary()), "router", "--listen", "127.0.0.1:0"]
    command += ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    with _process(command, cwd=directory) as process:
        port = _Output(process).wait_for(re.compile(r"wss://127\.0\.0\.1:(\d+)"))
        running = Router("wampy", ws=None, rs=None)
        running.wss, running.rss = f"wss://127.0.0.1:{port}/ws", f"rss://127.0.0.1:{port}"
        running.ca_file = pathlib.Path(directory) / "ca.pem"
        yield running
        assert _terminate(process) == 0


@contextlib.contextmanager
def crossbar_router(directory, auth=None, roles=("anonymous",)):
    """Run Crossbar.io from .venv-crossbar with one realm in which all roles may do everything.

    `auth` says how clients prove who they are; without it they are anonymous.
    """
    port = free_port()
    with crossbar_node(directory, _crossbar_config(port, auth, roles), port) as running:
        yield running


@contextlib.contextmanager
def crossbar_node(directory, config, port):
    """Run Crossbar.io by a node configuration with one transport, at `port`."""
    command = ROOT / ".venv-crossbar" / "bin" / "crossbar"
    if not command.is_file():
        raise FileNotFoundError(f"{command} is missing: run interop/setup")
    node = _node_file(directory, config).parent
    arguments = [str(command), "start", "--cbdir", str(node), "--loglevel", "warn"]
    with _node("crossbar", arguments, directory, port) as running:
        yield running


@contextlib.contextmanager
def wampy_node(directory, config, port):
    """Run `wampy router` by a node configuration of Crossbar.io."""
    file = _node_file(directory, config)
    arguments = [str(wampy_binary()), "router", "--crossbar-config", str(file)]
    with _node("wampy", arguments, directory, port) as running:
        yield running


def _node_file(directory, config):
    node = pathlib.Path(directory) / ".crossbar"
    node.mkdir(parents=True, exist_ok=True)
    file = node / "config.json"
    file.write_text(json.dumps(config))
    return file


@contextlib.contextmanager
def _node(name, arguments, directory, port):
    with _process(arguments, cwd=directory) as process:
        output = _Output(process)
        _wait_for_port(port, process, output)
        address = f"127.0.0.1:{port}"
        urls = f"ws://{address}/ws", f"rs://{address}"
        yield Router(name, *urls, always_asks_for_progress=True)
        _terminate(process)


def _crossbar_config(port, auth, roles):
    everything = {
        "uri": "",
        "match": "prefix",
        "allow": {"call": True, "register": True, "publish": True, "subscribe": True},
        "disclose": {"caller": True, "publisher": True},
        "cache": True,
    }
    serializers = ["json", "msgpack", "cbor"]
    transport = {
        "type": "universal",
        "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": port},
        "rawsocket": {"serializers": serializers},
        "websocket": {"ws": {"type": "websocket", "serializers": serializers}},
    }
    if auth:
        transport["rawsocket"]["auth"] = transport["websocket"]["ws"]["auth"] = auth
    roles = [{"name": role, "permissions": [everything]} for role in roles]
    realm = {"name": "realm1", "roles": roles}
    worker = {"type": "router", "realms": [realm], "transports": [transport]}
    return {"version": 2, "workers": [worker]}


@contextlib.contextmanager
def _process(command, cwd):
    """A process with a group of its own, of which nothing is left in the end."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_TIMEOUT_S)


def _terminate(process):
    """Ask the process to end, wait for it, and return its exit code."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{process.args[0]} ignores SIGTERM") from None


class _Output:
    """Reads what a process prints, all the time, so that it never blocks on a full pipe."""

    def __init__(self, process):
        self._process = process
        self._lines = queue.SimpleQueue()
        self._seen = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.decode(errors="replace"))
        self._lines.put(None)

    def wait_for(self, pattern):
        """The first group of the first line that matches `pattern`."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {pattern.pattern} in:\n{self.text()}") from None
            assert line is not None, f"the router ended at once:\n{self.text()}"
            self._seen.append(line)
            if match := pattern.search(line):
                return match.group(1)

    def text(self):
        """All that was printed so far."""
        with contextlib.suppress(queue.Empty):
            while line := self._lines.get_nowait():
                self._seen.append(line)
        return "".join(self._seen)


def free_port():
    """A port that was free a moment ago, for a server that cannot pick one itself."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_for_port(port, process, output):
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the router ended at once:\n{output.text()}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}:\n{output.text()}")


def _wait_for_unix(path, process):
    deadline = time.monotonic() + START_TIMEOUT_S
    while not path.exists():
        assert process.poll() is None, "the router ended at once"
        assert time.monotonic() < deadline, f"the router never made {path}"
        time.sleep(0.01)
