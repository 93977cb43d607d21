"""wampy 1.1.0 from PyPI, over gevent."""

# Importing wampy patches the standard library for gevent, which has to come before other imports.
from wampy.peers import Client  # isort: skip
from wampy.messages import Error  # isort: skip
from wampy.roles.callee import callee  # isort: skip
from wampy.roles.subscriber import subscribe  # isort: skip
from wampy.testing import wait_for_registrations, wait_for_subscriptions  # isort: skip

import blocking
import gevent
import measured


class Echo(Client):
    """Offers what the load generator calls."""

    @callee
    def bench_python_echo(self, value, **rest):
        """Return what came."""
        return value


class Listener(Client):
    """Takes what is published."""

    events = None

    @subscribe(topic="bench.event")
    def on_event(self, value, **rest):
        """Count the event."""
        self.events.take(value)


def main():
    """Measure one cell."""
    arguments = measured.arguments(__doc__)
    if arguments.cell == "memory":
        blocking.memory(lambda: connected(Client, arguments))
        measured.leave()
    kind = {"callee": Echo, "events": Listener}.get(arguments.cell, Client)
    client = connected(kind, arguments)

    def call(procedure, *args):
        """Call for the value of the result; wampy 1 returns errors."""
        value = client.call(procedure, *args)
        if isinstance(value, Error):
            raise SystemExit(f"{procedure}: {value.message}")
        return value

    def publish(topic, value):
        """Publish by keyword, which is all that wampy 1 can."""
        client.publish(topic=topic, value=value)

    if arguments.cell == "round-trip":
        blocking.round_trip(call, arguments)
    elif arguments.cell == "publish":
        blocking.publish(call, publish, arguments)
    elif arguments.cell == "callee":
        wait_for_registrations(client, 1)
        blocking.callee(call, "bench_python_echo", arguments)
    elif arguments.cell == "events":
        wait_for_subscriptions(client, 1)
        client.events = measured.Events(
            arguments.payload, lambda count: publish("bench.ack", count)
        )
        blocking.events(call, client.events, arguments, gevent.sleep)
    measured.leave()


def connected(kind, arguments):
    """A client that has joined."""
    client = kind(url=arguments.url, call_timeout=measured.PATIENCE)
    client.start()
    return client


main()
