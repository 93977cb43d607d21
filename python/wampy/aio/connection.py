"""``wampy.aio.connect``: the scope of a session.

What is absent: what a session can do; see ``wampy.aio.session``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wampy import address, errors
from wampy._wampy import CookieJar
from wampy.aio.link import Link
from wampy.aio.session import Session
from wampy.constants import DEFAULT_REALM, DEFAULT_ROLES, DEFAULT_ROUTER_URL, DEFAULT_TIMEOUT
from wampy.encryption import DataKey
from wampy.options import options_named
from wampy.reconnect import Reconnect
from wampy.settings import Access, Certificate, StrPath, check_target, check_timeout
from wampy.uncopied import Uncopied

if TYPE_CHECKING:
    from wampy.auth import Auth

__all__ = ["Connection", "connect"]

_ENTER = "write `async with wampy.aio.connect(...) as session:`"


@options_named
def connect(
    url: str | None = None,
    *,
    realm: str | None = None,
    router: Any = None,
    auth: Auth | Sequence[Auth] | None = None,
    roles: Mapping[str, Any] = DEFAULT_ROLES,
    call_timeout: float | None = DEFAULT_TIMEOUT,
    certificate: Certificate | None = None,
    cert_path: StrPath | None = None,
    ipv: int | None = None,
    keys: Sequence[DataKey] = (),
    cipher: str | None = None,
    batched: bool = False,
    cookies: bool | CookieJar = False,
    reconnect: bool | Reconnect | None = None,
    name: str = "wampy",
    tracebacks: bool = False,
) -> Connection:
    """Connect to a router and join a realm: ``async with wampy.aio.connect(url) as session``.

    Leaving the block cancels the handlers that run, waits for them and says GOODBYE. When the
    session is lost meanwhile, whoever waits for an answer gets an exception, and the block is left
    by one: the task in it is canceled, and the block raises ``ConnectionError`` in place of that.

    Args:
        url: where the router is: ``ws://``, ``wss://``, ``rs://``, ``rss://``, ``unix://``;
            ``ws://localhost:8080`` unless given.
        realm: the realm to join; the router's, or ``realm1``, unless given.
        router: a router of ``wampy`` or anything with a ``url``, instead of one.
        auth: what to prove oneself with: an object of ``wampy.auth``, or several.
        roles: what to say in HELLO: ``{"authmethods": ..., "authid": ...}``.
        call_timeout: how long a call may take, in seconds; 0 or None for as long as it takes.
        certificate: a file of a TLS certificate, and one of its private key, to prove oneself with.
        cert_path: a file of the authorities that may have signed the router's certificate.
        ipv: 4 or 6 to use only that version of the Internet Protocol.
        keys: keys for end-to-end encryption, objects of ``wampy.DataKey``.
        cipher: how calls and events are encrypted: ``xsalsa20poly1305`` unless given, or
            ``aes256gcm``.
        batched: whether to prefer that messages which are sent together share WebSocket frames, or
            requests of long-polling (the subprotocols ``wamp.2.*.batched``).
        cookies: whether to keep the cookies that the router sets, in a jar of the connection's own,
            or a ``wampy.CookieJar`` to share. Who has authenticated once is then known again by the
            authmethod ``cookie``, if the router has it.
        reconnect: True or a ``wampy.Reconnect`` to get a lost session back, with all its
            registrations, subscriptions and testaments. Calls that are under way fail even so;
            those that are made meanwhile wait, within their time limit.
        name: a name for logs and ``repr``.
        tracebacks: whether callers are told where procedures of this session failed, if they do
            unexpectedly; ``@callee(traceback=True)`` says so of one.

    Raises:
        ConfigurationError: an argument makes no sense; nothing was sent.
        ConnectionError: the router cannot be reached; when the block is entered.
        WelcomeAbortedError: the router does not let us join; likewise.
    """
    check_target(url, router, realm)
    check_timeout(call_timeout)
    access = Access(
        roles=roles,
        auth=auth,
        certificate=certificate,
        cert_path=cert_path,
        ipv=ipv,
        keys=keys,
        cipher=cipher,
        batched=batched,
        cookies=cookies,
    )
    settings = access.settings(
        DEFAULT_ROUTER_URL if url is None else url,
        realm or getattr(router, "realm", None) or DEFAULT_REALM,
        reconnect=_reconnect(reconnect),
    )
    address.normalize(settings["url"])
    link = Link(settings, call_timeout, name)
    return Connection(link, Session(link, tracebacks), router)


def _reconnect(wanted: bool | Reconnect | None) -> tuple[float, float, int | None, bool] | None:
    """Shortest and longest delay, most attempts, and whether also for the first connection."""
    if not wanted:
        return None
    if wanted is True:
        wanted = Reconnect()
    if not isinstance(wanted, Reconnect):
        raise errors.ConfigurationError(f"reconnect must be a bool or a Reconnect, not {wanted!r}")
    return wanted.delay_min, wanted.delay_max, wanted.attempts_max, wanted.first_connection


class Connection(Uncopied):
    """The scope of a session, for ``async with``; each is good for one."""

    def __init__(self, link: Link, session: Session, router: Any) -> None:
        self._link = link
        self._session = session
        self._router = router
        self._task: asyncio.Task[Any] | None = None
        self._loss: BaseException | None = None

    async def __aenter__(self) -> Session:
        if self._task is not None:
            raise errors.ConfigurationError("a connection is good for one block; connect anew")
        self._task = asyncio.current_task()
        if self._router is not None:
            url = getattr(self._router, "url", self._router)
            self._link.settings["url"] = address.normalize(url)
        await self._link.begin(self._lost)
        return self._session

    def _lost(self, error: BaseException) -> None:
        """Get the program out of the block, whatever it waits for there."""
        self._loss = error
        if self._task is not None:
            self._task.cancel()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._link.is_leaving = True
        is_ours = self._loss is not None and await self._absorb(exc)
        await self._link.end()
        if is_ours and self._loss is not None:
            raise self._loss from None

    async def _absorb(self, exc: BaseException | None) -> bool:
        """Take back the cancelation by ``_lost``; whether the loss is why the block is left."""
        if not isinstance(exc, asyncio.CancelledError):
            # It may not have come through yet.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        # Python 3.10 counts no requests to cancel.
        uncancel = getattr(self._task, "uncancel", None)
        others = uncancel() if uncancel is not None else 0
        if isinstance(exc, asyncio.CancelledError):
            return not others
        return exc is None

    if not TYPE_CHECKING:
        # What a session has, a program may look for here; type checkers see by themselves.

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or not hasattr(Session, name):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            raise AttributeError(f"a connection has no {name!r}: {_ENTER}")

        def __await__(self) -> Any:
            raise TypeError(f"a connection is not awaited: {_ENTER}")

    def __repr__(self) -> str:
        return f"<Connection of {self._session!r}>"
