"""The apps of ``wampy run``: found, started together, and stopped in order.

What is absent: threads of its own. The main thread waits for a signal; the clients do the rest.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import logging
import os
import select
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType, ModuleType
from typing import Any

from wampy import errors
from wampy.cli import exits
from wampy.cli.exits import Failure
from wampy.peers.clients import Client
from wampy.reconnect import Reconnect

__all__ = ["run"]

logger: logging.Logger = logging.getLogger("wampy.run")

#: How often to look whether handlers have finished, in seconds.
FINISHED_INTERVAL = 0.02


def run(names: Sequence[str], url: str | None, realm: str | None, waits: bool, grace: float) -> int:
    """Run apps until a signal comes or one of them fails; returns the exit code.

    Args:
        names: ``module:Class`` of each.
        url: where the router is, unless the classes say so.
        realm: the realm to join, unless the classes say so.
        waits: whether to wait for a router that is not there yet.
        grace: how long handlers may go on when the apps stop, in seconds.
    """
    signals = _Signals()
    clients: list[Client] = []
    with signals.caught():
        try:
            for name in names:
                client = _make(name, _load(name), url, realm)
                _watch(client, signals)
                clients.append(client)
                _start(name, client, waits)
            signals.hold()
            for name, client in zip(names, clients, strict=True):
                _announce(name, client)
            told = signals.wait()
            logger.info("%s: stopping", told)
        except Failure as failure:
            _stop(clients, grace)
            return failure.tell()
        except KeyboardInterrupt:
            _stop(clients, 0)
            return exits.INTERRUPTED
        try:
            _stop(clients, grace)
        except KeyboardInterrupt:
            logger.warning("interrupted again: handlers are not waited for")
            return exits.INTERRUPTED
    return signals.code


class _Signals:
    """Signals, and apps that have given up, as something that the main thread can wait for."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        # Until the apps have started, a signal interrupts what is going on.
        self._interrupts = True
        #: the exit code
        self.code = 0
        self._told = ""

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals that end programs."""
        before = {
            number: signal.signal(number, self._handle)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._interrupts:
            raise KeyboardInterrupt
        self.tell(signal.Signals(number).name, 0)

    def tell(self, what: str, code: int) -> None:
        """End the wait; from any thread, and from a signal handler."""
        if not self._told:
            self._told, self.code = what, code
        os.write(self._writer, b"!")

    def hold(self) -> None:
        """Let signals end the wait instead of interrupting what goes on."""
        self._interrupts = False

    def wait(self) -> str:
        """Wait; returns what has ended it. From then on a signal interrupts again."""
        select.select([self._reader], [], [])
        self._interrupts = True
        return self._told


def _load(name: str) -> type[Client]:
    """The class that ``module:Class`` names."""
    module_name, colon, class_name = name.partition(":")
    if not colon or not module_name or not class_name:
        raise Failure(exits.USAGE, f"{name!r} is no app: it is written module:Class")
    module = _import(module_name)
    found: object = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
    if found is None:
        offers = ", ".join(_clients_in(module)) or "no clients"
        raise Failure(
            exits.USAGE, f"the module {module_name} has no class {class_name}; it has {offers}"
        )
    if not inspect.isclass(found) or not issubclass(found, Client):
        raise Failure(exits.USAGE, f"{name} is no subclass of wampy.Client, but {found!r}")
    return found


def _import(module_name: str) -> ModuleType:
    if module_name.endswith(".py"):
        written = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise Failure(exits.USAGE, f"{module_name} is a file; a module is written {written}")
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # Another one that it imports may be missing, too.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _imported_wrong(module_name) from error
        where = f"looked in {os.getcwd()} and where Python looks"
        raise Failure(exits.USAGE, f"there is no module {error.name}; {where}") from error
    except (ValueError, TypeError) as error:
        if module_name.startswith(".") or ".." in module_name:
            raise Failure(exits.USAGE, f"{module_name!r} is no name of a module") from error
        raise _imported_wrong(module_name) from error
    except Exception as error:
        raise _imported_wrong(module_name) from error


def _imported_wrong(module_name: str) -> Failure:
    trace = traceback.format_exc().rstrip()
    return Failure(exits.FAILED, f"importing {module_name} failed\n{trace}")


def _clients_in(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, Client)
        and value.__module__ == module.__name__
    ]


def _make(name: str, cls: type[Client], url: str | None, realm: str | None) -> Client:
    given: dict[str, Any] = {
        key: value for key, value in (("url", url), ("realm", realm)) if value is not None
    }
    try:
        inspect.signature(cls).bind(**given)
    except TypeError as error:
        takes = ", ".join(given) or "no arguments"
        raise Failure(exits.USAGE, f"{name} cannot be made with {takes}: {error}") from error
    try:
        return cls(**given)
    except errors.WampyError as error:
        raise Failure.of(error, name) from error
    except Exception as error:
        trace = traceback.format_exc().rstrip()
        raise Failure(exits.FAILED, f"{name} cannot be made\n{trace}") from error


def _watch(client: Client, signals: _Signals) -> None:
    """Let the client get lost sessions back, and say so when it does not."""
    session, given_up = client._session, client.on_given_up
    session.watched = True
    if session.reconnect is None:
        session.reconnect = True

    def on_given_up(reason: str) -> None:
        print_reason = Failure(exits.NO_SESSION, f"{client.name} has lost its session: {reason}")
        signals.tell(f"{client.name} has lost its session for good", print_reason.tell())
        given_up(reason)

    instance: Any = client
    instance.on_given_up = on_given_up


def _start(name: str, client: Client, waits: bool) -> None:
    patience, attempt = Reconnect(), 0
    while True:
        try:
            client.start()
            break
        except errors.Error as error:
            raise Failure.of(error, f"{name} cannot start") from error
        except errors.WampyError as error:
            if not waits or not patience.goes_on(attempt, error):
                raise Failure.of(error, f"{name} cannot start") from error
            attempt += 1
            logger.warning("%s waits for its router: %s", name, error)
            time.sleep(patience.delay(attempt))
        except Exception as error:
            trace = traceback.format_exc().rstrip()
            raise Failure(exits.FAILED, f"{name} cannot start\n{trace}") from error


def _announce(name: str, client: Client) -> None:
    """Say what was started."""
    session = client._session
    logger.info("%s joined %s at %s as session %s", name, client.realm, client.url, session.id)
    for procedure in session.registration_map.values():
        logger.info("%s offers %s", name, procedure)
    for _, topic in session.subscription_map.values():
        logger.info("%s listens to %s", name, topic)


def _stop(clients: Sequence[Client], grace: float) -> None:
    """Take everything back, let handlers finish for ``grace`` seconds, and say goodbye."""
    try:
        for client in clients:
            _take_back(client)
        deadline = time.monotonic() + grace
        while (busy := sum(client._session.handlers_at_work for client in clients)) > 0:
            if time.monotonic() >= deadline:
                logger.warning("%d handlers have not finished within %g seconds", busy, grace)
                break
            time.sleep(FINISHED_INTERVAL)
    finally:
        for client in reversed(clients):
            client.stop()


def _take_back(client: Client) -> None:
    """Let no further calls and events come."""
    session = client._session
    if not session.is_open or session.is_reconnecting:
        return
    try:
        for registration_id in tuple(session.registration_map):
            session.unregister(registration_id)
        for subscription_id in tuple(session.subscription_map):
            session.unsubscribe(subscription_id)
    except errors.WampyError as error:
        logger.warning("%s cannot take back what it offers: %s", client.name, error)
