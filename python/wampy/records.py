"""What a client has asked a router for, in a form from which it can ask the next session again.

A record is kept from the moment when the router has granted it until the program or the router
takes it back. What is absent: the handlers of the present session by its ids; the session has them.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from wampy.errors import SessionError, WampyError
from wampy.meta import ADD_TESTAMENT

if TYPE_CHECKING:
    from wampy.roles.callee import Procedure
    from wampy.session import Session

__all__ = ["Records", "RegistrationRecord", "SubscriptionRecord"]

logger: logging.Logger = logging.getLogger("wampy.reconnect")


class _Record:
    """Something that has a handler, and an id in each session."""

    __slots__ = ("first_id", "handler", "id")

    def __init__(self, granted_id: int, handler: Callable[..., Any]) -> None:
        #: the id that the program was told when it asked
        self.first_id: int = granted_id
        #: the id in the present session, or None if that has not granted it
        self.id: int | None = granted_id
        self.handler: Callable[..., Any] = handler

    def ask(self, session: Session) -> int:
        """Ask the present session for it, which makes a record of its own; returns the id."""
        raise NotImplementedError


_R = TypeVar("_R", bound=_Record)


class RegistrationRecord(_Record):
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

    def ask(self, session: Session) -> int:
        """Register it, with its description if it has one."""
        if self.declared is not None:
            return session.offer(self.declared, self.handler, self.method)
        return session.register(self.procedure, self.handler, self.options, self.method)


class SubscriptionRecord(_Record):
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

    def ask(self, session: Session) -> int:
        """Subscribe, with a description if there is one."""
        asks = session.listen if self.described else session.subscribe
        return asks(self.topic, self.handler, self.options)


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

    def leave(self, session: Session) -> int:
        """Leave it in the present session, too."""
        session.call(ADD_TESTAMENT, self.args, self.kwargs)
        return 1


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

    def present_id(self, records: Sequence[_Record], given: int) -> int | None:
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

    def restore(self, session: Session) -> None:
        """Ask for everything that the present session has not granted; log what it refuses.

        Raises:
            SessionError: the present session is lost, too, or stopped.
        """
        for testament in tuple(self.testaments):
            if not testament.is_left:
                leave = functools.partial(testament.leave, session)
                testament.is_left = _granted(session, testament, leave) is not None
        for record in tuple(self.subscriptions):
            if record.id is None:
                _restore(session, record, self.subscriptions, session.unsubscribe)
        for procedure in tuple(self.registrations):
            if procedure.id is None:
                _restore(session, procedure, self.registrations, session.unregister)


def _restore(
    session: Session, record: _R, records: list[_R], withdraw: Callable[[int], None]
) -> None:
    """Ask for what the record says; its place takes the record that this makes."""
    granted_id = _granted(session, record, lambda: record.ask(session))
    if granted_id is None:
        return
    if record not in records:
        # The program has taken it back meanwhile.
        withdraw(granted_id)
        return
    records.remove(record)
    for successor in records:
        if successor.id == granted_id and successor.handler is record.handler:
            successor.first_id = record.first_id


def _granted(session: Session, what: object, ask: Callable[[], int]) -> int | None:
    """What the router has granted; None if it refuses, which is logged."""
    try:
        return ask()
    except SessionError:
        raise
    except WampyError as error:
        logger.warning("%s does not get back %s: %s", session.client_name, what, error)
        return None


def _without(records: Sequence[_R], given: int) -> list[_R]:
    """The records but those that have ``given`` as their present id, or else as their first."""
    others = [record for record in records if record.id != given]
    if len(others) < len(records):
        return others
    return [record for record in records if record.first_id != given]
