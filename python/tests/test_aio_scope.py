"""What the block of a session begins and ends."""

import asyncio
import logging

import pytest
from loops import until as until_done

import wampy
import wampy.aio
from wampy import errors

FOREVER = 60


def test_leaving_cancels_the_handlers_and_waits_for_them(on_loop, router):
    async def main():
        seen = []

        async def slow():
            seen.append("begun")
            try:
                await asyncio.sleep(FOREVER)
            finally:
                await asyncio.sleep(0.01)
                seen.append("cleaned up")

        async with wampy.aio.connect(router=router) as caller:
            async with wampy.aio.connect(router=router) as service:
                await service.register(slow, "com.aio.slow")
                call = asyncio.create_task(caller.call("com.aio.slow"))
                await until_done(lambda: seen)
            assert seen == ["begun", "cleaned up"]
            assert not service.is_open
            with pytest.raises(errors.CanceledError, match="handler was canceled"):
                await call
            assert await caller.call("wamp.session.count") == 1
            with pytest.raises(errors.SessionError, match="block is over"):
                await service.call("com.aio.slow")
            with pytest.raises(errors.SessionError, match="block is over"):
                await service.publish("com.aio")
            with pytest.raises(errors.SessionError, match="block is over"):
                await service.register(slow)

    on_loop(main)


def test_whoever_still_waits_when_the_block_is_left_hears_of_it(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router) as service:

            async def slow():
                await asyncio.sleep(FOREVER)

            await service.register(slow, "com.aio.slow")
            async with wampy.aio.connect(router=router) as caller:
                call = asyncio.create_task(caller.call("com.aio.slow"))
                events = await caller.subscribe("com.aio.news")
                event = asyncio.create_task(events.__aiter__()._first())
                await asyncio.sleep(0.01)
            with pytest.raises(errors.SessionError):
                await call
            with pytest.raises(StopAsyncIteration):
                await _unwrapped(event)

    on_loop(main)


async def _unwrapped(task):
    """What a task raises, which asyncio changes for this one exception."""
    try:
        return await task
    except RuntimeError as error:
        raise error.__cause__ from None


def test_an_exception_in_the_block_passes(on_loop, router):
    async def main():
        with pytest.raises(KeyError):
            async with wampy.aio.connect(router=router) as session:
                await session.register(len, "com.aio.len")
                raise KeyError("mine")
        assert not session.is_open

    on_loop(main)


def test_canceling_the_block_passes(on_loop, router):
    async def main():
        begun = asyncio.Event()

        async def work():
            async with wampy.aio.connect(router=router):
                begun.set()
                await asyncio.sleep(FOREVER)

        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with wampy.aio.connect(router=router) as session:
            assert await session.call("wamp.session.count") == 1

    on_loop(main)


def test_canceling_the_connection(on_loop):
    async def main():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        silent = await asyncio.start_server(_silent, "127.0.0.1", 0)
        async with server, silent:
            port = silent.sockets[0].getsockname()[1]
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(_enter(f"ws://127.0.0.1:{port}"), 0.1)
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(wampy.WampyError):
                await _enter(f"ws://127.0.0.1:{port}")

    on_loop(main)


async def _silent(reader, writer):
    await reader.read()
    writer.close()


async def _enter(url):
    async with wampy.aio.connect(url):
        raise AssertionError("nobody lets us in")


def test_no_router_and_no_entry(on_loop, router):
    async def main():
        with pytest.raises(errors.ConnectionRefusedError):
            await _enter("ws://127.0.0.1:9")
        with pytest.raises(errors.WelcomeAbortedError, match="no_such_realm"):
            async with wampy.aio.connect(router=router, realm="nowhere"):
                pass
        connection = wampy.aio.connect(router=router)
        async with connection:
            pass
        with pytest.raises(errors.ConfigurationError, match="one block"):
            async with connection:
                pass
        for wrong in ({"url": "localhost"}, {"url": "ws://a", "router": router}, {"ipv": 5}):
            with pytest.raises(errors.ConfigurationError):
                wampy.aio.connect(**wrong)
        for wrong in ({"realm": 5}, {"roles": 5}, {"call_timeout": -1}, {"reconnect": "yes"}):
            with pytest.raises(errors.ConfigurationError):
                wampy.aio.connect(router.url, **wrong)

    on_loop(main)


def test_losing_the_session_raises_in_whoever_waits_and_in_the_block(on_loop):
    async def main():
        router = wampy.Router().start()
        heard = []

        async def hear(waiting):
            try:
                await waiting
            except errors.ConnectionError as error:
                heard.append(error)

        async def iterate(events):
            async for _ in events:
                pass

        with pytest.raises(errors.ConnectionError):
            async with wampy.aio.connect(router.url) as session:

                async def slow():
                    await asyncio.sleep(FOREVER)

                await session.register(slow, "com.aio.slow")
                handled = await session.subscribe("com.aio.news", heard.append)
                events = await session.subscribe("com.aio.news")
                tasks = [
                    asyncio.create_task(hear(session.call("com.aio.slow"))),
                    asyncio.create_task(hear(session.wait_closed())),
                    asyncio.create_task(hear(iterate(events))),
                ]
                await asyncio.sleep(0.01)
                stopping = asyncio.create_task(asyncio.to_thread(router.stop))
                await asyncio.sleep(FOREVER)
        await asyncio.gather(stopping, *tasks)
        assert len(heard) == 3
        assert handled.id is None
        await asyncio.get_running_loop().shutdown_default_executor()

    on_loop(main)


