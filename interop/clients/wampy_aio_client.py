"""Our own Python package on an event loop: caller, callee, publisher and subscriber.

Every transport by URL. The router chooses the serializer.
"""

import asyncio
import sys

import steps

import wampy.aio
from wampy import Error, Result


class Served:
    """The procedures and handlers that the serving side offers."""

    def __init__(self):
        self.released = asyncio.Event()

    async def echo(self, *args, **kwargs):
        return Result(*args, **kwargs)

    async def fail(self):
        raise Error(steps.ERROR_URI, *steps.ERROR_ARGS, **steps.ERROR_KWARGS)

    def count(self, stop):
        yield from range(stop)
        return stop

    async def slow(self):
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            steps.report("interrupted")
            raise
        return "late"

    async def release(self):
        self.released.set()

    def handler(self, subscription):
        async def on_event(*args, meta, **kwargs):
            steps.report("event", on=subscription, topic=meta["topic"], args=args, kwargs=kwargs)

        return on_event


async def serve(session, arguments):
    served = Served()
    for name in ("echo", "fail", "count", "slow", "release"):
        await session.register(getattr(served, name), arguments.prefix + name)
    for match, topic in steps.SUBSCRIPTIONS:
        await session.subscribe(topic, served.handler(match), match=match)
    steps.report("ready")
    await asyncio.to_thread(steps.wait_for_end_of_input)


class Driver:
    """The calling and publishing side: one method for each step."""

    def __init__(self, session, arguments):
        self.session = session
        self.prefix = arguments.prefix
        self.payloads = steps.load_payloads(arguments.payloads)

    def call(self, name, *args, **kwargs):
        return self.session.call(self.prefix + name, *args, **kwargs)

    async def echo(self):
        for name, args, kwargs in self.payloads:
            result = await self.call("echo", *args, **kwargs)
            if isinstance(result, Result):
                got_args, got_kwargs = result.args, result.kwargs
            else:
                # One value comes alone, and none as None.
                got_args, got_kwargs = [result] if args or result is not None else [], {}
            steps.report("echo", name=name, args=got_args, kwargs=got_kwargs)

    async def expect_error(self, step, name):
        try:
            steps.report(step, result=await self.call(name))
        except Error as error:
            steps.report(step, uri=error.uri, args=error.args, kwargs=error.kwargs)

    async def error(self):
        await self.expect_error("error", "fail")

    async def missing(self):
        await self.expect_error("missing", "nobody.registered.this")

    async def publish(self):
        for topic in steps.TOPICS:
            await self.publish_one(topic, True, 1, "zwei", note={"topic": topic})
        await self.publish_one("interop.topic.exact", False, "unacknowledged")
        await self.publish_one("interop.topic.exact", False)

    async def publish_one(self, topic, acknowledge, *args, **kwargs):
        publication = await self.session.publish(topic, *args, acknowledge=acknowledge, **kwargs)
        steps.report("published", topic=topic, args=args, kwargs=kwargs, publication=publication)

    async def own_event(self):
        topic, to_itself = "interop.topic.own", {"exclude_me": False}
        async with self.session.subscribe(topic) as events:
            publication = await self.session.publish(
                topic, 5, five="5", options=to_itself, acknowledge=True
            )
            event = await anext(events)
        same = event.publication_id == publication
        steps.report("own_event", args=event.args, kwargs=event.kwargs, same=same)

    async def own_procedure(self):
        registration = await self.session.register(lambda a, b: a + b, self.prefix + "own")
        answer = await self.call("own", 2, 3)
        await registration.unregister()
        await self.expect_error("own_procedure", "own")
        steps.report("own_result", value=answer)

    async def progress(self):
        values = []
        async for value in (call := self.session.call_progressive(self.prefix + "count", 3)):
            if call.is_over:
                steps.report("progress", values=values, result=value)
            values.append(value)

    async def cancel(self):
        pending = asyncio.create_task(self.call("slow"))
        # The call is sent when the task runs for the first time. Calls of one caller reach one
        # callee in order: after this answer `slow` has been invoked.
        await asyncio.sleep(0)
        await self.call("echo")
        pending.cancel()
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
        topic, kept = "interop.topic.kept", {"exclude_me": False, "retain": True}
        publication = await self.session.publish(
            topic, [1, "zwei"], three=3, options=kept, acknowledge=True
        )
        async with self.session.subscribe(topic, get_retained=True) as events:
            event = await anext(events)
        steps.report(
            "retained",
            args=event.args,
            kwargs=event.kwargs,
            same=event.publication_id == publication,
            retained=event.meta["retained"],
        )


async def drive(session, arguments):
    driver = Driver(session, arguments)
    for step in (*steps.ALL_STEPS, "retained"):
        if step in arguments.steps:
            await getattr(driver, step)()


async def main(arguments):
    connecting = wampy.aio.connect(arguments.url, realm=arguments.realm, batched=arguments.batched)
    async with connecting as session:
        steps.report("joined", session=session.id)
        await (serve if arguments.role == "serve" else drive)(session, arguments)
    steps.report("left", reason=None)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(steps.parse_command_line())))
