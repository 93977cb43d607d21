"""``wampy.Router``: a whole WAMP router inside this process.

It is the same router as ``wampy router`` on the command line, up in milliseconds, for tests,
notebooks and programs that want no second process. What is absent: arguments beyond address, realms
and TLS. Users, roles and permissions stand in a configuration file, like those of ``wampy router``,
which can be read again; roles can also be set by ``set_roles``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wampy.constants import DEFAULT_HOST, DEFAULT_REALM
from wampy.errors import ConfigurationError

if TYPE_CHECKING:
    from wampy import _wampy

__all__ = ["Router"]

#: How long ``stop`` lets the sessions say goodbye, in seconds.
STOP_TIMEOUT = 2.0


class Router:
    """A router with a thread of its own.

    >>> with Router() as router:
    ...     router.url.startswith("ws://localhost:")
    True

    Args:
        host: the address to listen on; the default takes connections of this machine only.
        port: the port to listen on; 0 picks a free one.
        realm: the realm that clients can join.
        realms: several realms, instead of ``realm``.
        tls_cert: a PEM file with a certificate and its intermediate ones; the router then speaks
            TLS only.
        tls_key: the PEM file with the certificate's private key.
        config: a configuration file (TOML), which says everything; no other argument goes with it.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = 0,
        realm: str = DEFAULT_REALM,
        realms: Iterable[str] | None = None,
        *,
        tls_cert: str | os.PathLike[str] | None = None,
        tls_key: str | os.PathLike[str] | None = None,
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        others = (host, port, realm, realms, tls_cert, tls_key)
        if config is not None and others != (DEFAULT_HOST, 0, DEFAULT_REALM, None, None, None):
            raise ConfigurationError("a configuration file says all: no argument goes with it")
        self._config = config
        self.host = host
        self.realms: list[str] = (
            [realm] if realms is None else [realms] if isinstance(realms, str) else [*realms]
        )
        if not self.realms:
            raise ConfigurationError("a router needs a realm")
        if not isinstance(port, int) or not 0 <= port <= 65535:
            raise ConfigurationError(f"a port is a number from 0 to 65535, not {port!r}")
        if (tls_cert is None) != (tls_key is None):
            raise ConfigurationError("TLS needs both files: tls_cert and tls_key")
        self._tls = None if tls_cert is None or tls_key is None else (tls_cert, tls_key)
        self._port = port
        self._running: _wampy.Router | None = None

    @property
    def realm(self) -> str:
        """The first realm, which clients of this router join unless told otherwise."""
        return self.realms[0]

    @property
    def is_running(self) -> bool:
        """Whether the router is started."""
        return self._running is not None

    @property
    def port(self) -> int:
        """The port: the one that it listens on, or before the start the one asked for.

        Raises:
            ConfigurationError: by its configuration file it listens on no TCP port.
        """
        if self._running is None:
            return self._port
        if self._running.port is None:
            raise ConfigurationError("this router listens on no TCP port")
        return self._running.port

    @property
    def url(self) -> str:
        """The URL for clients.

        Raises:
            ConfigurationError: the port is not known before the start.
        """
        if self._config is not None and self._running is not None:
            return self._running.url
        if self.port == 0:
            raise ConfigurationError("this router has not started, so it has no port yet")
        host = f"[{self.host}]" if ":" in self.host else self.host
        reachable = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
        scheme = "wss" if self._tls else "ws"
        return f"{scheme}://{reachable}:{self.port}"

    def start(self) -> Router:
        """Listen; returns the router itself. A started router stays as it is.

        Raises:
            ConnectionError: the address cannot be listened on.
            ConfigurationError: the files for TLS are no certificate and its key, or the
                configuration file has mistakes, all of which are named.
        """
        if self._running is None:
            from wampy import _wampy, process

            process.prepare()
            if self._config is not None:
                self._running = _wampy.Router.start_by_config(os.fspath(self._config))
                self.realms = self._running.realms
                return self
            tls = self._tls and (os.fspath(self._tls[0]), os.fspath(self._tls[1]))
            self._running = _wampy.Router.start(self.host, self._port, self.realms, tls)
        return self

    def reload(self, config: str | os.PathLike[str] | None = None) -> list[str]:
        """Go on with the settings of the configuration file, which is read again.

        Roles, users, policies and limits of realms count at once, new realms come into being, and
        what concerns connections counts for those that come later. Sessions are not ended.

        Args:
            config: another file than the one that the router was started with.

        Returns:
            The settings that differ and wait for the next start, by their names.

        Raises:
            ConfigurationError: the file has mistakes, all of which are named, and nothing has
                changed; or the router does not run, or runs by no file.
        """
        config = self._config if config is None else config
        if config is None:
            raise ConfigurationError("this router was started without a configuration file")
        waiting = self._started().reload(os.fspath(config))
        self._config = config
        return waiting

    def set_roles(self, roles: Iterable[Mapping[str, Any]], realm: str | None = None) -> None:
        """Give a realm other roles, which count at once.

        Registrations and subscriptions that are not allowed any more are revoked. Without roles
        everybody may do everything.

        >>> with Router() as router:
        ...     router.set_roles([
        ...         {"name": "anonymous", "permissions": [
        ...             {"uri": "com.example.*", "allow": {"call": True, "subscribe": True}},
        ...         ]},
        ...     ])

        Args:
            roles: dicts of ``name`` and ``permissions`` (or ``authorizer``), as they stand in
                Crossbar.io's configuration and in that of ``wampy router``.
            realm: the realm; the first one if not given.

        Raises:
            ConfigurationError: a role is none, or there is no such realm, and nothing has changed;
                or the router does not run.
        """
        import json

        try:
            text = json.dumps([dict(role) for role in roles])
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"roles are dicts, as in JSON: {error}") from error
        self._started().set_roles(self.realm if realm is None else realm, text)

    def _started(self) -> _wampy.Router:
        if self._running is None:
            raise ConfigurationError("this router has not started")
        return self._running

    def stop(self) -> None:
        """Say GOODBYE to every session and stop; a stopped router stays as it is."""
        running, self._running = self._running, None
        if running is not None:
            running.stop(STOP_TIMEOUT)

    def __enter__(self) -> Router:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"at {self.url}" if self._running else "stopped"
        return f"<Router {state}, realms {', '.join(self.realms)}>"
