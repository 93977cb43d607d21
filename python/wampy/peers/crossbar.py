"""``Crossbar``: a router that is described by a node configuration of Crossbar.io.

It runs wampy's own router from that configuration, in this process: it is up in milliseconds, needs
nothing to be installed, and is gone with the process whatever happens to that. Told to, it runs the
real Crossbar.io as a process of its own, as wampy 1 did.

What is absent: what is no part of a router (see ``docs/crossbar-config.md``), and any process but
the one that was started here.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wampy.errors import ConfigurationError, ConnectionError, WampyError
from wampy.mixins import ParseUrlMixin
from wampy.options import options_named

if TYPE_CHECKING:
    import subprocess

    from wampy.router import Router

__all__ = ["Crossbar"]

logger: logging.Logger = logging.getLogger("wampy.peers.routers")

#: The environment variable with the command that runs the real Crossbar.io.
COMMAND_VARIABLE = "WAMPY_CROSSBAR"
#: How long Crossbar.io may take until it listens, in seconds.
START_TIMEOUT = 30.0
#: How long it may take to end before it is killed, in seconds.
STOP_TIMEOUT = 10.0
#: How long one attempt to connect may take, in seconds.
CONNECT_TIMEOUT = 5.0


class Crossbar(ParseUrlMixin):
    """A router with a node configuration, started and stopped by hand or by ``with``.

    >>> Crossbar(config_path="nowhere.json")
    Traceback (most recent call last):
    FileNotFoundError: nowhere.json not found

    Args:
        url: where clients reach the router; the configuration has to say the same.
        config_path: the node configuration, JSON or YAML.
        crossbar_directory: the node's directory, to which paths in the configuration are relative;
            that of the file, unless it is given.
        command: the command that runs the real Crossbar.io, as text or as a list of words, such as
            ``"crossbar"``. By default that of the environment variable ``WAMPY_CROSSBAR``, and
            where there is none our own router runs.
        router_only: whether our router leaves out what is no part of a router: other workers,
            components, web services. They are mistakes otherwise.

    Attributes:
        config: the node configuration.
        realm: the first realm's part of it.
        roles: the roles of that realm.
        transport: the transport's part of it; of several, the one at the port of ``url``.
        ipv: 4 or 6.
        certificate: the file with the certificate of the transport, or None.
        host: the host of ``url``; ``port`` is its port, ``websocket_location`` its path.
        proc: the process of Crossbar.io; None while our own router serves.
        started: whether the router was started.

    Raises:
        FileNotFoundError: there is no file ``config_path``.
        WampyError: the configuration has several transports, and none at the port of ``url``.
        ConfigurationError: it is neither JSON nor YAML, or has no router with a realm.
    """

    @options_named
    def __init__(
        self,
        url: str = "ws://localhost:8080",
        config_path: str | os.PathLike[str] = "./crossbar/config.json",
        crossbar_directory: str | os.PathLike[str] | None = None,
        *,
        command: str | Sequence[str] | None = None,
        router_only: bool = False,
    ) -> None:
        self.config: dict[str, Any] = _read(config_path)
        self.config_path = config_path
        worker = _router_of(self.config, config_path)
        self.realm: dict[str, Any] = worker["realms"][0]
        self.roles: list[dict[str, Any]] = self.realm.get("roles", [])
        self.url: str = url
        self.parse_url()
        self.transport: dict[str, Any] = _transport_at(self.port, worker["transports"], url)
        endpoint = self.transport.get("endpoint", {})
        self.ipv: int = endpoint.get("version", 4)
        self.certificate: str | None = endpoint.get("tls", {}).get("certificate")
        self.websocket_location: str | None = self.resource
        self.crossbar_directory = crossbar_directory
        self.proc: subprocess.Popen[bytes] | None = None
        self.started: bool = False
        self._command = os.environ.get(COMMAND_VARIABLE) if command is None else command
        self._router_only = router_only
        self._router: Router | None = None

    @property
    def can_use_tls(self) -> bool:
        """Whether the transport has a certificate."""
        return bool(self.certificate)

    def start(self) -> None:
        """Start the router, and wait until clients can connect.

        Raises:
            WampyError: it is started.
            ConfigurationError: the configuration has mistakes, or parts that have no counterpart
                here: all are named, by line and key.
            ConnectionError: nothing listens at ``url`` in time (30 seconds for Crossbar.io).
        """
        if self.started:
            raise WampyError("Router already started")
        try:
            if self._command:
                self._start_process(self._command)
                self._wait_until_ready()
            else:
                self._start_router()
                self.try_connection()
        except BaseException:
            self._end()
            raise
        self.started = True
        logger.info("ready for connections on %s (IPV%s)", self.url, self.ipv)

    def stop(self) -> None:
        """Stop the router; one that is not started stays as it is."""
        self._end()
        self.started = False

    def try_connection(self) -> None:
        """Connect to where the router has to listen, and close the connection.

        Raises:
            ConnectionError: nobody listens there.
            WampyError: ``ipv`` is neither 4 nor 6.
        """
        import socket

        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        if self.ipv not in families:
            raise WampyError(f"unknown IPV: {self.ipv}")
        host = self.host if self.ipv == 4 else "::1"
        with socket.socket(families[self.ipv], socket.SOCK_STREAM) as connection:
            connection.settimeout(CONNECT_TIMEOUT)
            try:
                connection.connect((host, self.port))
            except OSError as error:
                raise ConnectionError(f"Could not connect to {host}:{self.port}: {error}") from None

    def _start_router(self) -> None:
        from wampy.router import Router

        self._router = Router(
            crossbar_config=self.config_path,
            crossbar_directory=self.crossbar_directory,
            router_only=self._router_only,
        )
        self._router.start()

    def _start_process(self, command: str | Sequence[str]) -> None:
        import atexit
        import shlex
        import subprocess

        words = shlex.split(command) if isinstance(command, str) else [*command]
        path = os.path.abspath(self.config_path)
        directory = self.crossbar_directory or os.path.dirname(path)
        words += ["start", "--cbdir", os.fspath(directory), "--config", path]
        try:
            # A session of its own, so that its workers end with it.
            self.proc = subprocess.Popen(words, start_new_session=True)
        except OSError as error:
            raise ConfigurationError(f"{words[0]!r} cannot be run: {error}") from None
        atexit.register(self._end_process)

    def _wait_until_ready(
        self, timeout: float = START_TIMEOUT, raise_if_not_ready: bool = True
    ) -> bool:
        from time import monotonic, sleep

        end = monotonic() + timeout
        while True:
            try:
                self.try_connection()
            except ConnectionError as error:
                exited = self.proc is not None and self.proc.poll() is not None
                if exited or monotonic() > end:
                    if not raise_if_not_ready:
                        return False
                    why = "it has ended" if exited else f"after {timeout} seconds"
                    raise ConnectionError(
                        f"Failed to connect to Crossbar.io, {why}: {error}"
                    ) from None
                sleep(0.05)
            else:
                return True

    def _end(self) -> None:
        router, self._router = self._router, None
        if router is not None:
            router.stop()
        self._end_process()

    def _end_process(self) -> None:
        """End the process that was started here, and all that it has started."""
        import atexit
        import contextlib
        import signal
        import subprocess

        proc = self.proc
        if proc is None:
            return
        atexit.unregister(self._end_process)
        if proc.poll() is None:
            proc.terminate()
            try:
                proc.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                logger.warning("process %s did not terminate", proc)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(proc.pid, signal.SIGKILL)
        proc.wait()

    def __enter__(self) -> Crossbar:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "started" if self.started else "stopped"
        return f"<Crossbar {state}, {os.fspath(self.config_path)} at {self.url}>"


def _read(config_path: str | os.PathLike[str]) -> dict[str, Any]:
    from wampy import _wampy

    if not os.path.isfile(config_path):
        raise FileNotFoundError(f"{os.fspath(config_path)} not found")
    config = json.loads(_wampy.read_crossbar_config(os.fspath(config_path)))
    if not isinstance(config, dict):
        raise ConfigurationError(f"{os.fspath(config_path)}: expected a dict")
    return config


def _transport_at(
    port: int | None, transports: Sequence[dict[str, Any]], url: str
) -> dict[str, Any]:
    """The transport at a port; a single one at any, since its port may be one that is free."""
    if len(transports) == 1:
        return transports[0]
    for transport in transports:
        # A name of an environment variable may stand for the number.
        if os.path.expandvars(str(transport.get("endpoint", {}).get("port"))) == str(port):
            return transport
    raise WampyError(f"none of the {len(transports)} transports is at {url}: say where, by url")


def _router_of(config: dict[str, Any], path: str | os.PathLike[str]) -> dict[str, Any]:
    """The part of the first worker that is a router."""
    for worker in config.get("workers", []):
        if worker.get("type") == "router" and worker.get("realms") and worker.get("transports"):
            found: dict[str, Any] = worker
            return found
    raise ConfigurationError(f"{os.fspath(path)}: no router with a realm and a transport")
