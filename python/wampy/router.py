"""``wampy.Router``: a whole WAMP router inside this process.

It is the same router as ``wampy router`` on the command line, up in milliseconds, for tests,
notebooks and programs that want no second process. What is absent: arguments beyond address, realms
and TLS. Users, roles and permissions stand in a configuration file, like those of ``wampy router``,
or in a node configuration of Crossbar.io; ours can be read again. Roles can also be set by
``set_roles``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wampy.constants import DEFAULT_HOST, DEFAULT_REALM
from wampy.errors import ConfigurationError
from wampy.options import options_named
from wampy.uncopied import Uncopied

if TYPE_CHECKING:
    from wampy import _wampy

__all__ = ["Router"]

#: How long ``stop`` lets the sessions say goodbye, in seconds.
STOP_TIMEOUT = 2.0


class Router(Uncopied):
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
        crossbar_config: a node configuration of Crossbar.io (JSON or YAML) instead; see
            ``docs/crossbar-config.md``. What is ignored in it is logged as warnings of
            ``wampy.router``.
        crossbar_directory: the node's directory, if it is not that of ``crossbar_config``.
        router_only: leave out of ``crossbar_config`` what is no part of a router.
    """

    @options_named
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
        crossbar_config: str | os.PathLike[str] | None = None,
        crossbar_directory: str | os.PathLike[str] | None = None,
        router_only: bool = False,
    ) -> None:
        others = (host, port, realm, realms, tls_cert, tls_key)
        is_by_file = config is not None or crossbar_config is not None
        if config is not None and crossbar_config is not None:
            raise ConfigurationError("give config or crossbar_config, not both")
        if crossbar_config is None and (crossbar_directory is not None or router_only):
            raise ConfigurationError(
                "crossbar_directory and router_only mean nothing without crossbar_config"
            )
        if is_by_file and others != (DEFAULT_HOST, 0, DEFAULT_REALM, None, None, None):
            raise ConfigurationError("a configuration file says all: no argument goes with it")
        self._config = config
        self._crossbar = (crossbar_config, crossbar_directory, router_only)
        self._is_by_file = is_by_file
        self.host = host
        self.realms: list[str] = (
            [realm] if realms is None else [realms] if isinstance(realms, str) else [*realms]
        )
        if not self.realms:
            raise ConfigurationError("a router needs a realm")
        for name in self.realms:
            if not isinstance(name, str):
                raise ConfigurationError(f"a realm must have a name, not {name!r}")
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
        if self._is_by_file and self._running is not None:
            return self._running.url
        if self.port == 0:
            raise ConfigurationError("this router does not run, so it has no port")
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
            if self._is_by_file:
                self._running = self._started_by_file()
                self.realms = self._running.realms
                return self
            tls = self._tls and (os.fspath(self._tls[0]), os.fspath(self._tls[1]))
            self._running = _wampy.Router.start(self.host, self._port, self.realms, tls)
        return self

    def _started_by_file(self) -> _wampy.Router:
        from wampy import _wampy

        if self._config is not None:
            return _wampy.Router.start_by_config(os.fspath(self._config))
        running = _wampy.Router.start_by_crossbar_config(*self._crossbar_arguments())
        if running.warnings:
            import logging

            logger = logging.getLogger("wampy.router")
            for warning in running.warnings:
                logger.warning("%s", warning)
        return running

    def _crossbar_arguments(self) -> tuple[str, str | None, bool]:
        path, directory, router_only = self._crossbar
        assert path is not None
        return os.fspath(path), None if directory is None else os.fspath(directory), router_only

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
        if config is None and self._crossbar[0] is not None:
            running = self._started()
            waiting = running.reload_crossbar_config(*self._crossbar_arguments())
            self.realms = running.realms
            return waiting
        config = self._config if config is None else config
        if config is None:
            raise ConfigurationError("this router was started without a configuration file")
        running = self._started()
        waiting = running.reload(os.fspath(config))
        self._config, self.realms = config, running.realms
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
            raise ConfigurationError("this router does not run")
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
