"""The cells of an asyncio client, over two functions: ``call`` and ``publish``."""

import asyncio
import sys
import time

import measured

LOOPS = ("asyncio", "uvloop")


def run(main, loop):
    """Run a coroutine on a loop of that kind."""
    if loop == "asyncio":
        return asyncio.run(main)
    import uvloop

    if sys.version_info < (3, 11):
        uvloop.install()
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def round_trip(call, arguments):
    """Calls one after the other."""
    payload, clock = arguments.payload, time.perf_counter
    taken = []
    for number in range(measured.WARM_UP):
        await call("bench.echo", payload.make(number))
    end = clock() + arguments.seconds
    started = clock()
    while started < end:
        number += 1
        value = payload.make(number)
        started = clock()
        answer = await call("bench.echo", value)
        taken.append(clock() - started)
        measured.check_echo(answer, number, payload)
    measured.times(taken)


async def calls(call, arguments):
    """Calls of several tasks at a time."""
    payload, clock = arguments.payload, time.perf_counter
    for number in range(measured.WARM_UP):
        await call("bench.echo", payload.make(number))
    started = clock()
    end = started + arguments.seconds

    async def caller():
        number = 0
        while clock() < end:
            answer = await call("bench.echo", payload.make(number))
            measured.check_echo(answer, number, payload)
            number += 1
        return number

    counts = await asyncio.gather(*(caller() for _ in range(measured.IN_FLIGHT)))
    measured.rate(sum(counts), clock() - started)


async def publish(call, publish, arguments):
    """Unacknowledged events, until a subscriber has had all of them.

    ``publish`` returns None or something to await.
    """
    payload, clock = arguments.payload, time.perf_counter
    number = 0
    started = clock()
    while clock() < started + arguments.seconds:
        for number in range(number, number + measured.PUBLISHED_AT_ONCE):  # noqa: B020
            waits = publish("bench.published", payload.make(number))
            if waits is not None:
                await waits
        number += 1
        # What only appends to a buffer needs a turn of the loop to send it.
        await asyncio.sleep(0)
    await call("bench.received", number)
    measured.rate(number, clock() - started)


async def events(call, events, arguments):
    """Events of a flood, which a handler hands to ``events``."""
    published = await call("bench.flood", arguments.seconds, arguments.kind)
    patience = time.monotonic() + measured.PATIENCE
    while not events.is_over(published) and time.monotonic() < patience:
        await asyncio.sleep(0.01)
    events.report(published)


async def callee(call, procedure, arguments):
    """Calls of a procedure that this client offers."""
    count, seconds = await call(
        "bench.load", procedure, arguments.seconds, measured.IN_FLIGHT, arguments.kind
    )
    measured.rate(count, seconds)


async def memory(connect):
    """Clients, one after the other in one process; ``connect`` returns one."""
    clients = [await connect() for _ in range(measured.CLIENTS_BEFORE)]
    before = measured.resident()
    clients += [await connect() for _ in range(measured.CLIENTS)]
    measured.memory(before, measured.resident())
