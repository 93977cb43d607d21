"""The cells of a client whose calls block, over two functions: ``call`` and ``publish``."""

import time

import measured


def round_trip(call, arguments):
    """Calls one after the other."""
    payload, clock = arguments.payload, time.perf_counter
    taken, number = [], 0
    for number in range(measured.WARM_UP):
        call("bench.echo", payload.make(number))
    end = clock() + arguments.seconds
    started = clock()
    while started < end:
        number += 1
        value = payload.make(number)
        started = clock()
        answer = call("bench.echo", value)
        taken.append(clock() - started)
        measured.check_echo(answer, number, payload)
    measured.times(taken)


def publish(call, publish, arguments):
    """Unacknowledged events, until a subscriber has had all of them."""
    payload, clock = arguments.payload, time.perf_counter
    number = 0
    started = clock()
    while clock() < started + arguments.seconds:
        for number in range(number, number + measured.PUBLISHED_AT_ONCE):  # noqa: B020
            publish("bench.published", payload.make(number))
        number += 1
    call("bench.received", number)
    measured.rate(number, clock() - started)


def events(call, events, arguments, pause):
    """Events of a flood, which a handler hands to ``events``."""
    published = call("bench.flood", arguments.seconds, arguments.kind)
    patience = time.monotonic() + measured.PATIENCE
    while not events.is_over(published) and time.monotonic() < patience:
        pause(0.01)
    events.report(published)


def callee(call, procedure, arguments):
    """Calls of a procedure that this client offers."""
    count, seconds = call(
        "bench.load", procedure, arguments.seconds, measured.IN_FLIGHT, arguments.kind
    )
    measured.rate(count, seconds)


def memory(connect):
    """Clients, one after the other in one process; ``connect`` returns one."""
    clients = [connect() for _ in range(measured.CLIENTS_BEFORE)]
    before = measured.resident()
    clients += [connect() for _ in range(measured.CLIENTS)]
    measured.memory(before, measured.resident())
