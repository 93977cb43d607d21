"""The pytest plugin: a router for each test that asks for one, and a client of it.

Fixtures: ``router`` is started on a free port and stopped after the test, ``url`` is where it is,
``client`` is a started client of it, ``config_path`` says how to configure it and is made to be
overridden, ``connection`` is a WebSocket to it and ``session_maker`` makes sessions with it.

A suite that uses none of them loads nothing but this file. Where another plugin has a fixture of
one of these names, that one is meant. What is absent: options of its own, handlers of logging, and
any look at other processes. Only where a suite gives the two options of wampy 1, and nobody else
has them, they stand for pytest's own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from wampy.peers.clients import Client
    from wampy.peers.crossbar import Crossbar
    from wampy.session import Session

__all__ = ["client", "config_path", "connection", "router", "session_maker", "url"]

#: What wampy 1 called its options, and what pytest calls the same.
_LEVEL, _TO_FILE = "--logging-level", "--file-logging"
#: Where wampy 1 wrote the log.
_LOG_FILE = "test-runner-log.log"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Let a suite of wampy 1 go on giving its options; no other suite sees them."""
    result = yield
    # Now the options of the suite itself are known, which are meant if they have these names.
    for option, what in ((_LEVEL, "--log-cli-level"), (_TO_FILE, f"--log-file={_LOG_FILE}")):
        if any(given.partition("=")[0] == option for given in args):
            with contextlib.suppress(ValueError):
                dest = _dest(option)
                parser.addoption(option, dest=dest, metavar="VALUE", help=f"wampy 1: {what}")
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Do by pytest's own options what those of wampy 1 say."""
    level = getattr(config.option, _dest(_LEVEL), None)
    if level is not None:
        config.option.log_cli_level = level
    to_file = getattr(config.option, _dest(_TO_FILE), None)
    if to_file is not None and to_file.lower() not in {"", "0", "no", "false"}:
        config.option.log_file = _LOG_FILE
        config.option.log_file_level = "DEBUG"
        config.option.log_file_mode = "a"


def _dest(option: str) -> str:
    return f"wampy_1{option.replace('-', '_')}"


@pytest.fixture
def config_path() -> str | os.PathLike[str] | None:
    """The configuration of ``router``; override it to name a file.

    A ``.toml`` file, see ``docs/configuration.md``, or a node configuration of Crossbar.io, JSON or
    YAML, see ``docs/crossbar-config.md``: then ``router`` is a ``wampy.peers.Crossbar``. Without
    one the router has the realm ``realm1``, in which everybody may do everything.
    """
    return None


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Any:
    """The URL of ``router``; override it to say where the router has to listen."""
    for theirs in _of_another_plugin(request, "url"):
        return theirs
    router_of_test: _RouterOfTest = request.getfixturevalue("_router_of_test")
    return router_of_test.start(None).url


@pytest.fixture
def router(request: pytest.FixtureRequest) -> Any:
    """A started ``wampy.Router``, new for this test and stopped after it.

    With a node configuration of Crossbar.io it is a ``wampy.peers.routers.Crossbar``, and listens
    where that says.
    """
    for theirs in _of_another_plugin(request, "router"):
        return theirs
    # In this order: the default ``url`` starts the router, an overridden one says where to.
    router_of_test: _RouterOfTest = request.getfixturevalue("_router_of_test")
    return router_of_test.start(request.getfixturevalue("url"))


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A started ``wampy.Client`` of ``router``, stopped after the test."""
    for theirs in _of_another_plugin(request, "client"):
        yield theirs
        return
    from wampy.peers.clients import Client

    started: Client
    with Client(router=request.getfixturevalue("router")) as started:
        yield started


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A WebSocket to ``router`` without a session: a ``wampy.transports.WebSocket``."""
    for theirs in _of_another_plugin(request, "connection"):
        yield theirs
        return
    from wampy.transports import WebSocket

    request.getfixturevalue("router")
    opened = WebSocket(request.getfixturevalue("url"))
    opened.connect(upgrade=True)
    yield opened
    opened.disconnect()


@pytest.fixture
def session_maker(request: pytest.FixtureRequest) -> Iterator[Callable[[Client], Session]]:
    """Makes the ``wampy.session.Session`` of a client with ``router``; all end after the test."""
    from wampy.session import Session

    request.getfixturevalue("router")
    url = request.getfixturevalue("url")
    made: list[Session] = []

    def make(client: Client) -> Session:
        session = Session(
            router_url=url,
            message_handler=client.message_handler,
            call_timeout=client.call_timeout,
            realm=client.realm,
            roles=client.roles,
            client_name=client.name,
        )
        made.append(session)
        return session

    yield make
    for session in made:
        session.end()


@pytest.fixture(name="_router_of_test")
def _router_of_test(config_path: str | os.PathLike[str] | None) -> Iterator[_RouterOfTest]:
    router_of_test = _RouterOfTest(config_path)
    yield router_of_test
    router_of_test.stop()


class _RouterOfTest:
    """The router of one test, which the first who needs it starts."""

    def __init__(self, config_path: str | os.PathLike[str] | None) -> None:
        self._config_path = config_path
        self._started: Any = None

    def start(self, url: str | None) -> Any:
        """Start it at ``url`` or at a free port, unless that has been done; returns it."""
        if self._started is None:
            started = self._made(url)
            started.start()
            self._started = started
        return self._started

    def stop(self) -> None:
        if self._started is not None:
            self._started.stop()

    def _made(self, url: str | None) -> Any:
        if self._config_path is None:
            from wampy.router import Router

            return Router() if url is None else Router(*_place(url))
        path = os.fspath(self._config_path)
        if path.endswith(".toml"):
            from wampy.router import Router

            return Router(config=path)
        from wampy.peers.crossbar import Crossbar

        if url is None:
            url = _url_of(Crossbar(config_path=path))
        return Crossbar(url=url, config_path=path)


def _place(url: str) -> tuple[str, int]:
    """The host and the port that a router has to listen at, to be reached at ``url``."""
    from wampy.constants import DEFAULT_PORT
    from wampy.errors import ConfigurationError

    parts = urlsplit(url)
    if parts.scheme not in {"ws", "rs", "http"} or parts.hostname is None:
        raise ConfigurationError(
            f"the fixture url says {url!r}, where a router without configuration cannot listen: "
            "override config_path, too"
        )
    return parts.hostname, parts.port or DEFAULT_PORT


def _url_of(crossbar: Crossbar) -> str:
    """Where clients of this machine reach the router of a node configuration."""
    from wampy.constants import DEFAULT_PORT

    scheme = "wss" if crossbar.can_use_tls else "ws"
    port = crossbar.transport.get("endpoint", {}).get("port", DEFAULT_PORT)
    # A name of an environment variable stands for the number.
    return f"{scheme}://localhost:{os.path.expandvars(str(port))}"


def _of_another_plugin(request: pytest.FixtureRequest, name: str) -> Iterator[Any]:
    """The fixture of that name that there is beside ours, if there is one.

    Ours must not hide it: whose ``client`` pytest takes, ours or that of pytest-django, depends on
    the order in which it has found the plugins.
    """
    try:
        yield request.getfixturevalue(name)
    except pytest.FixtureLookupError as error:
        if error.argname != name:
            raise
