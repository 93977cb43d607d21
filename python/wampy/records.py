"""What a client has asked a router for, in a form from which it can ask the next session again.

A record is kept from the moment when the router has granted it until the program or the router
takes it back. What is absent: the handlers of the present session by its ids; the session has them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from wampy.errors import SessionError, WampyError
from wampy.meta import ADD_TESTAMENT

if TYPE_CHECKING:
    from wampy import _wampy
    from wampy.offers import Offers
    from wampy.roles.callee import Procedure
    from wampy.session import Session

__all__ = ["Record", "Records", "RegistrationRecord", "SubscriptionRecord"]

logger: logging.Logger = logging.getLogger("wampy.reconnect")

#: How many requests of a session that is restored are under way at a time.
RESTORED_AT_ONCE = 64


class Record:
    """Something that has a handler, and an id in each session."""

    __slots__ = ("first_id", "handler", "id")

    def __init__(self, granted_id: int, handler: Callable[..., Any]) -> None:
        #: the id that the program was told when it asked
        self.first_id: int = granted_id
        #: the id in the present session, or None if that has not granted it
        self.id: int | None = granted_id
        self.handler: Callable[..., Any] = handler

    def ask(self, wire: _wampy.Session, topics: set[Any]) -> _wampy.Asked | None:
        """Ask for it, and wait for no answer; None if it is not to be asked for by itself.

        Args:
            wire: the present connection.
            topics: the keys of the topics that were asked for already.
        """
        raise NotImplementedError

    def note(self, offers: Offers, asked: _wampy.Asked | None) -> int:
        """Wait until it is granted, which makes a record of its own; returns the id."""
        raise NotImplementedError


_R = TypeVar("_R", bound=Record)


class RegistrationRecord(Record):
    """A procedure that the client offers."""

    __slots__ = ("declared", "method", "options", "procedure")

    def __init__(
        self,
        granted_id: int,
        procedure: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any],
        method: str | None,
        declared: Procedure | None,
    ) -> None:
        super().__init__(granted_id, handler)
        self.procedure: str = procedure
        self.options: Mapping[str, Any] = options
        self.method: str | None = method
        self.declared: Procedure | None = declared

    def __str__(self) -> str:
        return f"the procedure {self.procedure}"

    def ask(self, wire: _wampy.Session, topics: set[Any]) -> _wampy.Asked | None:
        """Ask for the registration."""
        return wire.ask_to_register(self.procedure, self.options)

    def note(self, offers: Offers, asked: _wampy.Asked | None) -> int:
        """Register it, with its description if it has one."""
        handler, method = self.handler, self.method
        if self.declared is not None:
            return offers.offer(self.declared, handler, method, asked)
        granted = offers.register(self.procedure, handler, self.options, method, asked=asked)
        return granted.registration_id


class SubscriptionRecord(Record):
    """A handler and the topic that it listens to; several may share a subscription."""

    __slots__ = ("described", "options", "topic")

    def __init__(
        self,
        granted_id: int,
        topic: str,
        handler: Callable[..., Any],
        options: Mapping[str, Any],
        described: bool,
    ) -> None:
        super().__init__(granted_id, handler)
        self.topic: str = topic
        self.options: Mapping[str, Any] = options
        self.described: bool = described

    def __str__(self) -> str:
        return f"the subscription to {self.topic}"

    def ask(self, wire: _wampy.Session, topics: set[Any]) -> _wampy.Asked | None:
        """Ask for the subscription, unless another handler shares it."""
        key = topic_key(self.topic, self.options)
        if key in topics:
            return None
        topics.add(key)
        return wire.ask_to_subscribe(self.topic, self.options)

    def note(self, offers: Offers, asked: _wampy.Asked | None) -> int:
        """Subscribe, with a description if there is one."""
        topic, handler, options = self.topic, self.handler, self.options
        if self.described:
            return offers.listen(topic, handler, options, asked)
        return offers.subscribe(topic, handler, options, asked=asked).subscription_id


class _Testament:
    """An event that the router publishes when the session has ended."""

    __slots__ = ("args", "is_left", "kwargs", "scope")

    def __init__(self, scope: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.scope = scope
        self.args = args
        self.kwargs = kwargs
        #: whether the present session has it
        self.is_left = True

    def __str__(self) -> str:
        return f"the testament for {self.args[0]}"

    def ask(self, session: Session) -> _wampy.AskedCall:
        """Leave it in the present session, too, and wait for no answer."""
        return session.ask_to_call(ADD_TESTAMENT, self.args, self.kwargs)


class Records:
    """Everything that a client's next session has to be asked for."""

    def __init__(self) -> None:
        self.registrations: list[RegistrationRecord] = []
        self.subscriptions: list[SubscriptionRecord] = []
        self.testaments: list[_Testament] = []

    def __bool__(self) -> bool:
        return bool(self.registrations or self.subscriptions)

    def clear(self) -> None:
        """Forget everything: the program has ended the session."""
        self.registrations.clear()
        self.subscriptions.clear()
        self.testaments.clear()

    def lose(self) -> None:
        """Note that the present session has granted nothing yet."""
        for record in (*self.registrations, *self.subscriptions):
            record.id = None
        for testament in self.testaments:
            testament.is_left = False

    @property
    def are_complete(self) -> bool:
        """Whether the present session has granted everything."""
        held = (record.id is not None for record in (*self.registrations, *self.subscriptions))
        return all(held) and all(testament.is_left for testament in self.testaments)

    # What the program takes back

    def present_id(self, records: Sequence[Record], given: int) -> int | None:
        """The present id of what the program may know by its id of an earlier session.

        None if the present session has not granted it. An id that nothing has stays as it is.
        """
        for record in records:
            if record.id == given:
                return given
        for record in records:
            if record.first_id == given:
                return record.id
        return given

    def drop_registration(self, registration_id: int) -> None:
        """Forget a registration that the program or the router has taken back."""
        self.registrations[:] = _without(self.registrations, registration_id)

    def drop_subscription(self, subscription_id: int) -> None:
        """Forget a subscription, with all its handlers."""
        self.subscriptions[:] = _without(self.subscriptions, subscription_id)

    def add_testament(self, scope: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Remember a testament that the router has taken."""
        self.testaments.append(_Testament(scope, args, kwargs))

    def drop_testaments(self, scope: str) -> None:
        """Forget the testaments of a scope."""
        self.testaments[:] = [left for left in self.testaments if left.scope != scope]

    # What the next session is asked for

    def restore(self, session: Session, offers: Offers) -> None:
        """Ask for everything that the present session has not granted; log what it refuses.

        Many requests are under way at a time, so that a client that holds much and is far from its
        router is soon back.

        Raises:
            SessionError: the present session is lost, too, or stopped.
        """
        _restore_testaments(session, [left for left in self.testaments if not left.is_left])
        _restore(session, offers, self.subscriptions, session.unsubscribe)
        _restore(session, offers, self.registrations, session.unregister)


def _restore_testaments(session: Session, lost: Sequence[_Testament]) -> None:
    """Leave what the present session has not got, in the order in which the program has."""
    for start in range(0, len(lost), RESTORED_AT_ONCE):
        some = lost[start : start + RESTORED_AT_ONCE]
        asked = [testament.ask(session) for testament in some]
        for testament, request in zip(some, asked, strict=True):
            with _refusal_logged(session, testament):
                request.answered()
                testament.is_left = True


def _restore(
    session: Session, offers: Offers, records: list[_R], withdraw: Callable[[int], None]
) -> None:
    """Ask for what the records say that nothing has granted."""
    lost = [record for record in records if record.id is None]
    for start in range(0, len(lost), RESTORED_AT_ONCE):
        some = lost[start : start + RESTORED_AT_ONCE]
        with offers.asking(some) as asked:
            for record, request in zip(some, asked, strict=True):
                granted_id = None
                with _refusal_logged(session, record):
                    granted_id = record.note(offers, request)
                if granted_id is not None:
                    _take_its_place(record, granted_id, records, withdraw)


def _take_its_place(
    record: _R, granted_id: int, records: list[_R], withdraw: Callable[[int], None]
) -> None:
    """Let the record that was made when the id was granted stand in the place of ``record``."""
    if record not in records:
        # The program has taken it back meanwhile.
        withdraw(granted_id)
        return
    records.remove(record)
    for successor in records:
        if successor.id == granted_id and successor.handler is record.handler:
            successor.first_id = record.first_id


@contextlib.contextmanager
def _refusal_logged(session: Session, what: object) -> Iterator[None]:
    """Go on if the router refuses what the block waits for."""
    try:
        yield
    except SessionError:
        raise
    except WampyError as error:
        logger.warning("%s does not get back %s: %s", session.client_name, what, error)


def _without(records: Sequence[_R], given: int) -> list[_R]:
    """The records but those that have ``given`` as their present id, or else as their first."""
    others = [record for record in records if record.id != given]
    if len(others) < len(records):
        return others
    return [record for record in records if record.first_id != given]


def topic_key(topic: str, options: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """What handlers have in common that share a subscription.

    The router has one subscription for all handlers of a topic, and one event.
    """
    return topic, options.get("match", "exact"), options.get("nkey")
