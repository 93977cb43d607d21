"""Our own Python package as caller, callee, publisher and subscriber.

Every transport by URL. Its procedures return one value, and its public API subscribes exactly.
"""

import sys
import threading

import steps

from wampy import Client, Error, WampyTimeOutError, callee, subscribe
from wampy.messages import Call

released = threading.Event()


class Service(Client):
    """The procedures and the handler that the serving side offers."""

    @callee(name="interop.echo")
    def echo(self, *args, **kwargs):
        return {"args": args, "kwargs": kwargs}

    @callee(name="interop.fail")
    def fail(self):
        raise Error(steps.ERROR_URI, *steps.ERROR_ARGS, **steps.ERROR_KWARGS)

    @callee(name="interop.slow")
    def slow(self):
        released.wait(30)
        return "late"

    @callee(name="interop.release")
    def release(self):
        released.set()

    @subscribe(topic="interop.topic.exact")
    def on_exact(self, *args, meta, **kwargs):
        steps.report("event", on="exact", topic=meta["topic"], args=args, kwargs=kwargs)


def serve(client):
    steps.report("joined", session=client.session.id)
    steps.report("ready")
    steps.wait_for_end_of_input()
    released.set()


class Driver:
    """The calling and publishing side: one method for each step."""

    def __init__(self, client, arguments):
        self.client = client
        self.arguments = arguments
        self.prefix = arguments.prefix

    def call_in_full(self, name, args=(), kwargs=None):
        """`client.call` gives the one value that most results have; this gives all of it."""
        self.client.send_message(Call(self.prefix + name, args=args, kwargs=kwargs or {}))
        result = self.client.recv_message()
        return result.yield_args, result.yield_kwargs

    def echo(self):
        for name, args, kwargs in steps.load_payloads(self.arguments.payloads):
            got_args, got_kwargs = self.call_in_full("echo", args, kwargs)
            steps.report("echo", name=name, args=got_args, kwargs=got_kwargs)

    def expect_error(self, step, name):
        try:
            steps.report(step, result=self.client.call(self.prefix + name))
        except Error as error:
            steps.report(step, uri=error.uri, args=error.args, kwargs=error.kwargs)

    def error(self):
        self.expect_error("error", "fail")

    def missing(self):
        self.expect_error("missing", "nobody.registered.this")

    def publish(self):
        for topic in steps.TOPICS:
            self.publish_one(topic, {"acknowledge": True}, 1, "zwei", note={"topic": topic})
        self.publish_one("interop.topic.exact", {}, "unacknowledged")
        self.publish_one("interop.topic.exact", {})

    def publish_one(self, topic, options, *args, **kwargs):
        publication = self.client.publish(topic, *args, options=options, **kwargs)
        steps.report("published", topic=topic, args=args, kwargs=kwargs, publication=publication)

    def own_event(self):
        arrived, events = threading.Event(), []

        def on_own(*args, **kwargs):
            kwargs.pop("meta")
            events.append((args, kwargs))
            arrived.set()

        subscription = self.client.subscribe("interop.topic.own", on_own)
        self.client.publish("interop.topic.own", 5, five="5", options={"exclude_me": False})
        arrived.wait(10)
        self.client.unsubscribe(subscription)
        ((args, kwargs),) = events
        steps.report("own_event", args=args, kwargs=kwargs)

    def own_procedure(self):
        registration = self.client.register(lambda a, b: a + b, self.prefix + "own")
        answer = self.client.call(self.prefix + "own", 2, 3)
        self.client.unregister(registration)
        self.expect_error("own_procedure", "own")
        steps.report("own_result", value=answer)

    def time_out(self):
        """A call that takes too long ends, and the session lives on."""
        address = {"url": self.arguments.url, "realm": self.arguments.realm}
        with Client(**address, call_timeout=1) as impatient:
            try:
                steps.report(
                    "timed_out", timed_out=False, value=impatient.call(self.prefix + "slow")
                )
            except WampyTimeOutError:
                steps.report("timed_out", timed_out=True)
            impatient.call(self.prefix + "release")
            impatient.send_message(Call(self.prefix + "echo", args=["still here"]))
            steps.report("after_time_out", args=impatient.recv_message().yield_args)


def drive(client, arguments):
    steps.report("joined", session=client.session.id)
    driver = Driver(client, arguments)
    for step in (*steps.ALL_STEPS, "time_out"):
        if step in arguments.steps:
            getattr(driver, step)()


def main(arguments):
    peer = Service if arguments.role == "serve" else Client
    with peer(url=arguments.url, realm=arguments.realm) as client:
        serve(client) if arguments.role == "serve" else drive(client, arguments)
    steps.report("left", reason=None)


if __name__ == "__main__":
    sys.exit(main(steps.parse_command_line()))
