"""wampy 1.1.0 from PyPI, unmodified, as caller, callee, publisher and subscriber.

WebSocket with JSON only. Its procedures are methods, so their URIs are `interop_echo` and so on,
and it cannot withdraw a registration, take progressive results or subscribe by pattern.
It has no way to cancel on demand; it sends CANCEL when a call takes longer than its timeout.
"""

import sys

# Importing wampy patches the standard library for gevent, which has to come before other imports.
from wampy.errors import WampyError, WampyTimeOutError  # isort: skip
from wampy.messages import Call  # isort: skip
from wampy.peers import Client  # isort: skip
from wampy.roles.callee import callee  # isort: skip
from wampy.roles.subscriber import subscribe  # isort: skip
from wampy.testing import wait_for_registrations, wait_for_subscriptions  # isort: skip

import gevent
import gevent.event
import steps

released = gevent.event.Event()
arrived = gevent.event.AsyncResult()


class Service(Client):
    """The procedures and the handler that the serving side offers."""

    @callee
    def interop_echo(self, *args, **kwargs):
        # wampy can return one value only.
        return {"args": args, "kwargs": kwargs}

    @callee
    def interop_fail(self):
        raise ValueError("broken")

    @callee
    def interop_slow(self):
        # Its one listening greenlet runs the procedures: waiting here would stop it altogether.
        return "late"

    @callee
    def interop_release(self):
        released.set()

    @subscribe(topic="interop.topic.exact")
    def on_exact(self, *args, **kwargs):
        meta = kwargs.pop("meta")
        steps.report("event", on="exact", topic=meta["topic"], args=args, kwargs=kwargs)


class Listener(Client):
    """Subscribes to what it publishes itself."""

    @subscribe(topic="interop.topic.own")
    def on_own(self, *args, **kwargs):
        kwargs.pop("meta")
        arrived.set((args, kwargs))


def serve(arguments):
    with Service(url=arguments.url, realm=arguments.realm) as service:
        steps.report("joined", session=service.session.id, serializer="json")
        wait_for_registrations(service, 4)
        wait_for_subscriptions(service, 1)
        steps.report("ready")
        gevent.get_hub().threadpool.apply(steps.wait_for_end_of_input)
    steps.report("left", reason=None)


class Driver:
    """The calling and publishing side: one method for each step."""

    def __init__(self, client, arguments):
        self.client = client
        self.prefix = arguments.prefix
        self.arguments = arguments

    def echo(self):
        for name, args, kwargs in steps.load_payloads(self.arguments.payloads):
            # `client.call` reads one value out of a result; the message itself has all of them.
            self.client.send_message(Call(self.prefix + "echo", args=args, kwargs=kwargs))
            result = self.client.recv_message()
            got_args, got_kwargs = result.yield_args or [], result.yield_kwargs or {}
            steps.report("echo", name=name, args=got_args, kwargs=got_kwargs)

    def expect_error(self, step, name):
        error = self.client.call(self.prefix + name)
        _, _, _, _, uri, args, kwargs = error.message
        steps.report(step, uri=uri, args=args or [], kwargs=kwargs or {})

    def error(self):
        self.expect_error("error", "fail")

    def missing(self):
        self.expect_error("missing", "nobody.registered.this")
        try:
            self.client.rpc.nobody_registered_this()
        except WampyError as error:
            steps.report("missing_rpc", message=str(error))

    def publish(self):
        for topic in steps.TOPICS:
            # It ignores the acknowledgement, which the router has to send all the same.
            self.publish_one(topic, {"acknowledge": True}, note={"topic": topic})
        self.publish_one("interop.topic.exact", {}, unacknowledged=True)

    def publish_one(self, topic, options, **kwargs):
        self.client.publish(topic=topic, options=options, **kwargs)
        steps.report("published", topic=topic, args=[], kwargs=kwargs, publication=None)

    def own_event(self):
        wait_for_subscriptions(self.client, 1)
        self.client.publish(topic="interop.topic.own", options={"exclude_me": False}, five="5")
        args, kwargs = arrived.get(timeout=5)
        steps.report("own_event", args=args, kwargs=kwargs)


def time_out(arguments):
    """Let a call time out: wampy sends CANCEL and expects never to hear of that call again."""
    with Client(url=arguments.url, realm=arguments.realm, call_timeout=1) as client:
        try:
            value = getattr(client.rpc, arguments.prefix + "slow")()
            steps.report("timed_out", timed_out=False, value=value)
        except WampyTimeOutError:
            steps.report("timed_out", timed_out=True)
        client.call(arguments.prefix + "release")
        client.send_message(Call(arguments.prefix + "echo", args=["still here"]))
        steps.report("after_time_out", args=client.recv_message().yield_args)


def drive(arguments):
    with Listener(url=arguments.url, realm=arguments.realm) as client:
        steps.report("joined", session=client.session.id, serializer="json")
        driver = Driver(client, arguments)
        for step in ("echo", "error", "missing", "publish", "own_event"):
            if step in arguments.steps:
                getattr(driver, step)()
    if "time_out" in arguments.steps:
        time_out(arguments)
    steps.report("left", reason=None)


if __name__ == "__main__":
    command_line = steps.parse_command_line()
    sys.exit(serve(command_line) if command_line.role == "serve" else drive(command_line))
