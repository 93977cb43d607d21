"""The calling side of scripts on an event loop: the steps that any library takes alike.

Absent on purpose: what a library calls its results, errors and options; each script adds that, and
the steps for which it needs them.
"""

import steps


class Driver:
    """One method for each step."""

    #: the exception of the library that a call raises
    error_class = Exception

    def __init__(self, session, arguments):
        self.session = session
        self.prefix = arguments.prefix
        self.payloads = steps.load_payloads(arguments.payloads)

    def uri_of(self, error):
        """The URI of an ``error_class``."""
        raise NotImplementedError

    def parts_of(self, result):
        """The list and the dictionary of a result that the library does not hand over as it is."""
        raise NotImplementedError

    def call(self, name, *args, **kwargs):
        return self.session.call(self.prefix + name, *args, **kwargs)

    async def echo(self):
        for name, args, kwargs in self.payloads:
            result = await self.call("echo", *args, **kwargs)
            parts = self.parts_of(result)
            if parts is None:
                # One value comes alone, and none as None.
                parts = [result] if args or result is not None else [], {}
            steps.report("echo", name=name, args=parts[0], kwargs=parts[1])

    async def expect_error(self, step, name):
        try:
            steps.report(step, result=await self.call(name))
        except self.error_class as error:
            steps.report(step, uri=self.uri_of(error), args=error.args, kwargs=error.kwargs)

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
        publication = await self.published(topic, acknowledge, args, kwargs)
        steps.report("published", topic=topic, args=args, kwargs=kwargs, publication=publication)

    async def published(self, topic, acknowledge, args, kwargs):
        """Publish; the publication id if it was acknowledged."""
        raise NotImplementedError

    async def own_procedure(self):
        registration = await self.session.register(lambda a, b: a + b, self.prefix + "own")
        answer = await self.call("own", 2, 3)
        await registration.unregister()
        await self.expect_error("own_procedure", "own")
        steps.report("own_result", value=answer)

    async def drive(self, wanted):
        """Take the steps that are wanted, in their order."""
        for step in (*steps.ALL_STEPS, "retained"):
            if step in wanted:
                await getattr(self, step)()