def test_a_call_in_the_block_raises_the_loss_itself(on_loop, caplog):
    caplog.set_level(logging.CRITICAL, "wampy")

    async def main():
        router = wampy.Router().start()
        caught = []
        with pytest.raises(errors.ConnectionError):
            async with wampy.aio.connect(router.url) as session:

                async def slow():
                    await asyncio.sleep(FOREVER)

                await session.register(slow, "com.aio.slow")
                stopping = asyncio.create_task(asyncio.to_thread(router.stop))
                try:
                    await session.call("com.aio.slow")
                except errors.ConnectionError as error:
                    caught.append(error)
                    raise
        await stopping
        assert caught
        await asyncio.get_running_loop().shutdown_default_executor()

    on_loop(main)


def test_a_lost_session_comes_back_with_all_that_it_had(on_loop):
    async def main():
        router = wampy.Router().start()
        port, news = router.port, []
        async with wampy.aio.connect(router.url, reconnect=wampy.Reconnect(0.005, 0.02)) as session:
            await session.register(len, "com.aio.len")
            await session.subscribe("com.aio.news", news.append)
            first = session.id
            await asyncio.to_thread(router.stop)
            await until_done(lambda: not session.is_open)
            waiting = asyncio.create_task(session.call("wamp.session.count"))
            router = wampy.Router(port=port)
            await asyncio.to_thread(router.start)
            async with wampy.aio.connect(router.url) as other:
                while await other.call("wamp.registration.lookup", "com.aio.len") is None:
                    await asyncio.sleep(0.005)
                assert await other.call("com.aio.len", "four") == 4
                while await other.call("wamp.subscription.lookup", "com.aio.news") is None:
                    await asyncio.sleep(0.005)
                await other.publish("com.aio.news", "back")
                await until_done(lambda: news == ["back"])
            assert await waiting >= 1, "a call that was made meanwhile"
            assert session.id != first
            assert await session.call("com.aio.len", "six six") == 7
        await asyncio.to_thread(router.stop)
        await asyncio.get_running_loop().shutdown_default_executor()

    on_loop(main)


def test_a_router_that_does_not_block_the_loop(on_loop):
    async def main():
        async with wampy.aio.Router(realm="mine") as router:
            assert router.is_running
            async with wampy.aio.connect(router=router) as session:
                assert session.realm == "mine"
                assert await session.call("wamp.session.count") == 1
        assert not router.is_running
        taken = await asyncio.start_server(_silent, "127.0.0.1", 0)
        async with taken:
            port = taken.sockets[0].getsockname()[1]
            with pytest.raises(errors.ConnectionError):
                async with wampy.aio.Router(host="127.0.0.1", port=port):
                    pass

    on_loop(main)


def test_a_fork_is_told_that_the_session_is_its_parents(python, router):
    program = """
import asyncio, os, sys
import wampy.aio
from wampy import errors

async def main():
    async with wampy.aio.connect(sys.argv[1]) as session:
        pid = os.fork()
        if pid == 0:
            try:
                wire, options = session._link.wire, session._call_options
                wire.call("com.aio", (), {}, options, False)
            except errors.SessionError as error:
                os._exit(7 if "os.fork" in str(error) else 8)
            os._exit(9)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        print(await session.call("wamp.session.count"))

asyncio.run(main())
"""
    out, err = python(program, router.url).communicate(timeout=30)
    assert (out.split(), err) == (["7", "1"], "")


def test_ctrl_c_ends_the_block_and_says_goodbye(python, router, start, until):
    import signal

    program = """
import asyncio, sys
import wampy.aio

async def main():
    async with wampy.aio.connect(sys.argv[1]) as session:
        await session.register(len, "com.aio.len")
        print("ready", flush=True)
        await session.wait_closed()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    program = python(program, router.url)
    assert program.stdout.readline() == "ready\n"
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=30)
    assert (out, err) == ("interrupted\n", "")
    client = start()
    until(lambda: client.call("wamp.session.count") == 1)


def test_the_interpreter_ends_with_a_session_open(python, router, start, until):
    program = """
import asyncio, sys
import wampy.aio

async def main():
    connection = wampy.aio.connect(sys.argv[1])
    session = await connection.__aenter__()
    await session.register(len, "com.aio.len")
    print(await session.call("com.aio.len", "four"))
    return connection

loop = asyncio.new_event_loop()
connection = loop.run_until_complete(main())
"""
    program = python(program, router.url)
    out, _ = program.communicate(timeout=30)
    assert (program.returncode, out) == (0, "4\n")
    client = start()
    until(lambda: client.call("wamp.session.count") == 1)
