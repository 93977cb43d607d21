"""Calling and publishing from an event loop."""

import asyncio
import contextlib

import pytest
from loops import until

import wampy
import wampy.aio
from wampy import errors
from wampy.aio.session import CALLS_MAX

FOREVER = 60


@contextlib.asynccontextmanager
async def pair(router, **options):
    """A session that serves and one that calls."""
    async with (
        wampy.aio.connect(router=router) as service,
        wampy.aio.connect(router=router, **options) as caller,
    ):
        yield service, caller


async def add(a, b=1):
    await asyncio.sleep(0)
    return a + b


def test_a_call_has_its_result_or_its_exception(on_loop, router):
    async def fails():
        raise wampy.Error("com.aio.refused", 3, article="tea")

    async def breaks():
        raise ValueError("broken")

    async def main():
        async with pair(router) as (service, caller):
            await service.register(add, "com.aio.add")
            await service.register(fails, "com.aio.fails")
            await service.register(breaks, "com.aio.breaks")
            assert await caller.call("com.aio.add", 2, b=3) == 5
            assert await caller.rpc.com.aio.add(2) == 3
            assert await caller.rpc["com.aio.add"](2, 2) == 4
            with pytest.raises(wampy.Error) as refused:
                await caller.call("com.aio.fails")
            assert (refused.value.uri, refused.value.args) == ("com.aio.refused", (3,))
            assert refused.value.kwargs == {"article": "tea"}
            assert refused.value.procedure == "com.aio.fails"
            with pytest.raises(wampy.Error, match="ValueError: broken"):
                await caller.call("com.aio.breaks")
            with pytest.raises(errors.ProcedureNotFoundError):
                await caller.call("com.aio.unknown")
            with pytest.raises(errors.SerializationError, match=r"args\[1\]"):
                await caller.call("com.aio.add", 1, object())
            with pytest.raises(wampy.Error):
                await caller.call("com.aio.add", 1, 2, 3)

    on_loop(main)


def test_many_calls_at_once_have_each_its_own_result(on_loop, router):
    async def main():
        async with pair(router) as (service, caller):
            await service.register(add, "com.aio.add")
            results = await asyncio.gather(
                *(caller.call("com.aio.add", number, 1) for number in range(300))
            )
            assert results == list(range(1, 301))

    on_loop(main)


def test_canceling_the_task_cancels_the_call_and_its_handler(on_loop, router):
    async def main():
        seen = []

        async def slow():
            seen.append("begun")
            try:
                await asyncio.sleep(FOREVER)
            except asyncio.CancelledError:
                seen.append("canceled")
                raise

        async with pair(router) as (service, caller):
            await service.register(slow, "com.aio.slow")
            call = asyncio.create_task(caller.call("com.aio.slow"))
            await until(lambda: seen)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: seen == ["begun", "canceled"])
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(caller.call("com.aio.slow"), 0.05)
            await until(lambda: seen == ["begun", "canceled"] * 2)
            assert await caller.call("wamp.session.count") == 2

    on_loop(main)


def test_a_call_that_takes_too_long_fails_and_ends_its_handler(on_loop, router):
    async def main():
        ended = []

        async def slow():
            try:
                await asyncio.sleep(FOREVER)
            finally:
                ended.append(True)

        async with pair(router, call_timeout=0.1) as (service, caller):
            await service.register(slow, "com.aio.slow")
            with pytest.raises(wampy.WampyTimeOutError):
                await caller.call("com.aio.slow")
            with pytest.raises(wampy.WampyTimeOutError):
                await caller.with_options(timeout=30).call("com.aio.slow")
            await until(lambda: len(ended) == 2)

    on_loop(main)


def test_one_clock_keeps_the_time_of_all_calls(on_loop, router):
    async def main():
        ended = []

        async def forever(number):
            try:
                await asyncio.sleep(FOREVER)
            finally:
                ended.append(number)

        async with pair(router, call_timeout=FOREVER) as (service, caller):
            await service.register(forever, "com.aio.forever")
            await service.register(add, "com.aio.add")
            # The longest limit comes first, and there are many that nobody needs any more.
            longest = asyncio.create_task(caller.call("com.aio.forever", 0))
            short = [caller.with_options(timeout=limit) for limit in (150, 50, 100)]
            late = [
                asyncio.create_task(session.call("com.aio.forever", number))
                for number, session in enumerate(short)
            ]
            order = []
            for call in late:
                call.add_done_callback(order.append)
            for _ in range(3):
                sums = [short[0].call("com.aio.add", number) for number in range(200)]
                assert await asyncio.gather(*sums) == list(range(1, 201))
            raised = await asyncio.gather(*late, return_exceptions=True)
            assert all(isinstance(error, wampy.WampyTimeOutError) for error in raised)
            assert order == [late[1], late[2], late[0]]
            await until(lambda: sorted(ended) == [0, 1, 2])
            assert not longest.done()
            longest.cancel()
            await until(lambda: len(ended) == 4)

    on_loop(main)


