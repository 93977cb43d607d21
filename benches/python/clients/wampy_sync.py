"""wampy's blocking client."""

import time

import blocking
import measured

import wampy


class Echo(wampy.Client):
    """Offers what the load generator calls."""

    @wampy.callee(name="bench.python.echo")
    def echo(self, value):
        """Return what came."""
        return value


def main():
    """Measure one cell."""
    arguments = measured.arguments(__doc__)
    if arguments.cell == "memory":
        blocking.memory(lambda: connected(wampy.Client, arguments))
        measured.leave()
    with connected(Echo if arguments.cell == "callee" else wampy.Client, arguments) as client:
        if arguments.cell == "round-trip":
            blocking.round_trip(client.call, arguments)
        elif arguments.cell == "publish":
            blocking.publish(client.call, client.publish, arguments)
        elif arguments.cell == "callee":
            blocking.callee(client.call, "bench.python.echo", arguments)
        elif arguments.cell == "events":
            events = measured.Events(
                arguments.payload, lambda count: client.publish("bench.ack", count)
            )
            client.subscribe("bench.event", events.take)
            blocking.events(client.call, events, arguments, time.sleep)


def connected(kind, arguments):
    """A client that has joined."""
    client = kind(url=arguments.url, call_timeout=measured.PATIENCE)
    client.start()
    return client


main()
