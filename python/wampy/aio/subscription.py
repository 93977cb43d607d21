"""``session.subscribe``: the events of a topic, one after the other, or each to a handler.

What is absent: a queue. Events wait in the compiled part until they are asked for: at most
``EVENTS_MAX`` of a subscription and ``EVENT_BYTES_MAX`` bytes of payload; then the oldest make
room.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from wampy import _wampy, errors
from wampy._wampy import Event
from wampy.aio.handlers import check_handler
from wampy.aio.link import Link
from wampy.describing import description_for
from wampy.roles.callee import prepared
from wampy.roles.subscriber import accepts_meta

__all__ = ["EVENTS_MAX", "EVENT_BYTES_MAX", "Subscription"]

#: The most events of one subscription that wait until they are asked for.
EVENTS_MAX = 1 << 14
#: The most bytes of payload that they hold.
EVENT_BYTES_MAX = 64 << 20

logger: logging.Logger = logging.getLogger("wampy.aio")


class Subscription(AsyncIterator[Event]):
    """A topic that a session listens to.

    It is subscribed to when it is awaited, entered by ``async with``, or iterated over. It is
    unsubscribed from by ``unsubscribe``, when a ``with`` block is left, and when nobody holds it
    any more, as when an ``async for`` over it is left.
    """

    # Before ``__init__`` has looked at its arguments.
    _handler: Callable[..., Any] | None = None
    _was_asked_for = False

    def __init__(
        self,
        link: Link,
        topic: str,
        handler: Callable[..., Any] | None,
        options: Mapping[str, Any],
    ) -> None:
        if not isinstance(topic, str) or not topic:
            raise errors.ConfigurationError(f"a topic must be a string, not {topic!r}")
        if handler is not None:
            check_handler(handler)
        self._link = link
        #: the topic, or the pattern of topics
        self.topic = topic
        self._handler = handler
        self._options = options
        self._stream: _wampy.AioStream | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    @property
    def id(self) -> int | None:
        """The id that the router gave, if the subscription stands."""
        return self._stream.id if self._stream else None

    @property
    def dropped(self) -> int:
        """How many events had to make room, because they were asked for too slowly."""
        return self._stream.dropped if self._stream else 0

    @property
    def undecryptable(self) -> int:
        """How many events were left out because none of the session's keys opens them."""
        return self._stream.undecryptable if self._stream else 0

    def __await__(self) -> Generator[Any, None, Subscription]:
        return self._begin().__await__()

    async def __aenter__(self) -> Subscription:
        return await self._begin()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Subscription:
        if self._handler is not None:
            raise errors.ConfigurationError(
                f"the events of {self.topic} go to {self._handler!r}; subscribe without a handler "
                "to iterate over them"
            )
        return self

    def __anext__(self) -> Awaitable[Event]:
        """Wait for the next event.

        Raises:
            ConnectionError: the session is lost.
        """
        stream = self._stream
        return self._first() if stream is None else stream.__anext__()

    async def _first(self) -> Event:
        await self._begin()
        if self._stream is None:
            raise StopAsyncIteration
        event: Event = await self._stream.__anext__()
        return event

    def __del__(self) -> None:
        # With a handler, nothing else shows that the handler will hear of nothing.
        if self._handler is not None and not self._was_asked_for:
            import warnings

            warnings.warn(
                f"the subscription of {self._handler!r} to {self.topic} was never awaited",
                RuntimeWarning,
                stacklevel=2,
            )

    async def _begin(self) -> Subscription:
        self._was_asked_for = True
        if self._stream is None and not self._is_over:
            self._stream = stream = await self._subscribe()
            if self._handler is not None:
                self._task = self._link.spawn(_consume(stream, self.topic, self._handler))
        return self

    async def _subscribe(self) -> _wampy.AioStream:
        link, topic, options, handler = self._link, self.topic, self._options, self._handler
        wire, definition = link.joined(), None
        if handler is not None:
            definition = description_for(wire, topic, handler, "topic", options, ["meta"])
        begun = wire.subscribe(topic, options, definition, link.timeout)
        stream: _wampy.AioStream = await link.operation(begun)
        return stream

    async def unsubscribe(self) -> None:
        """Unsubscribe and wait for the router's acknowledgement; a second time does nothing."""
        stream, self._stream, self._is_over = self._stream, None, True
        if stream is not None:
            await stream.unsubscribe(self._link.timeout)
        self._stop()

    def close(self) -> None:
        """Unsubscribe without waiting for the acknowledgement."""
        stream, self._stream, self._is_over = self._stream, None, True
        if stream is not None:
            stream.close()
        self._stop()

    def _stop(self) -> None:
        # A handler that unsubscribes its own topic goes on to its end.
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def __repr__(self) -> str:
        state = f"subscription {self.id}" if self.id else "over" if self._is_over else "not begun"
        return f"<Subscription of {self.topic}, {state}>"


async def _consume(stream: _wampy.AioStream, topic: str, handler: Callable[..., Any]) -> None:
    """Run a handler for each event, one after the other."""
    wants_meta = accepts_meta(handler)
    run = prepared(handler, ("meta",))
    while True:
        try:
            event = await stream.__anext__()
        except StopAsyncIteration:
            return
        except errors.SerializationError:
            logger.exception("an event of %s is left out", topic)
            continue
        except (errors.SessionError, errors.ConnectionError) as error:
            # Whoever has the session hears of its loss.
            logger.debug("the subscription of %s has ended: %s", topic, error)
            return
        try:
            meta = {"meta": event.meta} if wants_meta else {}
            result = run(*event.args, **{**event.kwargs, **meta})
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            if isinstance(error, errors.InvalidArgumentError) and error.procedure is None:
                logger.warning("an event of %s is not handled: %s", topic, error)
            else:
                logger.exception("error handling an event of %s", topic)
