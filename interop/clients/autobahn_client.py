"""autobahn-python (asyncio) as caller, callee, publisher and subscriber.

WebSocket for `ws://` URLs, RawSocket for `rs://HOST:PORT` and `unix:///PATH`, both over TLS for
`wss://` and `rss://`, with JSON, MessagePack or CBOR, over WebSocket also in batches.
"""

import asyncio
import ssl
import sys
import urllib.parse

import driver
import steps
import txaio
from autobahn.asyncio.rawsocket import WampRawSocketClientFactory
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import create_transport_serializer
from autobahn.wamp.types import (
    CallOptions,
    CallResult,
    ComponentConfig,
    EventDetails,
    PublishOptions,
    RegisterOptions,
    SubscribeOptions,
)


class Served:
    """The procedures and handlers that the serving side offers."""

    def __init__(self):
        self.released = asyncio.Event()

    async def echo(self, *args, **kwargs):
        return CallResult(*args, **kwargs)

    async def fail(self):
        raise ApplicationError(steps.ERROR_URI, *steps.ERROR_ARGS, **steps.ERROR_KWARGS)

    async def count(self, stop, details=None):
        if details.progress:
            for number in range(stop):
                details.progress(number)
        return stop

    async def slow(self):
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            steps.report("interrupted")
            raise ApplicationError("wamp.error.canceled") from None
        return "late"

    async def release(self):
        self.released.set()

    def handler(self, subscription):
        def on_event(*args, details=None, **kwargs):
            steps.report(
                "event",
                on=subscription,
                topic=details.topic,
                publication=details.publication,
                args=steps.to_plain(args),
                kwargs=steps.to_plain(kwargs),
            )

        return on_event


async def serve(session, arguments):
    served = Served()
    for name in ("echo", "fail", "slow", "release"):
        await session.register(getattr(served, name), arguments.prefix + name)
    await session.register(
        served.count, arguments.prefix + "count", RegisterOptions(details_arg="details")
    )
    for match, topic in steps.SUBSCRIPTIONS:
        options = SubscribeOptions(match=match, details_arg="details")
        await session.subscribe(served.handler(match), topic, options)
    steps.report("ready")
    await asyncio.get_running_loop().run_in_executor(None, steps.wait_for_end_of_input)


class Driver(driver.Driver):
    """The steps as this library takes them."""

    error_class = ApplicationError

    def uri_of(self, error):
        return error.error

    def parts_of(self, result):
        # autobahn hands over a bare value unless keywords or several values came back.
        if isinstance(result, CallResult):
            return list(result.results), dict(result.kwresults or {})
        return None

    async def published(self, topic, acknowledge, args, kwargs):
        options = PublishOptions(acknowledge=acknowledge)
        pending = self.session.publish(topic, *args, **kwargs, options=options)
        return (await pending).id if acknowledge else None

    async def own_event(self):
        arrived = asyncio.get_running_loop().create_future()

        def on_event(*args, details: EventDetails, **kwargs):
            arrived.set_result((args, kwargs, details.publication))

        subscription = await self.session.subscribe(
            on_event, "interop.topic.own", SubscribeOptions(details_arg="details")
        )
        publication = await self.session.publish(
            "interop.topic.own",
            5,
            five="5",
            options=PublishOptions(acknowledge=True, exclude_me=False),
        )
        args, kwargs, received = await arrived
        await subscription.unsubscribe()
        steps.report("own_event", args=args, kwargs=kwargs, same=received == publication.id)

    async def progress(self):
        numbers = []
        options = CallOptions(on_progress=numbers.append)
        result = await self.call("count", 3, options=options)
        steps.report("progress", values=numbers, result=result)

    async def cancel(self):
        pending = self.call("slow")
        # Calls of one caller reach one callee in order: after this answer `slow` has been invoked.
        await self.call("echo")
        pending.cancel()
        # autobahn sends CANCEL from a callback; let it run before the next call is sent.
        await asyncio.sleep(0)
        try:
            await pending
            steps.report("canceled", canceled=False)
        except asyncio.CancelledError:
            steps.report("canceled", canceled=True)
        await self.call("release")
        alive = await self.call("echo", "still here")
        steps.report("after_cancel", value=alive)

    async def retained(self):
        """The event comes to who subscribes after it was published."""
        topic = "interop.topic.kept"
        publication = await self.session.publish(
            topic,
            [1, "zwei"],
            three=3,
            options=PublishOptions(acknowledge=True, exclude_me=False, retain=True),
        )
        arrived = asyncio.get_running_loop().create_future()

        def on_event(*args, details: EventDetails, **kwargs):
            arrived.set_result((args, kwargs, details))

        options = SubscribeOptions(details_arg="details", get_retained=True)
        subscription = await self.session.subscribe(on_event, topic, options)
        args, kwargs, details = await arrived
        await subscription.unsubscribe()
        steps.report(
            "retained",
            args=args,
            kwargs=kwargs,
            same=details.publication == publication.id,
            retained=details.retained,
        )


async def drive(session, arguments):
    await Driver(session, arguments).drive(arguments.steps)


class ScenarioSession(ApplicationSession):
    """Runs the script once joined and leaves the realm afterwards."""

    arguments = None
    outcome = None
    disconnected = None

    async def onJoin(self, details):
        steps.report("joined", session=details.session, serializer=self.arguments.serializer)
        try:
            await (serve if self.arguments.role == "serve" else drive)(self, self.arguments)
            self.outcome.set_result(0)
        except Exception as error:
            self.outcome.set_exception(error)
        finally:
            self.leave()

    def onLeave(self, details):
        steps.report("left", reason=details.reason)
        self.disconnect()

    def onDisconnect(self):
        if not self.disconnected.done():
            self.disconnected.set_result(None)


async def run(arguments):
    """Connect without autobahn's Component, which reports a RawSocket's clean end as a failure."""
    loop = asyncio.get_running_loop()
    session = ScenarioSession(ComponentConfig(arguments.realm))
    session.arguments = arguments
    session.outcome = loop.create_future()
    session.disconnected = loop.create_future()
    txaio.config.loop = loop
    batched = ".batched" if arguments.batched else ""
    serializer = create_transport_serializer(arguments.serializer + batched)
    address = urllib.parse.urlsplit(arguments.url)
    if address.scheme in ("ws", "wss"):
        factory = WampWebSocketClientFactory(
            lambda: session, url=arguments.url, serializers=[serializer], loop=loop
        )
    else:
        factory = WampRawSocketClientFactory(lambda: session, serializer=serializer)
    if address.scheme == "unix":
        await loop.create_unix_connection(factory, address.path)
    else:
        tls = ssl.create_default_context() if address.scheme in ("wss", "rss") else None
        await loop.create_connection(factory, address.hostname, address.port, ssl=tls)
    await session.disconnected
    if not session.outcome.done():
        sys.exit("the session ended before the script was done")
    return session.outcome.result()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(steps.parse_command_line())))
