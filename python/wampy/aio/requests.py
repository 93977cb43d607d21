"""What a session calls and publishes, with the options of its own or with others.

What is absent: registering and subscribing, which have options in their arguments; see
``wampy.aio.session``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from wampy import _wampy
from wampy.aio.link import Link
from wampy.aio.progressive import Feeder, ProgressiveCall, check_parts
from wampy.aio.rpc import RpcProxy
from wampy.encryption import named_key
from wampy.options import check_options, check_options_of_publish, options_named
from wampy.uncopied import Uncopied

__all__ = ["CALLS_MAX", "Requests", "WithOptions"]

_T = TypeVar("_T")

#: The most calls of one session that are under way at once; the compiled part counts them.
CALLS_MAX = 1 << 15


class Requests(Uncopied):
    """Calls and publishes by a link; the base of ``Session`` and of ``WithOptions``."""

    def __init__(self, link: Link, options: Mapping[str, Any]) -> None:
        check_options(options)
        self._link = link
        self._options = named_key(options)
        # The options of CALL have a second one beside ``rkey``.
        partition = {"runmode": "partition"} if "rkey" in self._options else {}
        self._call_options = link.call_options({**partition, **self._options})

    @property
    def rpc(self) -> RpcProxy:
        """Remote procedures as methods: ``await session.rpc.com.shop.order(3)``."""
        return RpcProxy(self)

    @options_named
    def proxy(self, interface: Callable[..., _T], prefix: str = "") -> _T:
        """An object with the methods of an interface, which call procedures.

        See ``wampy.Client.proxy``. The methods are ``async def``; those that return an
        ``AsyncIterator`` are ``def`` and call for a result in parts.
        """
        from wampy.proxy import make_proxy

        return make_proxy(interface, prefix, self, is_async=True)

    async def call(self, procedure: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call ``procedure`` and return its result; see ``with_options`` for the options of CALL.

        When the task that waits is canceled, the call is, too: its handler is interrupted.

        Raises:
            Error: the callee or the router answered with an error.
            WampyTimeOutError: no answer came within ``call_timeout``.
            ConnectionError: the session was lost.
        """
        link = self._link
        wire = link.wire
        if wire is None or link.is_leaving:
            wire = link.joined()
        begun = wire.call(procedure, args, kwargs, self._call_options, False)
        if begun is None:
            return await self._call(procedure, args, kwargs)
        # As ``Link.operation`` does it, but without a coroutine more on the way of each call.
        token, future = begun
        try:
            return await future
        except asyncio.CancelledError:
            link.abandon(token)
            raise

    async def _call(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        whole: bool = False,
    ) -> Any:
        """Call when there is room; return the value of the result, or the ``whole`` of it."""
        link, options = self._link, self._call_options
        while (begun := link.joined().call(procedure, args, kwargs, options, whole)) is None:
            await link.turn()
        return await link.operation(begun)

    def call_progressive(self, procedure: str, /, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Call for a result in parts: ``async for part in session.call_progressive(...)``.

        The call is made when the first part is asked for. The loop waits for each part; the last
        is the result, or the exception that ``call`` raises. Leaving it early cancels the call.
        ``call_timeout`` is the time for one part.
        """

        async def begin() -> tuple[_wampy.AioStream, None]:
            wire = self._link.joined()
            return wire.call_progressive(procedure, args, kwargs, self._call_options), None

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
        parts = check_parts(parts)

        async def begin() -> tuple[_wampy.AioStream, Feeder]:
            link = self._link
            begun = link.joined().call_in_parts(procedure, args, kwargs, self._call_options)
            send, results = await link.operation(begun)
            return results, Feeder(link, send, parts)

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
        check_options_of_publish(options)
        how = named_key({**self._options, **options}) if options else dict(self._options)
        if acknowledge:
            how["acknowledge"] = True
        link = self._link
        published = link.joined().publish(topic, args, kwargs, how, link.timeout)
        return None if published is None else await published


class WithOptions(Requests):
    """A session with options for what it calls and publishes; see ``Session.with_options``."""

    def __repr__(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in self._options.items())
        return f"<{self._link.name} with {given}>"
