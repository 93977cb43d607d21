"""Offering procedures on an event loop."""

import asyncio

import pytest
from loops import until

import wampy.aio
from wampy import callee, errors, subscribe


class Service:
    def __init__(self):
        self.news = []

    @callee
    async def greet(self, name):
        return f"Hello, {name}"

    @callee(name="com.aio.plain", invoke="roundrobin")
    def plain(self):
        return "plain"

    @callee(name="com.aio.count")
    async def count(self):
        yield 1

    @subscribe(topic="com.aio.news")
    async def on_news(self, text, meta):
        self.news.append((text, meta["topic"]))


def test_a_class_offers_its_methods(on_loop, router):
    async def main():
        async with (
            wampy.aio.connect(router=router) as session,
            wampy.aio.connect(router=router) as caller,
        ):
            service = Service()
            offered = await session.register_all(service)
            assert len(offered) == 4
            assert await caller.call("greet", "Ada") == "Hello, Ada"
            assert await caller.call("com.aio.plain") == "plain"
            assert await caller.call_progressive("com.aio.count").__anext__() == 1
            await caller.publish("com.aio.news", "tea")
            await until(lambda: service.news == [("tea", "com.aio.news")])
            with pytest.raises(errors.ConfigurationError, match="neither"):
                await session.register_all(object())

    on_loop(main)


def test_all_of_a_class_or_nothing(on_loop, router):
    class Late:
        @callee(name="com.aio.first")
        async def first(self):
            pass

        @callee(name="com.aio.taken")
        async def taken(self):
            pass

    async def main():
        async with (
            wampy.aio.connect(router=router) as session,
            wampy.aio.connect(router=router) as other,
        ):
            await other.register(print, "com.aio.taken")
            with pytest.raises(errors.ProcedureAlreadyExistsError):
                await session.register_all(Late())
            assert await other.call("wamp.registration.lookup", "com.aio.first") is None

    on_loop(main)


def test_a_procedure_is_withdrawn(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router) as session:
            registration = await session.register(len, "com.aio.len")
            assert registration.id
            assert await session.call("com.aio.len", "four") == 4
            await registration.unregister()
            await registration.unregister()
            assert registration.id is None
            with pytest.raises(errors.ProcedureNotFoundError):
                await session.call("com.aio.len", "four")
            with pytest.raises(errors.ConfigurationError, match="has no name"):
                await session.register(type("Callable", (), {"__call__": lambda self: 1})())
            with pytest.raises(errors.ConfigurationError, match="handler must be a function"):
                await session.register(5, "com.aio.five")
            with pytest.raises(errors.ConfigurationError, match="invocation_policy"):
                await session.register(len, "com.aio.len", invoke="all")

    on_loop(main)


def test_whatever_can_be_awaited_is_a_result(on_loop, router):
    class Later:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "later"

    async def main():
        async with wampy.aio.connect(router=router) as session:
            await session.register(Later, "com.aio.later")
            assert await session.call("com.aio.later") == "later"
            await session.register(lambda: None, "com.aio.nothing")
            assert await session.call("com.aio.nothing") is None

    on_loop(main)


def test_handlers_run_side_by_side_within_their_concurrency(on_loop, router):
    async def main():
        running, most = set(), []
        everybody = asyncio.Event()

        async def work(number):
            running.add(number)
            most.append(len(running))
            if len(running) == 2:
                everybody.set()
            await everybody.wait()
            running.discard(number)
            return number

        async with wampy.aio.connect(router=router) as session:
            await session.register(work, "com.aio.work", concurrency=2)
            calls = [session.call("com.aio.work", number) for number in range(6)]
            assert await asyncio.gather(*calls) == list(range(6))
            assert max(most) == 2

    on_loop(main)


def test_failures_go_to_the_caller_and_to_the_log(on_loop, router, caplog):
    async def unsendable():
        return object()

    async def bad_error():
        raise wampy.Error("com.aio.bad", object())

    async def by_zero():
        return 1 / 0

    async def main():
        async with wampy.aio.connect(router=router) as session:
            for handler in (unsendable, bad_error, by_zero):
                await session.register(handler, f"com.aio.{handler.__name__}")
            with pytest.raises(wampy.Error, match="type object has no form"):
                await session.call("com.aio.unsendable")
            with pytest.raises(wampy.Error, match="has no form") as bad:
                await session.call("com.aio.bad_error")
            assert bad.value.uri == "com.aio.bad"
            with pytest.raises(wampy.Error, match="ZeroDivisionError"):
                await session.call("com.aio.by_zero")

    on_loop(main)
    assert "error calling: com.aio.by_zero" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_handler_that_never_waits_does_not_keep_the_loop(on_loop, router):
    async def main():
        ended = []

        def forever():
            try:
                while True:
                    yield "more"
            finally:
                ended.append(True)

        async with wampy.aio.connect(router=router) as session:
            await session.register(forever, "com.aio.forever")
            async for part in session.call_progressive("com.aio.forever"):
                assert part == "more"
                break
            await until(lambda: ended)

    on_loop(main)


def test_an_exit_ends_the_program_and_answers_first(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router) as session:

            def leave():
                raise SystemExit(3)

            await session.register(leave, "com.aio.leave")
            await session.call("com.aio.leave")

    with pytest.raises(SystemExit):
        asyncio.run(main())
