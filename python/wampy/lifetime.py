"""The life of a session: it begins, may be lost and come back, and ends.

What is absent: what is done in it, see ``wampy.session``, and when to connect again after a loss,
see ``wampy.reconnect``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wampy import _wampy, errors, joining, process
from wampy.constants import CLOSE_REASON, CONNECT_TIMEOUT, DEFAULT_REALM, DEFAULT_TIMEOUT
from wampy.delivery import Delivery
from wampy.encryption import DataKey
from wampy.handler_threads import HandlerThreads
from wampy.jobs import Jobs
from wampy.message_handler import MessageHandler
from wampy.messages import Goodbye, Welcome
from wampy.offers import Offers
from wampy.reconnect import Keeper, Reconnect, connect_first
from wampy.records import Records
from wampy.settings import Access, Certificate, StrPath, check_timeout
from wampy.uncopied import Uncopied

if TYPE_CHECKING:
    from wampy.auth import Auth
    from wampy.by_hand import MessagesByHand
    from wampy.connection import Connection

__all__ = ["Lifetime"]

logger: logging.Logger = logging.getLogger("wampy.session")


class Lifetime(Uncopied):
    """A session as far as its beginning and its end go; the base of ``wampy.session.Session``."""

    def __init__(
        self,
        router_url: str,
        message_handler: MessageHandler,
        ipv: int | None = None,
        cert_path: StrPath | None = None,
        call_timeout: float | None = DEFAULT_TIMEOUT,
        realm: str = DEFAULT_REALM,
        roles: Mapping[str, Any] | None = None,
        client_name: str = "wampy",
        auth: Auth | Sequence[Auth] | None = None,
        certificate: Certificate | None = None,
        keys: Sequence[DataKey] = (),
        cipher: str | None = None,
        reconnect: bool | Reconnect | None = False,
        watched: bool = False,
        batched: bool = False,
        cookies: bool | _wampy.CookieJar = False,
        tracebacks: bool = False,
    ) -> None:
        self.url = router_url
        self.message_handler = message_handler
        check_timeout(call_timeout)
        self.call_timeout = call_timeout
        self.realm = realm
        self.client_name = client_name
        #: as whom to connect, and by what means
        self.access: Access = Access(
            roles={} if roles is None else roles,
            auth=auth,
            certificate=certificate,
            cert_path=cert_path,
            ipv=ipv,
            keys=keys,
            cipher=cipher,
            batched=batched,
            cookies=cookies,
        )
        self.tracebacks = tracebacks
        #: whether and how to get a lost session back; None for if there is something to restore
        self.reconnect = reconnect
        #: what gives messages to the message handler
        self.delivery: Delivery = Delivery(message_handler)
        #: whether the program wants to hear of a loss in any case
        self.watched: bool = watched or self.delivery.tells_loss
        self._wire: _wampy.Session | None = None
        self._offers = Offers(self)
        self._jobs = Jobs(client_name, self.delivery, self._offers, lambda: self._wire)
        self._by_hand: MessagesByHand | None = None
        self._keeper: Keeper | None = None
        self._threads: HandlerThreads | None = None
        self._ended = False
        # Those of the connections before this one.
        self._events_undecryptable = 0

    def __repr__(self) -> str:
        state = f"{self.id}, realm {self.realm}" if self.is_open else "not joined"
        return f"<Session {state}>"

    @property
    def id(self) -> int | None:
        """The session id that the router chose, or None before the session has joined."""
        return self._wire.id if self._wire else None

    session_id = id

    @property
    def ipv(self) -> int | None:
        """The version of the Internet Protocol to use, if only one."""
        return self.access.ipv

    @property
    def cert_path(self) -> StrPath | None:
        """The file of the authorities that may have signed the router's certificate."""
        return self.access.cert_path

    @property
    def roles(self) -> Mapping[str, Any]:
        """What the client says in HELLO."""
        return self.access.roles

    @property
    def client(self) -> Any:
        """The client whose session this is."""
        return self.message_handler.client

    @property
    def router(self) -> Any:
        """The router that the client was given, or its URL."""
        return getattr(self.client, "router", None) or self.url

    @property
    def connection(self) -> Connection:
        """The connection, for extensions of wampy 1 that look at it."""
        from wampy.connection import Connection

        return Connection(self)

    @property
    def is_open(self) -> bool:
        """Whether the session has joined and not ended."""
        return self._wire is not None and self._wire.is_open

    @property
    def has_ended(self) -> bool:
        """Whether there was a session that somebody ended."""
        return self._ended

    @property
    def events_undecryptable(self) -> int:
        """How many events were left out because none of the keys opens them."""
        now = self._wire.events_undecryptable if self._wire else 0
        return self._events_undecryptable + now

    @property
    def wire(self) -> _wampy.Session | None:
        """The connection of the present session."""
        return self._wire

    def wait_until_back(self) -> bool:
        """Wait for a lost session that comes back, as long as a start may take; false if none does.

        Raises:
            ConnectionLostError: it does not come back in time.
        """
        keeper = self._keeper
        if keeper is None or not keeper.is_at_work:
            return False
        keeper.wait_until_back(CONNECT_TIMEOUT)
        return True

    @property
    def is_reconnecting(self) -> bool:
        """Whether the session was lost and may come back."""
        return self._keeper is not None and self._keeper.is_at_work

    def begin(self) -> None:
        """Connect and join the realm.

        Raises:
            ConnectionError: the router cannot be reached.
            WelcomeAbortedError: the router does not let us join.
        """
        process.prepare()
        self._part_with_keeper()
        self._forget()
        reconnect = self.reconnect
        if isinstance(reconnect, bool):
            reconnect = Reconnect() if reconnect else None
        self._ended = False
        self._events_undecryptable = 0
        self._begin_on(connect_first(self, reconnect))
        if self.watched or reconnect is not None:
            self._keep()
        self.welcome()

    def connect(self, attempt: _wampy.Attempt | None = None) -> _wampy.Session:
        """Connect and join, without making it the session; ``attempt`` can end that early."""
        settings = self.access.settings(self.url, self.realm)
        return joining.connect(settings, self.delivery, attempt)

    def _begin_on(self, wire: _wampy.Session) -> None:
        self._wire = wire
        self._offers.begin()
        self._jobs.begin()
        self._threads = HandlerThreads(self.client_name, wire, self._jobs.run)
        logger.debug("%s joined %s as session %s", self.client_name, self.realm, wire.id)

    def welcome(self) -> None:
        """Show that the session has joined."""
        if self._wire is not None:
            self.delivery.show(Welcome(self._wire.id, {}))

    def adopt(self, wire: _wampy.Session) -> None:
        """Let a new connection take the place of a lost one, whose ids mean nothing any more."""
        lost, self._wire = self._wire, wire
        self.forget_ids()
        self.records.lose()
        self._begin_on(wire)
        if lost is not None:
            self._events_undecryptable += lost.events_undecryptable
            # Its events that no handler has taken yet are dropped by this.
            lost.close(CLOSE_REASON)

    def _keep(self) -> None:
        """Have somebody see to it that a lost session comes back."""
        wire, reconnect = self._wire, self.reconnect
        if self._keeper is not None or wire is None or (reconnect is False and not self.watched):
            return
        chosen = reconnect if isinstance(reconnect, Reconnect) else Reconnect()
        wanted = None if reconnect is False else chosen
        self._keeper = Keeper(self, wire, wanted, only_if_held=reconnect is None)

    def _part_with_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.stop()

    def end(self, goodbye_from: str | None = None) -> None:
        """Say GOODBYE and disconnect; without a session, do nothing."""
        # First, so that no thread that finds no wire takes this for a session that has not begun.
        self._ended = True
        self._part_with_keeper()
        wire, self._wire = self._wire, None
        self._forget()
        if wire is None:
            return
        wire.close(CLOSE_REASON)
        logger.debug("%s said goodbye", goodbye_from or self.client_name)
        self.delivery.show(Goodbye({}, "wamp.close.goodbye_and_out"))

    @property
    def records(self) -> Records:
        """What the next session is asked for after a loss."""
        return self._offers.records

    def _forget(self) -> None:
        """Drop what belonged to the session that ended, and what the next one would get."""
        self.records.clear()
        self.forget_ids()

    def forget_ids(self) -> None:
        """Drop what belonged to the session that ended."""
        self._offers.forget_ids()
        self._by_hand = None

    def restore(self) -> None:
        """Ask for everything that the present session has not granted."""
        raise NotImplementedError

    def joined(self) -> _wampy.Session:
        """The connection for a new request; waits for it while it is lost and may come back."""
        wire, keeper = self._wire, self._keeper
        if wire is None or self._ended:
            what = "is stopped; start() begins a new session" if self._ended else "has not started"
            raise errors.SessionError(f"{self.client_name} {what}")
        if keeper is not None and not (wire is keeper.wire and wire.is_open):
            return keeper.wait_until_back(self.call_timeout)
        return wire

    def start_threads(self) -> None:
        """Have the jobs of the session taken, and a loss noticed."""
        with self._offers.granting:
            self._jobs.prepare()
        if self._threads is not None:
            self._threads.start()
        if self._keeper is None:
            with self._offers.granting:
                self._keep()

    @property
    def handlers_at_work(self) -> int:
        """How many handlers run at this moment."""
        return self._threads.busy if self._threads is not None else 0
