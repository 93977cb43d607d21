"""Listening to topics on an event loop."""

import asyncio

import pytest
from loops import until

import wampy.aio
from wampy import errors


def subscribers(caller, topic):
    """A coroutine of how many subscriptions a topic has."""
    return caller.call("wamp.subscription.lookup", topic)


def test_events_are_iterated_over_until_the_loop_is_left(on_loop, router):
    async def main():
        async with (
            wampy.aio.connect(router=router) as session,
            wampy.aio.connect(router=router) as other,
        ):

            async def publish():
                while await subscribers(other, "com.aio.tick") is None:
                    await asyncio.sleep(0.001)
                for number in range(200):
                    await other.publish("com.aio.tick", number, twice=2 * number)

            publishing = asyncio.create_task(publish())
            seen = []
            async for event in session.subscribe("com.aio.tick"):
                assert event.topic == "com.aio.tick"
                assert event.kwargs == {"twice": 2 * event.args[0]}
                seen.append(event.args[0])
                if len(seen) == 200:
                    break
            await publishing
            assert seen == list(range(200))
            while await subscribers(other, "com.aio.tick") is not None:
                await asyncio.sleep(0.001)

    on_loop(main)


def test_a_block_hears_what_comes_before_the_loop_and_ends_the_subscription(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router) as session:
            async with session.subscribe("com.aio", match="prefix") as events:
                assert events.id
                how = {"exclude_me": False, "disclose_me": True}
                await session.publish("com.aio.one", 1, options=how)
                publication = await session.publish("com.aio.two", 2, options=how, acknowledge=True)
                first, second = await events.__anext__(), await events.__anext__()
                assert (first.topic, second.topic) == ("com.aio.one", "com.aio.two")
                assert second.publication_id == publication
                assert first.meta["publisher"] == session.id
                assert first.meta["subscription_id"] == events.id
            with pytest.raises(StopAsyncIteration):
                await events.__anext__()
            while await subscribers(session, "com.aio") is not None:
                await asyncio.sleep(0.001)

    on_loop(main)


def test_handlers_get_each_event_in_its_order(on_loop, router, caplog):
    async def main():
        seen, plain = [], []

        async def slowly(number, *, meta):
            await asyncio.sleep(0.001)
            if number == 2:
                raise ValueError("two")
            seen.append((number, meta["topic"]))

        async with (
            wampy.aio.connect(router=router) as session,
            wampy.aio.connect(router=router) as other,
        ):
            subscription = await session.subscribe("com.aio.news", slowly)
            await session.subscribe("com.aio.news", plain.append)
            for number in range(5):
                await other.publish("com.aio.news", number)
            await until(lambda: len(seen) == 4 and len(plain) == 5)
            assert seen == [(n, "com.aio.news") for n in (0, 1, 3, 4)]
            assert plain == [0, 1, 2, 3, 4]
            await subscription.unsubscribe()
            await subscription.unsubscribe()
            await other.publish("com.aio.news", 9, acknowledge=True)
            await until(lambda: plain[-1] == 9)
            assert len(seen) == 4
            with pytest.raises(errors.ConfigurationError, match="without a handler"):
                subscription.__aiter__()

    on_loop(main)
    assert "error handling an event of com.aio.news" in caplog.text


def test_retained_events_come_first(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router) as session:
            how = {"retain": True, "exclude_me": False}
            await session.publish("com.aio.kept", "old", options=how, acknowledge=True)
            async for event in session.subscribe("com.aio.kept", get_retained=True):
                assert event.args == ["old"]
                assert event.meta["retained"] is True
                break

    on_loop(main)


def test_whoever_reads_too_slowly_loses_the_oldest_events(on_loop, router):
    async def main():
        most = wampy.aio.subscription.EVENTS_MAX
        async with (
            wampy.aio.connect(router=router) as session,
            wampy.aio.connect(router=router) as other,
            session.subscribe("com.aio.flood") as events,
        ):
            for number in range(most + 10):
                await other.publish("com.aio.flood", number)
                if number % 1000 == 0:
                    # The router cuts off who has too much waiting.
                    await other.publish("com.aio.flood.other", acknowledge=True)
            await until(lambda: events.dropped >= 10)
            assert (await events.__anext__()).args == [events.dropped]

    on_loop(main)


def test_bad_arguments(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router) as session:
            for arguments in ({"topic": ""}, {"topic": 5}, {"topic": "a", "match": "like"}):
                with pytest.raises(errors.ConfigurationError):
                    session.subscribe(**arguments)
            with pytest.raises(errors.ConfigurationError, match="handler must be a function"):
                session.subscribe("com.aio", 5)
            with pytest.raises(wampy.Error, match="invalid_uri"):
                await session.subscribe("not a topic")
            async with session.subscribe("com.aio.both") as events:
                first = asyncio.ensure_future(events.__anext__())
                await asyncio.sleep(0)
                with pytest.raises(errors.ConfigurationError, match="waits for the next"):
                    await events.__anext__()
                first.cancel()
                await session.publish("com.aio.both", 1, options={"exclude_me": False})
                assert (await events.__anext__()).args == [1], "the canceled wait took nothing"

    on_loop(main)