def test_calls_of_one_turn_of_the_loop_are_sent_in_their_order(on_loop, router):
    async def main():
        seen = []

        async with pair(router) as (service, caller):
            await service.register(seen.append, "com.aio.note")
            for first in range(0, 300, 100):
                calls = [caller.call("com.aio.note", first + number) for number in range(100)]
                await asyncio.gather(*calls)
            assert seen == list(range(300))
            # Those that nobody waits for are sent as well.
            forgotten = [asyncio.create_task(caller.call("com.aio.note", n)) for n in (300, 301)]
            await until(lambda: len(seen) == 302)
            await asyncio.wait(forgotten)

    on_loop(main)


def test_options_of_a_call(on_loop, router):
    async def who(*, details):
        return details["caller"]

    async def main():
        async with pair(router) as (service, caller):
            await service.register(who, "com.aio.who", details=True)
            disclosed = caller.with_options(disclose_me=True)
            assert await disclosed.call("com.aio.who") == caller.id
            assert await disclosed.rpc.com.aio.who() == caller.id
            with pytest.raises(wampy.Error, match="KeyError"):
                await caller.call("com.aio.who")
            with pytest.raises(errors.ConfigurationError):
                caller.with_options(timeout="soon")

    on_loop(main)


def test_results_come_in_parts(on_loop, router):
    async def count(to):
        for number in range(to):
            yield number

    def count_and_end(to):
        yield from range(to)
        return "done"

    async def main():
        async with pair(router) as (service, caller):
            await service.register(count, "com.aio.count")
            await service.register(count_and_end, "com.aio.count_and_end")
            parts = [part async for part in caller.call_progressive("com.aio.count", 3)]
            assert parts == [0, 1, 2, None]
            parts = [part async for part in caller.rpc.com.aio.count_and_end.progressive(2)]
            assert parts == [0, 1, "done"]
            assert await caller.call("com.aio.count_and_end", 100) == "done"
            call = caller.call_progressive("com.aio.count_and_end", 5)
            assert await call.result() == "done"
            assert call.is_over
            with pytest.raises(errors.CanceledError):
                await call.result()
            with pytest.raises(errors.ProcedureNotFoundError):
                await caller.call_progressive("com.aio.unknown").result()

    on_loop(main)


@pytest.mark.parametrize("leave", ["break", "close", "cancel"])
def test_leaving_the_parts_early_cancels_the_call(on_loop, router, leave):
    async def main():
        ended = []

        async def forever():
            try:
                while True:
                    yield "more"
            finally:
                ended.append(True)

        async with pair(router) as (service, caller):
            await service.register(forever, "com.aio.forever")
            if leave == "break":
                async for _ in caller.call_progressive("com.aio.forever"):
                    break
            elif leave == "close":
                async with caller.call_progressive("com.aio.forever") as call:
                    assert await call.__anext__() == "more"
            else:

                async def read():
                    async for _ in caller.call_progressive("com.aio.forever"):
                        pass

                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(read(), 0.05)
            await until(lambda: ended)

    on_loop(main)


def test_calls_are_made_in_parts(on_loop, router):
    async def total(first, *, parts):
        return first + sum([part async for part in parts])

    async def double(*, parts):
        async for part in parts:
            yield 2 * part

    async def numbers():
        for number in range(5):
            yield number
            await asyncio.sleep(0)

    async def failing():
        yield 1
        raise OSError("no more")

    async def main():
        async with pair(router) as (service, caller):
            await service.register(total, "com.aio.total", parts=True)
            await service.register(double, "com.aio.double", parts=True)
            assert await caller.call_in_parts("com.aio.total", numbers(), 100).result() == 110
            assert await caller.call_in_parts("com.aio.total", range(5), 1).result() == 11
            assert await caller.call("com.aio.total", 7) == 7
            doubled = [part async for part in caller.call_in_parts("com.aio.double", numbers())]
            assert doubled == [0, 2, 4, 6, 8, None]
            with pytest.raises(OSError, match="no more"):
                await caller.call_in_parts("com.aio.total", failing(), 1).result()
            with pytest.raises(errors.ConfigurationError):
                caller.call_in_parts("com.aio.total", 5)

    on_loop(main)


