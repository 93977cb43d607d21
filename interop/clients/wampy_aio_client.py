"""Our own Python package on an event loop: caller, callee, publisher and subscriber.

Every transport by URL. The router chooses the serializer.
"""

import asyncio
import sys

import driver
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


class Driver(driver.Driver):
    """The steps as this library takes them."""

    error_class = Error

    def uri_of(self, error):
        return error.uri

    def parts_of(self, result):
        return (result.args, result.kwargs) if isinstance(result, Result) else None

    async def published(self, topic, acknowledge, args, kwargs):
        return await self.session.publish(topic, *args, acknowledge=acknowledge, **kwargs)

    async def own_event(self):
        topic, to_itself = "interop.topic.own", {"exclude_me": False}
        async with self.session.subscribe(topic) as events:
            publication = await self.session.publish(
                topic, 5, five="5", options=to_itself, acknowledge=True
            )
            event = await anext(events)
        same = event.publication_id == publication
        steps.report("own_event", args=event.args, kwargs=event.kwargs, same=same)

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
    await Driver(session, arguments).drive(arguments.steps)


async def main(arguments):
    connecting = wampy.aio.connect(arguments.url, realm=arguments.realm, batched=arguments.batched)
    async with connecting as session:
        steps.report("joined", session=session.id)
        await (serve if arguments.role == "serve" else drive)(session, arguments)
    steps.report("left", reason=None)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(steps.parse_command_line())))
