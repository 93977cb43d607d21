"""A client that holds hundreds of registrations and subscriptions, and loses its connection."""

import contextlib
import time

import pytest
from lossy import FAST, Proxy

import wampy
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
