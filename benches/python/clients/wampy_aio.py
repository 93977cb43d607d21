"""wampy's asyncio client."""

import asyncio
import contextlib

import measured
import tasks

import wampy.aio


async def main(arguments):
    """Measure one cell."""
    if arguments.cell == "memory":
        async with contextlib.AsyncExitStack() as stack:
            await tasks.memory(lambda: stack.enter_async_context(connection(arguments)))
            measured.leave()
    async with connection(arguments) as session:
        if arguments.cell == "round-trip":
            await tasks.round_trip(session.call, arguments)
        elif arguments.cell == "calls":
            await tasks.calls(session.call, arguments)
        elif arguments.cell == "publish":
            await tasks.publish(session.call, session.publish, arguments)
        elif arguments.cell == "callee":
            await session.register(echo, "bench.python.echo")
            await tasks.callee(session.call, "bench.python.echo", arguments)
        elif arguments.cell == "events":
            await events(session, arguments)


def connection(arguments):
    """A session to enter."""
    return wampy.aio.connect(arguments.url, call_timeout=measured.PATIENCE)


async def echo(value):
    """Return what came."""
    return value


async def events(session, arguments):
    """Iterate over a subscription."""
    acknowledging = []

    def acknowledge(count):
        acknowledging[:] = [session.publish("bench.ack", count)]

    events = measured.Events(arguments.payload, acknowledge)

    async def take():
        async for event in subscription:
            events.take(event.args[0])
            while acknowledging:
                await acknowledging.pop()

    async with session.subscribe("bench.event") as subscription:
        taking = asyncio.ensure_future(take())
        await tasks.events(session.call, events, arguments)
        taking.cancel()


async def measured_to_its_end(arguments):
    """Measure; what a client does on its way out is not measured."""
    await main(arguments)
    measured.leave()


command_line = measured.arguments(__doc__, loop=tasks.LOOPS)
tasks.run(measured_to_its_end(command_line), command_line.loop)
