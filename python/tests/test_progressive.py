"""Results in parts, calls in parts, and both directions at once."""

import itertools
import signal
import threading

import pytest

import wampy
from wampy import errors
from wampy.peers import Client


class Service(Client):
    """Procedures that send and take parts; ``closed`` tells which generators were ended."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.closed = threading.Event()
        self.canceled = threading.Event()

    @wampy.callee
    def count(self, to):
        for number in range(to):  # noqa: UP028
            yield number
        return "done"

    @wampy.callee
    def forever(self):
        try:
            yield from itertools.count()
        finally:
            self.closed.set()

    @wampy.callee
    def breaks(self):
        yield 1
        raise wampy.Error("com.broken", 2)

    @wampy.callee
    def unsendable(self):
        yield object()

    @wampy.callee(parts=True)
    def total(self, *args, parts, **kwargs):
        return [list(args), kwargs, list(parts)]

    @wampy.callee(parts=True)
    def double(self, parts):
        for number in parts:
            yield number * 2
        return "done"

    @wampy.callee(parts=True)
    def wait_for_more(self, parts):
        try:
            return list(parts)
        except errors.CanceledError:
            self.canceled.set()
            raise


@pytest.fixture
def service(start):
    return start(Service)


def test_a_result_comes_in_parts(service, start):
    caller = start()
    assert list(caller.call_progressive("count", 3)) == [0, 1, 2, "done"]
    assert list(caller.rpc.count.progressive(to=2)) == [0, 1, "done"]
    assert caller.call_progressive("count", 5).result() == "done"


def test_a_caller_that_takes_no_parts_gets_the_result(service, start):
    assert start().rpc.count(3) == "done"


def test_more_parts_than_fit_into_any_queue(service, start):
    parts = list(start().call_progressive("count", 20_000))
    assert parts == [*range(20_000), "done"]


def test_a_failure_comes_behind_the_parts(service, start):
    call = start().call_progressive("breaks")
    assert next(call) == 1
    with pytest.raises(errors.Error) as caught:
        next(call)
    assert (caught.value.uri, caught.value.args) == ("com.broken", (2,))
    assert list(call) == []
    with pytest.raises(errors.CanceledError):
        call.result()


def test_a_part_that_cannot_be_sent_ends_the_call(service, start, caplog):
    with pytest.raises(errors.Error, match="has no form in WAMP"):
        start().call_progressive("unsendable").result()


def test_a_procedure_that_does_not_exist_fails_at_the_first_part(start):
    with pytest.raises(errors.ProcedureNotFoundError):
        next(start().call_progressive("com.nobody"))


def test_leaving_the_loop_cancels_the_call(service, start):
    for part in start().call_progressive("forever"):
        if part == 3:
            break
    assert service.closed.wait(20)


def test_closing_and_with_cancel_the_call(service, start):
    with start().call_progressive("forever") as call:
        assert next(call) == 0
    assert list(call) == []
    assert service.closed.wait(20)


def test_the_client_goes_on_after_a_call_that_was_canceled(service, start):
    caller = start()
    caller.call_progressive("forever").__next__()
    assert service.closed.wait(20)
    assert caller.rpc.count(1) == "done"


def test_arguments_go_in_parts(service, start):
    caller = start()
    call = caller.call_in_parts("total", (n for n in range(3)), "name", key=1)
    assert call.result() == [["name"], {"key": 1}, [0, 1, 2]]
    assert caller.call_in_parts("total", []).result() == [[], {}, []]


def test_a_call_made_at_once_has_no_further_parts(service, start):
    assert start().rpc.total(1) == [[1], {}, []]


def test_both_directions_flow_at_once(service, start):
    """Each part is made of the answer to the one before it, so none may be held back."""
    answers = []
    more = threading.Semaphore(1)

    def parts():
        for _ in range(5):
            assert more.acquire(timeout=20)
            yield (answers or [1])[-1]

    for answer in start().call_in_parts("double", parts()):
        answers.append(answer)
        more.release()
    assert answers == [2, 4, 8, 16, 32, "done"]


def test_a_generator_that_fails_cancels_its_call(service, start):
    def parts():
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        start().call_in_parts("wait_for_more", parts()).result()
    assert service.canceled.wait(20)


def test_a_part_without_form_cancels_its_call(service, start):
    with pytest.raises(errors.SerializationError, match="has no form in WAMP"):
        start().call_in_parts("wait_for_more", [object()]).result()


def test_the_generator_of_a_call_that_is_over_is_closed(service, start):
    closed = threading.Event()

    def parts():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    with start().call_in_parts("double", parts()) as call:
        assert next(call) == 0
    assert closed.wait(20)


@pytest.mark.parametrize("parts", [None, 3, "text", b"bytes", {"a": 1}], ids=repr)
def test_parts_must_be_iterable(start, parts):
    with pytest.raises(errors.ConfigurationError, match="must be a generator"):
        start().call_in_parts("total", parts)


def test_time_runs_for_each_part(start, seen):
    class Slow(Client):
        @wampy.callee
        def slow(self):
            yield 1
            seen.take(1)

    start(Slow)
    call = start(call_timeout=0.3).call_progressive("slow")
    assert next(call) == 1
    with pytest.raises(errors.WampyTimeOutError):
        next(call)
    seen.add(None)


def test_control_c_ends_the_wait_and_the_call(service, python):
    program = """
import sys, wampy
client = wampy.Client(url=sys.argv[1], call_timeout=0)
try:
    for part in client.call_progressive("forever_silent"):
        print(part)
except KeyboardInterrupt:
    print("interrupted")
client.stop()
"""

    def forever_silent():
        yield "first"
        over.wait(20)

    over = threading.Event()
    service.register(forever_silent)
    process = python(program, service.url)
    assert process.stdout.readline() == "first\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    over.set()
    assert process.wait(20) == 0
