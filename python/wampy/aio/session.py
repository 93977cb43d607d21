"""``Session``: a peer that calls, is called, publishes and subscribes, on an event loop.

What is absent: its scope, which begins and ends it, see ``wampy.aio.connection``, and calling and
publishing, see ``wampy.aio.requests``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from wampy import errors, meta
from wampy.aio.handlers import Callee, Registration, check_handler
from wampy.aio.link import Link
from wampy.aio.requests import CALLS_MAX, Requests, WithOptions
from wampy.aio.subscription import Subscription
from wampy.describing import description_for
from wampy.options import options_named
from wampy.roles.callee import Procedure, make_procedure, procedure_of, uri_for
from wampy.roles.declared import declared
from wampy.roles.subscriber import options_of, subscribe_options, topic_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wampy.named_options import HistoryFilters, ProcedureOptions, RequestOptions

__all__ = ["CALLS_MAX", "Session", "WithOptions"]


class Session(Requests):
    """A session; ``wampy.aio.connect`` makes it. It belongs to the event loop that made it.

    The most calls under way at once are ``CALLS_MAX``; further ones wait for their turn, as do
    calls and events while too much waits to be sent.
    """

    def __init__(self, link: Link, tracebacks: bool = False) -> None:
        super().__init__(link, {})
        #: a name for logs
        self.name: str = link.name
        #: whether callers are told where procedures of this session failed
        self.tracebacks: bool = tracebacks

    def __repr__(self) -> str:
        return repr(self._link)

    # Life

    @property
    def id(self) -> int:
        """The session id that the router chose."""
        return self._link.joined().id

    @property
    def realm(self) -> str:
        """The realm."""
        return self._link.settings["realm"]

    @property
    def is_open(self) -> bool:
        """Whether the session has joined and not ended."""
        return self._link.is_open

    @property
    def is_leaving(self) -> bool:
        """Whether the session's block is being left, or has been."""
        return self._link.is_leaving

    async def wait_closed(self) -> None:
        """Wait until the session is lost, as a program does that only answers calls.

        Raises:
            ConnectionError: the session is lost.
        """
        await self._link.wait_closed()

    # Caller and publisher

    def with_options(self, **options: Unpack[RequestOptions]) -> WithOptions:
        """This session with options for what it calls and publishes then.

        See ``wampy.Client.with_options``: ``disclose_me``, ``rkey``, ``timeout`` in milliseconds,
        ``encrypt``.
        """
        return WithOptions(self._link, options)

    # Callee and subscriber

    async def register(
        self,
        handler: Callable[..., Any],
        name: str | None = None,
        invocation_policy: str = "single",
        **options: Unpack[ProcedureOptions],
    ) -> Registration:
        """Offer ``handler`` as a procedure from now on.

        Args:
            handler: what to run; one that yields sends a result in parts. Coroutine functions run
                as tasks of their own, plain functions on the event loop itself.
            name: the URI of the procedure; the name of ``handler`` unless given.
            invocation_policy: see ``wampy.roles.callee.callee``.
            options: see ``wampy.roles.callee.Procedure``.

        Raises:
            Error: the router refuses, for instance because the procedure exists already.
        """
        check_handler(handler)
        procedure = make_procedure("register", uri_for(handler, name), invocation_policy, options)
        return await self._offer(procedure, handler)

    async def _offer(self, procedure: Procedure, handler: Callable[..., Any]) -> Registration:
        link = self._link
        wire, uri, options = link.joined(), procedure.uri, procedure.options
        callee = Callee(link, handler, procedure, self.tracebacks or procedure.traceback)
        definition = description_for(wire, uri, handler, "procedure", options, procedure.beside)
        begun = wire.register(uri, options, callee, definition, link.timeout)
        return Registration(link, uri, await link.operation(begun))

    @options_named
    def subscribe(
        self,
        topic: str,
        handler: Callable[..., Any] | None = None,
        *,
        match: str = "exact",
        get_retained: bool = False,
        nkey: str | None = None,
    ) -> Subscription:
        """Listen to a topic: ``async for event in session.subscribe(topic)``.

        With a handler, ``await session.subscribe(topic, handler)`` runs it for each event from now
        on, one after the other; it gets what was published, and ``meta`` if it takes that (see
        ``wampy.subscribe``). Without, the events are iterated over, inside of ``async with`` to
        hear what comes before the loop, too.

        Args:
            topic: the topic, or the pattern of topics.
            handler: a coroutine function, or a plain function.
            match: how the topic matches: ``exact``, ``prefix`` or ``wildcard``.
            get_retained: whether events that the router has kept come first.
            nkey: the key of this subscriber among those that share the topic.
        """
        options = subscribe_options(match, get_retained, nkey)
        return Subscription(self._link, topic, handler, options)

    async def register_all(self, service: object) -> list[Registration | Subscription]:
        """Offer the ``@callee`` methods of an object, and listen with its ``@subscribe`` methods.

        Returns:
            what was registered and subscribed to. If one is refused, none stands.
        """
        done: list[Registration | Subscription] = []
        try:
            for attribute, function in declared(type(service)):
                handler = getattr(service, attribute)
                procedure, topic = procedure_of(function), topic_of(function)
                if procedure is not None:
                    done.append(await self._offer(procedure, handler))
                if topic is not None:
                    done.append(
                        await Subscription(self._link, topic, handler, options_of(function))
                    )
        except BaseException:
            for one in done:
                await (one.unregister() if isinstance(one, Registration) else one.unsubscribe())
            raise
        if not done:
            raise errors.ConfigurationError(
                f"{type(service).__name__} has neither @callee nor @subscribe methods"
            )
        return done

    # What the router knows besides

    async def add_testament(
        self,
        topic: str,
        /,
        *args: Any,
        scope: str = "destroyed",
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Leave an event for when this session has ended; see ``wampy.Client.add_testament``."""
        link, how = self._link, meta.of_testament(scope, options)
        begun = link.joined().add_testament(topic, args, kwargs, how, link.timeout)
        await link.operation(begun)

    async def flush_testaments(self, scope: str = "destroyed") -> None:
        """Take back the testaments of a scope."""
        meta.check_scope(scope)
        link = self._link
        await link.operation(link.joined().flush_testaments(scope, link.timeout))

    async def history(
        self, topic: str | int, /, *, match: str = "exact", **filters: Unpack[HistoryFilters]
    ) -> list[dict[str, Any]]:
        """Events that the router has kept, the oldest first; see ``wampy.Client.history``."""
        asked = meta.given(filters)
        subscription = topic
        if isinstance(topic, str):
            subscription = await self.call(meta.LOOKUP_SUBSCRIPTION, topic, {"match": match})
            if subscription is None:
                raise meta.no_subscription(topic)
        result = await self._call(meta.GET_EVENTS, (subscription,), asked, whole=True)
        return meta.events_of(result[2])

    async def describe(
        self, uri: str, kind: str = "procedure", match: str | None = None
    ) -> dict[str, Any] | None:
        """What the router knows of a procedure, a topic or an error; None if it knows nothing.

        See ``wampy.Client.describe``.
        """
        procedure, how = meta.describe(kind, match)
        description: dict[str, Any] | None = await self.call(procedure, uri, **how)
        return description
