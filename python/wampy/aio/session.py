"""``Session``: a peer that calls, is called, publishes and subscribes, on an event loop.

What is absent: its scope, which begins and ends it; see ``wampy.aio.connection``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from wampy import _wampy, errors, process
from wampy.aio.handlers import Callee, Registration, check_handler, new_task
from wampy.aio.progressive import Feeder, ProgressiveCall, check_parts
from wampy.aio.rpc import RpcProxy
from wampy.aio.subscription import Subscription
from wampy.encryption import named_key
from wampy.roles.callee import Procedure, procedure_of
from wampy.roles.declared import declared
from wampy.roles.subscriber import options_of, subscribe_options, topic_of
from wampy.settings import Settings

__all__ = ["CALLS_MAX", "Session", "WithOptions"]

logger: logging.Logger = logging.getLogger("wampy.aio")

_T = TypeVar("_T")

#: The most calls of one session that are under way at once; the compiled part counts them.
CALLS_MAX = 1 << 15

_CLOSE_REASON = "wamp.close.close_realm"


class Session:
    """A session; ``wampy.aio.connect`` makes it. It belongs to the event loop that made it.

    The most calls under way at once are ``CALLS_MAX``; further ones wait for their turn, as do
    calls and events while too much waits to be sent.
    """

    def __init__(
        self,
        settings: Settings,
        call_timeout: float | None,
        name: str,
        tracebacks: bool = False,
    ) -> None:
        self._settings = settings
        #: a name for logs
        self.name = name
        #: whether callers are told where procedures of this session failed
        self.tracebacks: bool = tracebacks
        self._timeout = call_timeout or None
        self._options = self._call_options({})
        self._loop: asyncio.AbstractEventLoop
        self._desk: _wampy.AioLoop
        self._wire: _wampy.AioSession
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended: asyncio.Future[BaseException | None]
        self._is_leaving = False

    def __repr__(self) -> str:
        if self.is_open:
            return f"<Session {self.id} of {self.name}, realm {self.realm}>"
        return f"<Session of {self.name}, realm {self.realm}, not joined>"

    # Life

    @property
    def id(self) -> int:
        """The session id that the router chose."""
        return self._joined().id

    @property
    def realm(self) -> str:
        """The realm."""
        realm: str = self._settings["realm"]
        return realm

    @property
    def is_open(self) -> bool:
        """Whether the session has joined and not ended."""
        return hasattr(self, "_wire") and not self._is_leaving and self._wire.is_open

    @property
    def is_leaving(self) -> bool:
        """Whether the session's block is being left, or has been."""
        return self._is_leaving

    async def wait_closed(self) -> None:
        """Wait until the session is lost, as a program does that only answers calls.

        Raises:
            ConnectionError: the session is lost.
        """
        self._joined()
        error = await asyncio.shield(self._ended)
        if error is not None:
            raise error

    async def _begin(self, lost: Callable[[BaseException], None]) -> None:
        """Connect and join; ``lost`` is called when the session is lost."""
        process.prepare()
        loop = self._loop = asyncio.get_running_loop()
        desk = self._desk = _wampy.AioLoop(loop.create_future)
        self._fileno = desk.fileno()
        loop.add_reader(self._fileno, desk.drain)
        try:
            self._wire = await self._operation(desk.connect(self._settings))
            self._ended = self._wire.ended()
        except BaseException:
            self._close()
            raise

        def ended(future: asyncio.Future[BaseException | None]) -> None:
            error = None if future.cancelled() else future.result()
            if error is not None and not self._is_leaving:
                logger.warning("%s has lost its session: %s", self.name, error)
                lost(error)

        self._ended.add_done_callback(ended)
        logger.debug("%s joined %s as session %s", self.name, self.realm, self._wire.id)

    async def _end(self) -> None:
        """Cancel the handlers, wait for them, and say GOODBYE."""
        self._is_leaving = True
        try:
            while self._tasks:
                for task in self._tasks:
                    task.cancel()
                await asyncio.wait(self._tasks)
            await self._wire.leave(_CLOSE_REASON)
            logger.debug("%s said goodbye", self.name)
        except BaseException:
            self._wire.leave_now(_CLOSE_REASON)
            raise
        finally:
            self._ended.cancel()
            self._close()

    def _close(self) -> None:
        self._loop.remove_reader(self._fileno)
        self._desk.close()

    def _joined(self) -> _wampy.AioSession:
        if not hasattr(self, "_wire"):
            raise errors.SessionError(f"{self.name} has not joined: enter its `async with` block")
        if self._is_leaving:
            raise errors.SessionError(f"{self.name} has left: its `async with` block is over")
        return self._wire

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task that ends with the session's block."""
        task = new_task(self._loop, work)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    async def _operation(self, begun: tuple[int, asyncio.Future[Any]]) -> Any:
        """Wait for what was begun, and give it up when this is canceled."""
        token, future = begun
        try:
            return await future
        except asyncio.CancelledError:
            self._desk.abandon(token)
            raise

    # Caller and publisher

    @property
    def rpc(self) -> RpcProxy:
        """Remote procedures as methods: ``await session.rpc.com.shop.order(3)``."""
        return RpcProxy(self)

    def proxy(self, interface: Callable[..., _T], prefix: str = "") -> _T:
        """An object with the methods of an interface, which call procedures.

        See ``wampy.Client.proxy``. The methods are ``async def``; those that return an
        ``AsyncIterator`` are ``def`` and call for a result in parts.
        """
        from wampy.proxy import make_proxy

        return make_proxy(interface, prefix, self, is_async=True)

    def with_options(self, **options: Any) -> WithOptions:
        """This session with options for what it calls and publishes then.

        See ``wampy.Client.with_options``: ``disclose_me``, ``rkey``, ``timeout`` in milliseconds,
        ``encrypt``.
        """
        return WithOptions(self, options)

    async def call(self, procedure: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call ``procedure`` and return its result; see ``with_options`` for the options of CALL.

        When the task that waits is canceled, the call is, too: its handler is interrupted.

        Raises:
            Error: the callee or the router answered with an error.
            WampyTimeOutError: no answer came within ``call_timeout``.
            ConnectionError: the session was lost.
        """
        wire = self._wire if not self._is_leaving else self._joined()
        begun = wire.call(procedure, args, kwargs, self._options, False)
        if begun is None:
            return await self._call(procedure, args, kwargs, self._options)
        token, future = begun
        try:
            return await future
        except asyncio.CancelledError:
            self._desk.abandon(token)
            raise

    async def _call(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: _wampy.AioOptions,
        whole: bool = False,
    ) -> Any:
        while (begun := self._joined().call(procedure, args, kwargs, options, whole)) is None:
            await self._desk.turn()
        return await self._operation(begun)

    def call_progressive(self, procedure: str, /, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Call for a result in parts: ``async for part in session.call_progressive(...)``.

        The call is made when the first part is asked for. The loop waits for each part; the last
        is the result, or the exception that ``call`` raises. Leaving it early cancels the call.
        ``call_timeout`` is the time for one part.
        """
        return self._call_progressive(procedure, args, kwargs, self._options)

    def _call_progressive(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: _wampy.AioOptions,
    ) -> ProgressiveCall:
        async def begin() -> tuple[_wampy.AioStream, None]:
            wire = self._joined()
            return wire.call_progressive(procedure, args, kwargs, options), None

        return ProgressiveCall(begin)

    def call_in_parts(
        self,
        procedure: str,
        parts: AsyncIterable[Any] | Iterable[Any],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> ProgressiveCall:
        """Make a call whose arguments go in parts, for instance those of an async generator.

        The call itself goes with ``args`` and ``kwargs``, when the first part of its result is
        asked for; then each item of ``parts`` follows as one positional argument. See
        ``wampy.Client.call_in_parts``.

        Raises:
            ConfigurationError: ``parts`` is no iterable; or, when the call is made, the router does
                not take calls in parts.
        """
        return self._call_in_parts(procedure, parts, args, kwargs, self._options)

    def _call_in_parts(
        self,
        procedure: str,
        parts: AsyncIterable[Any] | Iterable[Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: _wampy.AioOptions,
    ) -> ProgressiveCall:
        parts = check_parts(parts)

        async def begin() -> tuple[_wampy.AioStream, Feeder]:
            begun = self._joined().call_in_parts(procedure, args, kwargs, options)
            send, results = await self._operation(begun)
            return results, Feeder(self, send, parts)

        return ProgressiveCall(begin)

    async def publish(
        self,
        topic: str,
        /,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        acknowledge: bool = False,
        **kwargs: Any,
    ) -> int | None:
        """Publish an event: ``await session.publish("com.shop.sold", 3, article="tea")``.

        It waits while too much waits to be sent, and with ``acknowledge`` for the router.

        Args:
            topic: the topic.
            args: the positional payload.
            options: options of PUBLISH, see ``wampy.Client.publish``.
            acknowledge: whether the router is to acknowledge the event.
            kwargs: the payload by keyword.

        Returns:
            The publication id if ``acknowledge`` was asked for, else None.
        """
        how = named_key(options) if options else {}
        if acknowledge:
            how["acknowledge"] = True
        published = self._joined().publish(topic, args, kwargs, how, self._timeout)
        return None if published is None else await published

    def _call_options(self, options: Mapping[str, Any]) -> _wampy.AioOptions:
        """The options of CALL: what the program says, and the time limit of the session."""
        merged = named_key(options)
        if self._timeout:
            merged.setdefault("timeout", max(1, int(self._timeout * 1000)))
        return _wampy.AioOptions(merged)

    # Callee and subscriber

    async def register(
        self,
        handler: Callable[..., Any],
        name: str | None = None,
        invocation_policy: str = "single",
        **options: Any,
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
        uri = name or getattr(handler, "__name__", None)
        if uri is None:
            raise errors.ConfigurationError(
                f"{handler!r} has no name: register(handler, name) gives one"
            )
        return await self._offer(Procedure(uri, invocation_policy, **options), handler)

    async def _offer(self, procedure: Procedure, handler: Callable[..., Any]) -> Registration:
        callee = Callee(self, handler, procedure)
        definition = self._definition(
            procedure.uri, handler, "procedure", procedure.options, procedure.beside
        )
        registration = await self._operation(
            self._joined().register(
                procedure.uri, procedure.options, callee, definition, self._timeout
            )
        )
        return Registration(self, procedure.uri, registration)

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
        return Subscription(self, topic, handler, subscribe_options(match, get_retained, nkey))

    async def _subscribe(
        self, topic: str, options: Mapping[str, Any], handler: Callable[..., Any] | None
    ) -> _wampy.AioStream:
        definition = None
        if handler is not None:
            definition = self._definition(topic, handler, "topic", options, ["meta"])
        begun = self._joined().subscribe(topic, options, definition, self._timeout)
        stream: _wampy.AioStream = await self._operation(begun)
        return stream

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
                    done.append(await Subscription(self, topic, handler, options_of(function)))
        except BaseException:
            for one in done:
                await (one.unregister() if isinstance(one, Registration) else one.unsubscribe())
            raise
        if not done:
            raise errors.ConfigurationError(
                f"{type(service).__name__} has neither @callee nor @subscribe methods"
            )
        return done

    def _definition(
        self,
        uri: str,
        handler: Callable[..., Any],
        kind: str,
        options: Mapping[str, Any],
        ours: Sequence[str],
    ) -> dict[str, Any] | None:
        """What the router is told of ``handler``, if it asks."""
        role = "dealer" if kind == "procedure" else "broker"
        if uri.startswith("wamp.") or not self._joined().router_has(role, "reflection"):
            return None
        from wampy.reflection import definition_of

        try:
            return definition_of(handler, kind, options.get("match", "exact"), ours)
        except Exception:
            # Whatever stands in annotations, the procedure works without.
            logger.exception("%s cannot be described", uri)
            return None

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
        how = {"scope": scope, "publish_options": dict(options or {})}
        what = (topic, list(args), kwargs)
        await self._call("wamp.session.add_testament", what, how, self._options)

    async def flush_testaments(self, scope: str = "destroyed") -> None:
        """Take back the testaments of a scope."""
        await self._call("wamp.session.flush_testaments", (), {"scope": scope}, self._options)

    async def history(
        self, topic: str | int, *, match: str = "exact", **filters: Any
    ) -> list[dict[str, Any]]:
        """Events that the router has kept, the oldest first; see ``wampy.Client.history``."""
        subscription = topic
        if isinstance(topic, str):
            subscription = await self.call("wamp.subscription.lookup", topic, {"match": match})
            if subscription is None:
                raise errors.Error("wamp.error.no_such_subscription", topic)
        asked = {key: value for key, value in filters.items() if value is not None}
        result = await self._call(
            "wamp.subscription.get_events", (subscription,), asked, self._options, whole=True
        )
        return [{"args": [], "kwargs": {}, **event} for event in result[2]]

    async def describe(
        self, uri: str, kind: str = "procedure", match: str | None = None
    ) -> dict[str, Any] | None:
        """What the router knows of a procedure, a topic or an error; None if it knows nothing.

        See ``wampy.Client.describe``.
        """
        how = {} if match is None else {"match": match}
        description: dict[str, Any] | None = await self.call(
            f"wamp.reflection.{kind}.describe", uri, **how
        )
        return description


class WithOptions:
    """A session with options for what it calls and publishes; see ``Session.with_options``."""

    __slots__ = ("_call_options", "_options", "_session")

    def __init__(self, session: Session, options: Mapping[str, Any]) -> None:
        self._session = session
        self._options = named_key(options)
        # The options of CALL have a second one beside ``rkey``.
        partition = {"runmode": "partition"} if "rkey" in self._options else {}
        self._call_options = session._call_options({**partition, **self._options})

    @property
    def rpc(self) -> RpcProxy:
        """Remote procedures as methods, called with the options."""
        return RpcProxy(self)

    def proxy(self, interface: Callable[..., _T], prefix: str = "") -> _T:
        """Do as ``Session.proxy``; its methods call with the options."""
        from wampy.proxy import make_proxy

        return make_proxy(interface, prefix, self, is_async=True)

    async def call(self, procedure: str, /, *args: Any, **kwargs: Any) -> Any:
        """Do as ``Session.call``, with the options."""
        return await self._session._call(procedure, args, kwargs, self._call_options)

    def call_progressive(self, procedure: str, /, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Do as ``Session.call_progressive``, with the options."""
        return self._session._call_progressive(procedure, args, kwargs, self._call_options)

    def call_in_parts(
        self,
        procedure: str,
        parts: AsyncIterable[Any] | Iterable[Any],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> ProgressiveCall:
        """Do as ``Session.call_in_parts``, with the options."""
        return self._session._call_in_parts(procedure, parts, args, kwargs, self._call_options)

    async def publish(
        self,
        topic: str,
        /,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        acknowledge: bool = False,
        **kwargs: Any,
    ) -> int | None:
        """Do as ``Session.publish``, with the options."""
        how = {**self._options, **(options or {})}
        return await self._session.publish(
            topic, *args, options=how, acknowledge=acknowledge, **kwargs
        )

    def __repr__(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in self._options.items())
        return f"<{self._session.name} with {given}>"
