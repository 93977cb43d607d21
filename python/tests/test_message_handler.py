"""The application's own ``MessageHandler``: what it sees, what it may replace, how it may fail."""

import json

import pytest

from wampy import errors
from wampy.message_handler import MessageHandler
from wampy.messages import Yield
from wampy.peers import Client
from wampy.roles.callee import callee
from wampy.roles.subscriber import subscribe


class Service(Client):
    @callee
    def double(self, n):
        return n * 2

    @subscribe(topic="com.topic")
    def on_event(self, *args, **kwargs):
        self.events = [*getattr(self, "events", []), args]


def test_an_override_of_handle_message_sees_every_message(start, until):
    class Collecting(MessageHandler):
        def __init__(self, client):
            super().__init__(client)
            self.codes = []

        def handle_message(self, message):
            self.codes.append(json.loads(message)[0])
            super().handle_message(message)

    service = start(Service, message_handler_cls=Collecting)
    caller = start(message_handler_cls=Collecting)
    assert caller.rpc.double(4) == 8
    with pytest.raises(errors.RemoteError):
        caller.rpc.double()
    caller.publish("com.topic", 1)
    until(lambda: getattr(service, "events", None) == [(1,)])
    caller.stop()
    assert caller.message_handler.codes == [2, 50, 8, 6]
    assert sorted(service.message_handler.codes) == [2, 33, 36, 65, 68, 68]


def test_an_override_may_replace_how_invocations_run(start):
    class Doubling(MessageHandler):
        def handle_invocation(self, message_obj):
            self.session.send_message(Yield(message_obj.request_id, result_args=["replaced"]))

    start(Service, message_handler_cls=Doubling)
    assert start().rpc.double(4) == "replaced"


def test_an_override_may_change_results(start):
    class Wrapping(MessageHandler):
        def process_result(self, message_obj, result, exc=None):
            super().process_result(message_obj, {"wrapped": result}, exc)

    start(Service, message_handler_cls=Wrapping)
    assert start().rpc.double(4) == {"wrapped": 8}


def test_an_override_that_fails_leaves_nobody_waiting(start, until, caplog):
    class Failing(MessageHandler):
        def handle_invocation(self, message_obj):
            raise RuntimeError("broken handler")

    service = start(Service, message_handler_cls=Failing)
    caller = start()
    for _ in range(2):
        with pytest.raises(errors.RemoteError, match="broken handler"):
            caller.rpc.double(1)
    assert service.session.is_open
    until(lambda: "could not process" in caplog.text)


@pytest.mark.parametrize("fails", [False, True])
def test_the_loss_of_the_connection_is_shown(router, start, until, fails):
    class Closing(MessageHandler):
        def handle_close(self, close_frame):
            self.frame = close_frame
            if fails:
                raise RuntimeError("broken handler")

    client = start(message_handler_cls=Closing, reconnect=False)
    router.stop()
    until(lambda: hasattr(client.message_handler, "frame"))
    frame = client.message_handler.frame
    assert frame.code == 1006
    assert "wamp.close.system_shutdown" in frame.payload


def test_a_second_answer_to_an_invocation_is_ignored(start):
    class Twice(MessageHandler):
        def process_result(self, message_obj, result, exc=None):
            super().process_result(message_obj, result, exc)
            super().process_result(message_obj, "second", exc)

    service = start(Service, message_handler_cls=Twice)
    caller = start()
    assert [caller.rpc.double(n) for n in range(5)] == [0, 2, 4, 6, 8]
    assert service.session.is_open


def test_a_handler_may_be_patched_between_calls(start, monkeypatch):
    service, caller = start(Service), start()
    assert caller.rpc.double(4) == 8

    def answered(self, message_obj):
        self.session.send_message(Yield(message_obj.request_id, result_args=["patched"]))

    with monkeypatch.context() as patch:
        patch.setattr(MessageHandler, "handle_invocation", answered)
        assert caller.rpc.double(4) == "patched"
    assert caller.rpc.double(4) == 8
    service.message_handler.process_result = lambda message_obj, result, exc=None: answered(
        service.message_handler, message_obj
    )
    assert caller.rpc.double(4) == "patched"
    del service.message_handler.process_result
    assert caller.rpc.double(4) == 8


def test_an_override_sees_how_handlers_fail(start):
    failed = []

    class Noting(MessageHandler):
        def process_failure(self, message_obj, failure, handler, kwargs):
            failed.append((type(failure), message_obj.call_args, kwargs))
            super().process_failure(message_obj, failure, handler, kwargs)

    start(Service, message_handler_cls=Noting)
    with pytest.raises(errors.InvalidArgumentError):
        start().rpc.double(1, 2, n=3)
    assert failed == [(TypeError, [1, 2], {"n": 3})]
