"""Events on their way to handlers: straight, or past a message handler that wants to see them."""

import queue
import threading

import pytest

from wampy.message_handler import MessageHandler

ACKNOWLEDGE = {"acknowledge": True}


def test_a_handler_need_not_be_written_in_python(start):
    values = queue.SimpleQueue()
    start().subscribe("com.plain", values.put)
    publisher = start()
    for number in range(1000):
        publisher.publish("com.plain", number)
    assert [values.get(timeout=20) for _ in range(1000)] == list(range(1000))


@pytest.mark.parametrize("failure", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_handler_that_fails_keeps_nobody_else_from_the_event(start, seen, caplog, failure):
    def failing(value):
        raise failure(f"no {value}")

    client = start()
    client.subscribe("com.plain", failing)
    client.subscribe("com.plain", seen.add)
    publisher = start()
    for number in range(3):
        publisher.publish("com.plain", number)
    assert seen.take(3) == [0, 1, 2]
    assert "error handling an event of com.plain" in caplog.text
    assert "in failing" in caplog.text
    assert "no 2" in caplog.text


def test_each_handler_has_its_keywords_for_itself(start, seen):
    def taking(**kwargs):
        seen.add(kwargs.pop("value"))
        kwargs["meta"]["topic"] = "forged"

    def keeping(**kwargs):
        seen.add((kwargs["value"], kwargs["meta"]["topic"]))

    client = start()
    client.subscribe("com.plain", taking)
    client.subscribe("com.plain", keeping)
    start().publish("com.plain", value=7)
    assert seen.take(2) == [7, (7, "com.plain")]


def test_no_event_is_handled_after_its_topic_was_unsubscribed_from(start, seen):
    published = threading.Event()
    client = start()

    def once(value):
        seen.add(value)
        assert published.wait(20)
        client.unsubscribe(subscription_id)

    subscription_id = client.subscribe("com.plain", once)
    client.subscribe("com.end", seen.add)
    publisher = start()
    for topic, value in [("com.plain", 1), ("com.plain", 2), ("com.end", "end")]:
        publisher.publish(topic, value, options=ACKNOWLEDGE)
    published.set()
    assert seen.take(2) == [1, "end"]


def test_a_handler_that_is_added_meanwhile_gets_the_next_event(start, seen):
    client = start()

    def first(value):
        seen.add(("first", value))
        if value == 1:
            client.subscribe("com.plain", lambda value: seen.add(("second", value)))

    client.subscribe("com.plain", first)
    publisher = start()
    publisher.publish("com.plain", 1)
    publisher.publish("com.plain", 2)
    assert seen.take(3) == [("first", 1), ("first", 2), ("second", 2)]


def test_events_wait_for_a_handler_but_calls_do_not(start, seen):
    called = threading.Event()
    service = start()
    service.register(called.set, "com.call")
    service.subscribe("com.plain", lambda value: seen.add((value, called.wait(20))))
    caller = start()
    for number in range(3):
        caller.publish("com.plain", number, options=ACKNOWLEDGE)
    assert seen.take(0) == []
    caller.call("com.call")
    assert seen.take(3) == [(0, True), (1, True), (2, True)]


def test_a_message_handler_may_be_patched_while_events_come(start, seen, monkeypatch):
    client = start()
    client.subscribe("com.plain", seen.add)
    publisher = start()

    def patched(self, message_obj):
        seen.add(message_obj.publish_args)

    publisher.publish("com.plain", 1)
    seen.take(1)
    with monkeypatch.context() as patch:
        patch.setattr(MessageHandler, "handle_event", patched)
        publisher.publish("com.plain", 2)
        seen.take(2)
    client.message_handler.handle_event = lambda message: seen.add(message.name)
    publisher.publish("com.plain", 3)
    seen.take(3)
    del client.message_handler.handle_event
    publisher.publish("com.plain", 4)
    assert seen.take(4) == [1, [2], "event", 4]


def test_a_message_handler_that_fails_gets_the_next_event(start, seen, until, caplog):
    class Failing(MessageHandler):
        def handle_event(self, message_obj):
            seen.add(message_obj.publish_args)
            raise RuntimeError("broken handler")

    client = start(message_handler_cls=Failing)
    client.subscribe("com.plain", print)
    publisher = start()
    for number in range(3):
        publisher.publish("com.plain", number)
    assert seen.take(3) == [[0], [1], [2]]
    until(lambda: caplog.text.count("could not process the event") == 3)