def test_a_call_in_parts_that_is_left_ends_its_generator_and_its_handler(on_loop, router):
    async def main():
        ended = []

        async def forever():
            try:
                while True:
                    yield 1
                    await asyncio.sleep(0.001)
            finally:
                ended.append("generator")

        async def read(*, parts):
            try:
                async for part in parts:
                    yield part
            finally:
                ended.append("handler")

        async with pair(router) as (service, caller):
            await service.register(read, "com.aio.read", parts=True)
            async for _ in caller.call_in_parts("com.aio.read", forever()):
                break
            await until(lambda: sorted(ended) == ["generator", "handler"])

    on_loop(main)


def test_what_else_the_router_knows(on_loop, router):
    async def documented(text: str) -> int:
        """Count the letters."""
        return len(text)

    async def main():
        async with wampy.aio.connect(router=router) as caller:
            async with wampy.aio.connect(router=router) as service:
                await service.register(documented, "com.aio.documented")
                described = await caller.describe("com.aio.documented")
                assert described["doc"] == "Count the letters."
                assert described["result"] == {"type": "integer"}
                await service.add_testament("com.aio.will", "bye", options={"retain": True})
                await service.add_testament("com.aio.will", "never", scope="detached")
                await service.flush_testaments("detached")
                events = caller.subscribe("com.aio.will")
                await events
            assert (await events.__anext__()).args == ["bye"]
            with pytest.raises(wampy.Error):
                await caller.history("com.aio.will")

    on_loop(main)


def test_end_to_end_encryption(on_loop, router):
    key = wampy.DataKey.generate(id="k")

    async def main():
        async with (
            pair(router, keys=[key]) as (_, caller),
            wampy.aio.connect(router=router, keys=[key]) as service,
        ):
            await service.register(lambda text: text.upper(), "com.aio.upper")
            async with service.subscribe("com.aio.news") as events:
                secret = caller.with_options(encrypt=key)
                assert await secret.call("com.aio.upper", "tea") == "TEA"
                await secret.publish("com.aio.news", "psst", acknowledge=True)
                event = await events.__anext__()
                assert (event.args, event.meta["ppt_scheme"]) == (["psst"], "wamp")

    on_loop(main)


#: The router takes as many calls of one session as a session makes at most, and more.
ROOMY = f"""
listen = ["127.0.0.1:0"]

[limits]
pending_calls_per_session_max = {2 * CALLS_MAX}

[[realms]]
name = "realm1"

[realms.limits]
waiting_calls_per_registration_max = {2 * CALLS_MAX}
"""


def test_calls_beyond_the_limit_wait_for_their_turn(on_loop, tmp_path):
    config = tmp_path / "wampy.toml"
    config.write_text(ROOMY)

    async def main(router):
        async with wampy.aio.connect(router=router, call_timeout=None) as caller:
            async with wampy.aio.connect(router=router) as service:
                await service.register(asyncio.Event().wait, "com.aio.endless", concurrency=1)
                # With the wait for the end of the session these are all operations there may be.
                calls = [caller.call("com.aio.endless") for _ in range(CALLS_MAX - 1)]
                crowd = [asyncio.create_task(call) for call in calls]
                await asyncio.sleep(0)
                wire, options = caller._link.joined(), caller._call_options
                assert wire.call("wamp.session.count", (), {}, options, False) is None
                late = asyncio.create_task(caller.call("wamp.session.count"))
                given_up = asyncio.create_task(caller.call("wamp.session.count"))
                assert await service.call("wamp.session.count") == 2
                assert not late.done()
                given_up.cancel()
            ended = await asyncio.gather(*crowd, return_exceptions=True)
            assert all(isinstance(error, wampy.Error) for error in ended)
            assert await late == 1
            assert await caller.call("wamp.session.count") == 1

    with wampy.Router(config=config) as router:
        on_loop(main, router)
