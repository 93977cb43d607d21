"""Procedures: their results, their failures, and handlers that use their own client."""

import threading

import pytest

import wampy
from wampy import constants, errors
from wampy.peers import Client
from wampy.roles.callee import callee


class Service(Client):
    @callee
    def echo(self, *args, **kwargs):
        return [list(args), kwargs]

    @callee
    def value(self, value):
        return value

    @callee
    def fail(self, *args, **kwargs):
        raise ValueError("no such thing")

    @callee
    def refuse(self, article):
        raise wampy.Error("com.shop.sold_out", 3, article=article)

    @callee
    def leave(self):
        raise SystemExit(3)

    @callee
    def unsendable(self):
        return {"inner": [object()]}


VALUES = [
    None,
    True,
    0,
    -5,
    2**63,
    0.25,
    "",
    "Grüße \U0001f600",
    b"\x00\xff",
    [],
    [1, [2]],
    {},
    {"a": {"b": None}},
    {"message": 1},
    {"message": 1, "meta": 2},
    [None],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_travel_both_ways(start, value):
    start(Service)
    caller = start()
    assert caller.rpc.value(value) == value
    assert caller.rpc.value(value=value) == value
    assert caller.rpc.echo(value, k=value) == [[value], {"k": value}]


def test_an_exception_becomes_one_error(start, caplog):
    service = start(Service)
    caller = start()
    with pytest.raises(errors.RemoteError) as caught:
        caller.call("fail", 1, key="word")
    error = caught.value
    assert error.uri == error.procedure == "fail"
    assert error.args == ()
    assert error.kwargs == {
        "exc_type": "ValueError",
        "message": "no such thing",
        "call_args": [1],
        "call_kwargs": {"key": "word"},
    }
    assert error.request_id >= 1
    assert "ValueError: no such thing" in str(error)
    # It is logged where it happened, with its traceback, and nothing has died.
    assert any(record.exc_info and "fail" in record.getMessage() for record in caplog.records)
    for _ in range(3):
        with pytest.raises(errors.RemoteError):
            caller.call("fail")
    assert caller.call("value", 1) == 1
    assert service.session.is_open


def test_a_wampy_error_arrives_as_it_was_raised(start, caplog):
    start(Service)
    with pytest.raises(wampy.Error) as caught:
        start().rpc.refuse("tea")
    assert caught.value.uri == "com.shop.sold_out"
    assert caught.value.args == (3,)
    assert caught.value.kwargs == {"article": "tea"}
    assert caught.value.procedure == "refuse"


def test_wrong_arguments_are_the_callers_error(start):
    start(Service)
    with pytest.raises(errors.InvalidArgumentError, match="too many positional") as caught:
        start().rpc.value(1, 2, 3)
    assert caught.value.uri == "wamp.error.invalid_argument"


@pytest.mark.parametrize("procedure", ["leave", "unsendable"])
def test_no_handler_can_leave_its_caller_waiting(start, procedure):
    service = start(Service)
    caller = start()
    with pytest.raises(errors.RemoteError) as caught:
        caller.call(procedure)
    assert caught.value.uri == procedure
    if procedure == "unsendable":
        assert "object" in caught.value.kwargs["message"]
    assert caller.call("value", 7) == 7
    assert service.session.is_open


def test_a_result_is_one_positional_value_on_the_wire(start):
    start(Service)
    caller = start()
    caller.send_message(call := wampy.messages.Call("value", args=[5]))
    assert caller.recv_message(call.request_id).message[3:] == [[5], {}]


def test_a_handler_may_call_its_own_client(start):
    class Chain(Client):
        @callee
        def count_down(self, n):
            return [n, *(self.rpc.count_down(n - 1) if n else [])]

    start(Chain)
    assert start().rpc.count_down(20) == list(range(20, -1, -1))


def test_two_services_may_call_each_other(start):
    class Ping(Client):
        @callee
        def ping(self, n):
            return self.call("pong", n - 1) if n else "done"

    class Pong(Client):
        @callee
        def pong(self, n):
            return self.call("ping", n - 1) if n else "done"

    start(Ping)
    start(Pong)
    assert start().rpc.ping(15) == "done"


def test_a_handler_may_publish_register_and_subscribe(start, seen):
    class Busy(Client):
        @callee
        def be_busy(self):
            subscription_id = self.subscribe("com.news", lambda *args: seen.add(args))
            registration_id = self.register(lambda n: n * 2, "com.double")
            self.publish("com.busy", 1, options={"acknowledge": True})
            return [self.call("com.double", 21), subscription_id, registration_id]

        @callee
        def calm_down(self, subscription_id, registration_id):
            self.unsubscribe(subscription_id)
            self.unregister(registration_id)

    start(Busy)
    caller = start()
    result, subscription_id, registration_id = caller.rpc.be_busy()
    assert result == 42
    caller.publish("com.news", "x")
    assert seen.take(1) == [("x",)]
    caller.rpc.calm_down(subscription_id, registration_id)
    with pytest.raises(errors.ProcedureNotFoundError):
        caller.call("com.double", 1)


def test_a_handler_may_stop_its_client(start, until):
    class Leaving(Client):
        @callee
        def go(self):
            self.stop()
            return "gone"

    service = start(Leaving)
    with pytest.raises(errors.WampyError):
        start().rpc.go()
    until(lambda: service.session is None)


def test_an_answer_never_goes_to_a_later_session(start, seen, caplog):
    """Request ids begin again with every session; a late answer must not hit a new request."""

    class Late(Client):
        @callee
        def late(self, n):
            seen.add(n)
            (first if n == 1 else second).wait(20)
            return n

    first, second = threading.Event(), threading.Event()
    service = start(Late)
    caller = start()
    results = []

    def call(n):
        try:
            results.append(caller.rpc.late(n))
        except errors.WampyError as error:
            results.append(error)

    threads = [threading.Thread(target=call, args=(n,)) for n in (1, 2)]
    threads[0].start()
    seen.take(1)
    service.stop()
    service.start()
    threads[1].start()
    seen.take(2)
    first.set()
    threads[0].join()
    second.set()
    threads[1].join()
    assert isinstance(results[0], errors.WampyError)
    assert results[1] == 2


def test_handlers_run_at_the_same_time_and_never_on_the_network_thread(start):
    class Meeting(Client):
        @callee
        def meet(self):
            names.add(threading.current_thread().name)
            barrier.wait(20)
            return "met"

    names = set()
    barrier = threading.Barrier(10)
    start(Meeting, name="meeting")
    caller = start()
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(caller.rpc.meet())) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["met"] * 10
    assert names == {"wampy-meeting"}


