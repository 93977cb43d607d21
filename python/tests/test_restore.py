"""A client that holds hundreds of registrations and subscriptions, and loses its connection."""

import asyncio
import contextlib
import time

import pytest
from loops import until as until_done
from lossy import FAST, Proxy

import wampy
import wampy.aio
from wampy import errors
from wampy.records import RESTORED_AT_ONCE

PROCEDURES = 300
TOPICS = 200
TESTAMENTS = 100
#: How long the client has to be silent until it gets what the router has answered, in seconds.
SILENCE = 0.02


class Rounds(Proxy):
    """A proxy that hands answers on once the client is silent, and counts how often."""

    def __init__(self, target):
        self.rounds = 0
        self.is_slow = False
        self._heard = 0.0
        super().__init__(target)

    def _pump(self, source, sink):
        from_router = source.getpeername()[1] == self._target
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                if from_router and self.is_slow:
                    while time.monotonic() - self._heard < SILENCE:
                        time.sleep(SILENCE / 4)
                    self.rounds += 1
                self._heard = time.monotonic()
                sink.sendall(data)


@pytest.fixture
def proxy_class():
    return Rounds


@pytest.fixture
def held(proxy, seen):
    """A client that holds much, and what it was told the ids are."""
    with wampy.Client(url=proxy.url, call_timeout=20, reconnect=FAST) as client:
        # Without descriptions, which are not waited for in any case.
        session = client.session
        for number in range(PROCEDURES):
            session.register(f"com.example.p{number}", lambda number=number: number)
        for number in range(TOPICS):
            session.subscribe(f"com.example.t{number}", seen.add)
        yield client


def lose(client, proxy, until, meanwhile=lambda: None):
    before = client.session.id
    proxy.refuse()
    until(lambda: not client.session.is_open)
    meanwhile()
    proxy.is_slow = True
    proxy.admit()
    until(lambda: client.session.id != before and not client.session.is_reconnecting)
    proxy.is_slow = False


def test_requests_do_not_wait_for_each_other(held, proxy, start, until, seen):
    lose(held, proxy, until)
    assert len(held.registration_map) == PROCEDURES
    assert len(held.subscription_map) == TOPICS
    # One after the other they would take a round each.
    assert proxy.rounds < (PROCEDURES + TOPICS) / 4
    assert proxy.rounds >= (PROCEDURES + TOPICS) / RESTORED_AT_ONCE
    caller = start()
    for number in range(PROCEDURES):
        assert caller.call(f"com.example.p{number}") == number
    for number in range(TOPICS):
        caller.publish(f"com.example.t{number}", number)
    assert seen.take(TOPICS) == list(range(TOPICS))


def test_what_is_refused_is_asked_for_again_and_holds_nothing_up(
    held, proxy, start, until, router, caplog
):
    holder = start()

    def take():
        # The router notices the end of the session by itself.
        until(lambda: holder.call("wamp.registration.lookup", "com.example.p7") is None)
        taken.append(holder.register(print, "com.example.p7"))

    taken = []
    lose(held, proxy, until, take)
    assert len(held.registration_map) == PROCEDURES - 1
    assert "does not get back the procedure com.example.p7: com.example.p7" in caplog.text
    assert start().call("com.example.p8") == 8
    holder.unregister(taken[0])
    until(lambda: len(held.registration_map) == PROCEDURES)
    assert start().call("com.example.p7") == 7


def test_handlers_of_one_topic_share_its_subscription_again(held, proxy, start, until, seen):
    held.session.subscribe("com.example.t0", lambda number: seen.add(("again", number)))
    lose(held, proxy, until)
    assert len(held.subscription_map) == TOPICS
    start().publish("com.example.t0", 0)
    assert seen.take(2) == [0, ("again", 0)]


def test_testaments_do_not_wait_for_each_other_and_keep_their_order(proxy, start, until, caplog):
    wills = []
    watcher = start()
    watcher.subscribe("com.example.will", wills.append)
    with wampy.Client(url=proxy.url, call_timeout=20, reconnect=FAST) as client:
        for number in range(TESTAMENTS):
            client.add_testament("com.example.will", number)
        lose(client, proxy, until)
        until(lambda: len(wills) == TESTAMENTS)
        # One after the other they would take a round each.
        assert TESTAMENTS / RESTORED_AT_ONCE <= proxy.rounds < TESTAMENTS / 4
        proxy.cut()
        until(lambda: len(wills) == 2 * TESTAMENTS)
    assert wills == [*range(TESTAMENTS)] * 2
    assert caplog.text.count("does not get back") == 0


def test_a_session_of_an_event_loop_has_its_testaments_again(proxy, start, until):
    # The router takes 100, and there is one more.
    wills, count = [], TESTAMENTS - 10
    watcher = start()
    watcher.subscribe("com.example.will", lambda *args, a=0: wills.append((args, a)))
    expected = [((number, b"\0"), None) for number in range(count)]

    async def main():
        async with wampy.aio.connect(proxy.url, call_timeout=20, reconnect=FAST) as session:
            for number in range(count):
                await session.add_testament("com.example.will", number, b"\0", a=None)
            await session.add_testament("com.example.will", "taken back", scope="detached")
            await session.flush_testaments("detached")
            before = session.id
            proxy.refuse()
            await until_done(lambda: not session.is_open)
            # Made while there is no session, it comes behind those that are restored.
            late = asyncio.create_task(session.add_testament("com.example.will", "late"))
            proxy.is_slow = True
            proxy.admit()
            await until_done(lambda: session.is_open)
            await late
            assert session.id != before
            assert count / RESTORED_AT_ONCE <= proxy.rounds < count / 4
            proxy.is_slow = False
            await until_done(lambda: len(wills) == count)
        await until_done(lambda: len(wills) > 2 * count)

    asyncio.run(main())
    assert wills == [*expected, *expected, (("late",), 0)]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"scope": "forever"}, "scope must be one of destroyed, detached, not 'forever'"),
        ({"options": {"encrypt": "k"}}, "a testament cannot be encrypted"),
        ({"options": {"acknowlege": True}}, "did you mean acknowledge"),
    ],
)
def test_testaments_that_there_are_not(start, router, how, words):
    client = start()
    with pytest.raises(errors.ConfigurationError, match=words):
        client.add_testament("com.example.will", **how)

    async def main():
        async with wampy.aio.connect(router.url) as session:
            with pytest.raises(errors.ConfigurationError, match=words):
                await session.add_testament("com.example.will", **how)
            with pytest.raises(errors.ConfigurationError, match="scope must be"):
                await session.flush_testaments("forever")

    asyncio.run(main())
    with pytest.raises(errors.ConfigurationError, match="scope must be"):
        client.flush_testaments("forever")
