"""`wampy.testing`: what tests of applications wait with."""

import subprocess
import sys
import threading

import pytest

import wampy
from wampy.testing import (
    CollectingMessageHandler,
    assert_stops_raising,
    helpers,
    wait_for_messages,
    wait_for_registrations,
    wait_for_session,
    wait_for_subscriptions,
)
from wampy.testing.clients.callees import DateService


class Service(wampy.Client):
    @wampy.callee
    def double(self, n):
        return n * 2

    @wampy.callee
    def triple(self, n):
        return n * 3

    @wampy.subscribe(topic="com.topic")
    def on_event(self, *args, **kwargs):
        pass


def later(action):
    """Do something on another thread, a little later."""
    timer = threading.Timer(0.05, action)
    timer.start()
    return timer


def test_waiting_for_what_another_thread_does(make):
    service = make(Service)
    later(service.start)
    wait_for_session(service)
    wait_for_registrations(service, 2)
    wait_for_subscriptions(service, 1)
    assert sorted(service.registration_map.values()) == ["double", "triple"]
    later(lambda: service.register(len, name="com.length"))
    wait_for_registrations(service, 3)


@pytest.mark.parametrize(
    ("wait", "complaint"),
    [
        (lambda client: wait_for_session(client, timeout=0.05), "0.05 seconds: .*has not joined"),
        (lambda client: wait_for_registrations(client, 1, timeout=0), "fewer than 1 registrations"),
        (lambda client: wait_for_subscriptions(client, 1, timeout=0), "fewer than 1 subscriptions"),
        (lambda client: wait_for_messages(client, 7, timeout=0), "fewer than 7 messages"),
    ],
)
def test_waiting_in_vain(make, wait, complaint):
    with pytest.raises(wampy.WampyTimeOutError, match=complaint):
        wait(make(message_handler_cls=CollectingMessageHandler))


def test_messages_are_collected_as_lists(start):
    service = start(Service, message_handler_cls=CollectingMessageHandler)
    caller = start(message_handler_cls=CollectingMessageHandler)
    assert caller.rpc.double(4) == 8
    caller.publish("com.topic", 1, key="value")
    received = wait_for_messages(service, 6)
    assert sorted(message[0] for message in received) == [2, 33, 36, 65, 65, 68]
    (event,) = [message for message in received if message[0] == 36]
    assert event[4:] == [[1], {"key": "value"}]
    welcome, result = wait_for_messages(caller, 2)
    assert welcome[:2] == [2, caller.session.id]
    assert result[0] == 50 and result[3] == [8]


def test_only_a_collecting_client_has_messages(start):
    with pytest.raises(TypeError, match="message_handler_cls=CollectingMessageHandler"):
        wait_for_messages(start(), 1)


def test_what_stops_raising():
    failures = [ValueError(), KeyError()]

    def fail():
        if failures:
            raise failures.pop()

    assert_stops_raising(fail, (ValueError, KeyError), interval=0)
    assert not failures


def test_what_does_not_stop_raising_raises_what_it_did():
    with pytest.raises(ZeroDivisionError):
        assert_stops_raising(lambda: 1 / 0, timeout=0.05, interval=0.01)


def test_other_exceptions_pass_at_once():
    calls = []

    def fail():
        calls.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        assert_stops_raising(fail, ValueError)
    assert calls == [1]


def test_the_date_service(start):
    start(DateService)
    assert len(start().rpc.get_todays_date()) == len("2016-07-01")


def test_helpers_are_where_they_were():
    assert helpers.CollectingMessageHandler is CollectingMessageHandler
    assert helpers.wait_for_messages is wait_for_messages
    with pytest.raises(AttributeError, match="no attribute 'wait_for_godot'"):
        _ = wampy.testing.wait_for_godot


def test_importing_the_package_loads_nothing():
    code = """
import sys
before = set(sys.modules)
import wampy.testing
print(sorted(name for name in set(sys.modules) - before if name.startswith("wampy")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['wampy', 'wampy.testing']\n"