def test_the_number_of_handler_threads_is_limited(start):
    class Crowded(Client):
        @callee
        def enter(self):
            with lock:
                inside.append(1)
                peak.append(len(inside))
            release.wait(0.05)
            with lock:
                inside.pop()

    lock, release, inside, peak = threading.Lock(), threading.Event(), [], []
    service = start(Crowded)
    caller = start()
    count = constants.HANDLER_THREADS_MAX + 30
    threads = [threading.Thread(target=caller.rpc.enter) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(peak) == count
    assert max(peak) <= constants.HANDLER_THREADS_MAX
    assert service._session._threads.count <= constants.HANDLER_THREADS_MAX


def test_shared_registrations(start):
    def worker(number):
        class Worker(Client):
            @callee(invocation_policy="roundrobin")
            def work(self):
                return number

        return Worker

    for number in range(3):
        start(worker(number))
    caller = start()
    assert sorted(caller.rpc.work() for _ in range(6)) == [0, 0, 1, 1, 2, 2]


def test_register_by_hand(start):
    service = start()

    def greet(name):
        return f"hello {name}"

    registration_id = service.register(greet)
    assert service.registration_map == {registration_id: "greet"}
    caller = start()
    assert caller.rpc.greet("you") == "hello you"
    with pytest.raises(errors.ProcedureAlreadyExistsError):
        service.register(greet)
    service.unregister(registration_id)
    assert service.registration_map == {}
    with pytest.raises(errors.ProcedureNotFoundError):
        caller.rpc.greet("you")


def test_state_of_the_instance_is_the_handlers(start):
    class Counter(Client):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.total = 0

        @callee
        def add(self, n):
            self.total += n
            return self.total

    service = start(Counter)
    caller = start()
    assert [caller.rpc.add(2), caller.rpc.add(3)] == [2, 5]
    assert service.total == 5


def test_a_coroutine_function_is_refused_where_it_is_registered(router):
    class Asynchronous(Client):
        @callee
        async def later(self):
            return 1

    with pytest.raises(errors.ConfigurationError) as caught:
        Asynchronous(url=router.url).start()
    assert "later" in str(caught.value)
