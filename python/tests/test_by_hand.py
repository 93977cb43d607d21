"""Messages that the application builds and sends itself."""

import pytest

from wampy import errors
from wampy.messages import (
    Call,
    Cancel,
    Error,
    Goodbye,
    Hello,
    Publish,
    Published,
    Register,
    Registered,
    Result,
    Subscribe,
    Subscribed,
    Unregister,
    Unregistered,
    Unsubscribe,
    Unsubscribed,
)
from wampy.peers import Client
from wampy.roles.callee import callee


@pytest.fixture
def service(seen):
    class Service(Client):
        @callee
        def foobar(self, *args, **kwargs):
            seen.add((args, kwargs))
            return "baz"

        @callee
        def fail(self):
            raise ValueError("no")

    return Service


def test_a_call_by_hand_reaches_the_callee_and_disturbs_nothing(start, seen, service):
    start(service)
    client = start()
    message = Call(procedure="foobar", args=(), kwargs={})
    for number in range(1, 4):
        client.send_message(message)
        # Each rpc below takes the next id of the session's one sequence.
        assert message.request_id == 2 * number - 1
        assert client.rpc.foobar(number) == "baz"
    assert len(seen.take(6)) == 6
    client.send_message(Call(procedure="no.such.procedure"))
    assert client.rpc.foobar() == "baz"
    client.stop()


def test_a_client_may_leave_right_after_sending(make, start, seen, service):
    start(service)
    with make() as client:
        client.send_message(Call(procedure="foobar", args=[1]))
    assert seen.take(1) == [((1,), {})]


def test_answers_can_be_received_in_any_order(start, seen, service):
    start(service)
    client = start()
    first, second, third = Call("foobar", args=[1]), Call("fail"), Call("foobar", args=[3])
    for message in (first, second, third):
        client.send_message(message)
    answer = client.recv_message(source_request_id=third.request_id)
    assert isinstance(answer, Result)
    assert (answer.request_id, answer.value) == (third.request_id, "baz")
    failed = client.recv_message(source_request_id=second.request_id)
    assert isinstance(failed, Error)
    assert (failed.request_type, failed.request_id, failed.error) == (48, second.request_id, "fail")
    assert failed.kwargs_dict["exc_type"] == "ValueError"
    assert client.receive_message() == Result(first.request_id, {}, ["baz"]).message
    assert client._make_rpc(Call("foobar")).value == "baz"


def test_waiting_for_an_answer_that_nobody_sends_times_out(start):
    client = start(call_timeout=0.2)
    with pytest.raises(errors.WampyTimeOutError):
        client.recv_message()


def test_publish_by_hand(start, seen):
    listener = start()
    listener.subscribe("com.topic", lambda *args, **kwargs: seen.add((args, kwargs.get("a"))))
    client = start()
    client.send_message(Publish("com.topic", {}, 1, a=2))
    acknowledged = Publish("com.topic", {"acknowledge": True}, 3)
    client.send_message(acknowledged)
    answer = client.recv_message(acknowledged.request_id)
    assert isinstance(answer, Published)
    assert seen.take(2) == [((1,), 2), ((3,), None)]


def test_registrations_and_subscriptions_by_hand(start, seen):
    class Plain(Client):
        def method(self):
            return "called"

    client = start(Plain)
    caller = start()
    register = Register("method")
    client.send_message(register)
    registered = client.recv_message(register.request_id)
    assert isinstance(registered, Registered)
    assert caller.rpc.method() == "called"
    client.send_message(Unregister(registered.registration_id))
    assert isinstance(client.recv_message(), Unregistered)
    with pytest.raises(errors.ProcedureNotFoundError):
        caller.rpc.method()
    client.send_message(Subscribe("com.topic"))
    subscribed = client.recv_message()
    assert isinstance(subscribed, Subscribed)
    caller.publish("com.topic", 1, options={"acknowledge": True})
    client.send_message(Unsubscribe(subscribed.subscription_id))
    assert isinstance(client.recv_message(), Unsubscribed)


def test_cancel_by_hand(start, seen):
    class Slow(Client):
        @callee
        def wait(self):
            seen.add("called")
            import threading

            threading.Event().wait(1)

    start(Slow)
    client = start()
    call = Call("wait")
    client.send_message(call)
    seen.take(1)
    client.send_message(Cancel(call.request_id, {"mode": "skip"}))
    answer = client.recv_message(call.request_id)
    assert isinstance(answer, Error)
    assert answer.error == "wamp.error.canceled"


def test_goodbye_by_hand_ends_the_session(start):
    client = start()
    client.send_message(Goodbye())
    assert client.session is None
    client.stop()


@pytest.mark.parametrize("message", [Hello("realm1"), Registered(1, 2), Result(1, {})])
def test_what_a_client_does_not_send_is_refused(start, message):
    client = start()
    with pytest.raises(errors.WampProtocolError, match=type(message).__name__):
        client.send_message(message)
    with pytest.raises(errors.ProcedureNotFoundError):
        client.call("the.session.lives.on")


def test_the_hooks_that_extensions_of_wampy_1_use(start, seen):
    class Extended(Client):
        def named(self, n):
            return n + 1

    client = start(Extended)
    client.session._register_procedure("named", "roundrobin")
    client.session._subscribe_to_topic(seen.add, "com.topic")
    caller = start()
    assert caller.rpc.named(1) == 2
    caller.publish("com.topic", 7)
    assert seen.take(1) == [7]
    assert list(client.registration_map.values()) == ["named"]
    assert [topic for _, topic in client.subscription_map.values()] == ["com.topic"]
    assert set(client.request_ids.values()) == {"named", "com.topic"}
