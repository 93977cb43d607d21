"""Topics: what arrives, in which order, with which ``meta``, and handlers that fail."""

import threading

import pytest

from wampy import errors
from wampy.peers import Client
from wampy.roles.subscriber import subscribe

ACKNOWLEDGE = {"acknowledge": True}


@pytest.fixture
def listener(seen):
    class Listener(Client):
        @subscribe(topic="com.plain")
        def plain(self, *args, weather=None):
            seen.add((args, weather))

        @subscribe(topic="com.meta")
        def with_meta(self, *args, meta, **kwargs):
            seen.add((args, kwargs, meta))

        @subscribe(topic="com.fail")
        def fail(self, value):
            if value == "bad":
                raise ValueError(value)
            seen.add(value)

    return Listener


def test_events_arrive_positional_and_by_keyword(start, seen, listener):
    start(listener)
    publisher = start()
    publisher.publish(topic="com.plain", weather="sunny")
    publisher.publish("com.plain", 1, "a")
    publisher.publish("com.plain", 2, weather=None, options={})
    publisher.publish(3, topic="com.plain")
    publisher.publish("com.plain")
    assert seen.take(5) == [((), "sunny"), ((1, "a"), None), ((2,), None), ((3,), None), ((), None)]


def test_meta_names_topic_and_subscription(start, seen, listener):
    client = start(listener)
    start().publish("com.meta", 1, a=2)
    [(args, kwargs, meta)] = seen.take(1)
    assert (args, kwargs) == ((1,), {"a": 2})
    assert meta["topic"] == "com.meta"
    assert client.subscription_map[meta["subscription_id"]][1] == "com.meta"


def test_a_publisher_cannot_forge_meta(start, seen, listener):
    start(listener)
    start().publish("com.meta", meta={"topic": "forged"})
    assert seen.take(1)[0][2]["topic"] == "com.meta"


def test_a_handler_that_fails_is_logged_and_gets_the_next_event(start, seen, listener, caplog):
    client = start(listener)
    publisher = start()
    for value in ("bad", "good", "bad", "better"):
        publisher.publish("com.fail", value)
    assert seen.take(2) == ["good", "better"]
    assert client.session.is_open
    failures = [record for record in caplog.records if "com.fail" in record.getMessage()]
    assert len(failures) == 2
    assert all(record.exc_info for record in failures)


def test_events_come_in_order_and_one_at_a_time(start, seen):
    class Ordered(Client):
        busy = False

        @subscribe(topic="com.a")
        def a(self, n):
            self.note(n)

        @subscribe(topic="com.b")
        def b(self, n):
            self.note(n)

        def note(self, n):
            assert not self.busy
            self.busy = True
            seen.add(n)
            self.busy = False

    start(Ordered)
    publisher = start()
    for number in range(500):
        publisher.publish("com.a" if number % 2 else "com.b", number)
    assert seen.take(500) == list(range(500))


def test_a_handler_may_call_while_it_handles_an_event(start, seen):
    class Relay(Client):
        @subscribe(topic="com.in")
        def relay(self, n):
            self.publish("com.out", self.call("wamp.session.count") * 0 + n)

        @subscribe(topic="com.out")
        def out(self, n):
            seen.add(n)

    start(Relay)
    second = start()
    second.subscribe("com.out", seen.add)
    for number in range(5):
        second.publish("com.in", number)
    assert seen.take(5) == [0, 1, 2, 3, 4]


def test_the_publisher_gets_its_own_event_only_if_it_asks(start, seen):
    client = start()
    client.subscribe("com.self", seen.add)
    client.publish("com.self", 1, options=ACKNOWLEDGE)
    client.publish("com.self", 2, options={"exclude_me": False})
    assert seen.take(1) == [2]


def test_acknowledged_publication_has_an_id(start):
    client = start()
    first = client.publish("com.topic", 1, options=ACKNOWLEDGE)
    second = client.publish(topic="com.topic", options=ACKNOWLEDGE, a=1)
    assert first != second
    assert all(1 <= publication <= 2**53 for publication in (first, second))
    assert client.publish("com.topic", 1) is None


def test_an_acknowledged_publication_that_is_refused_raises(start):
    with pytest.raises(errors.Error) as caught:
        start().publish("wamp.session.on_join", 1, options=ACKNOWLEDGE)
    assert caught.value.uri in {"wamp.error.invalid_uri", "wamp.error.not_authorized"}


def test_two_handlers_of_one_topic_both_run(start, seen):
    client = start()
    first = client.subscribe("com.topic", lambda n: seen.add(("first", n)))
    assert client.subscribe("com.topic", lambda n: seen.add(("second", n))) == first
    start().publish("com.topic", 1)
    assert sorted(seen.take(2)) == [("first", 1), ("second", 1)]


def test_unsubscribe(start, seen):
    client = start()
    publisher = start()
    subscription_id = client.subscribe("com.topic", seen.add)
    client.subscribe("com.end", seen.add)
    client.unsubscribe(subscription_id)
    assert subscription_id not in client.subscription_map
    publisher.publish("com.topic", 1)
    publisher.publish("com.end", 2)
    assert seen.take(1) == [2]


def test_a_handler_that_is_too_slow_loses_the_oldest_events_and_says_so(start, seen, caplog, until):
    class Slow(Client):
        @subscribe(topic="com.flood")
        def on_flood(self, n):
            seen.add(n)
            release.wait(20)

    release = threading.Event()
    slow = start(Slow, name="slow")
    publisher = start()
    publisher.publish("com.flood", 0)
    seen.take(1)
    count = 20_000
    for n in range(1, count):
        publisher.publish("com.flood", n)
    publisher.publish("com.flood", count, options=ACKNOWLEDGE)
    # The queue of waiting events is full when it has dropped all that it cannot hold.
    until(lambda: slow.session._wire.events_dropped > count - 17_000)
    release.set()
    until(lambda: seen.take(1)[-1] == count)
    received = seen.take(1)
    assert received == sorted(received)
    assert len(received) < count
    until(lambda: "slow handles events too slowly" in caplog.text)


def test_a_message_of_64_kib_and_more(start, seen, listener):
    start(listener)
    publisher = start()
    for size in (32767, 32768, 65535, 65536, 1 << 20):
        publisher.publish("com.plain", "x" * size)
    assert [len(args[0]) for args, _ in seen.take(5)] == [32767, 32768, 65535, 65536, 1 << 20]
