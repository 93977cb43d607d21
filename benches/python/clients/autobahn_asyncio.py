"""autobahn-python on asyncio, with any of its serializers over WebSocket or RawSocket."""

import asyncio
import urllib.parse

import measured
import tasks
import txaio
from autobahn.asyncio.rawsocket import WampRawSocketClientFactory
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.serializer import create_transport_serializer
from autobahn.wamp.types import ComponentConfig


class Session(ApplicationSession):
    """Tells when it has joined."""

    joined = None

    async def onJoin(self, details):
        """Say so."""
        self.joined.set_result(details)


async def connected(arguments):
    """A session that has joined."""
    loop = asyncio.get_running_loop()
    txaio.config.loop = loop
    session = Session(ComponentConfig("realm1"))
    session.joined = loop.create_future()
    serializer = create_transport_serializer(arguments.serializer)
    address = urllib.parse.urlsplit(arguments.url)
    if address.scheme == "ws":
        factory = WampWebSocketClientFactory(
            lambda: session, url=arguments.url, serializers=[serializer], loop=loop
        )
    else:
        factory = WampRawSocketClientFactory(lambda: session, serializer=serializer)
    await loop.create_connection(factory, address.hostname, address.port)
    await session.joined
    return session


async def main(arguments):
    """Measure one cell."""
    if arguments.cell == "memory":
        await tasks.memory(lambda: connected(arguments))
        measured.leave()
    session = await connected(arguments)
    if arguments.cell == "round-trip":
        await tasks.round_trip(session.call, arguments)
    elif arguments.cell == "calls":
        await tasks.calls(session.call, arguments)
    elif arguments.cell == "publish":
        await tasks.publish(session.call, session.publish, arguments)
    elif arguments.cell == "callee":
        await session.register(lambda value: value, "bench.python.echo")
        await tasks.callee(session.call, "bench.python.echo", arguments)
    elif arguments.cell == "events":
        events = measured.Events(
            arguments.payload, lambda count: session.publish("bench.ack", count)
        )
        await session.subscribe(events.take, "bench.event")
        await tasks.events(session.call, events, arguments)
    # What follows, its own shutting down, is not measured.
    measured.leave()


command_line = measured.arguments(__doc__, serializer=("json", "msgpack", "cbor"), loop=tasks.LOOPS)
tasks.run(main(command_line), command_line.loop)
