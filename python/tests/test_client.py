"""The life of a client: start, stop, again, lazily, many at once, and when the router is absent."""

import builtins
import socket
import threading
import time

import pytest

import wampy
from wampy import errors
from wampy.errors import SessionError
from wampy.peers.clients import Client, RpcClient, WampClient
from wampy.peers.routers import WampRouter
from wampy.registry import get_client_registry, get_registered_entrypoints
from wampy.roles.callee import callee
from wampy.rpc import rpc


class Adder(Client):
    @callee
    def add(self, a, b=0):
        return a + b


def test_session_id_is_a_wamp_id(start):
    client = start()
    assert type(client.session.id) is int
    assert 1 <= client.session.id <= 2**53
    assert client.session.session_id == client.session.id
    assert client.session.client is client


def test_start_and_stop_are_idempotent(start):
    client = start()
    first = client.session.id
    client.start()
    assert client.session.id == first
    client.stop()
    assert client.session is None
    client.stop()


def test_restart_joins_a_new_session(start):
    service = start(Adder)
    caller = start()
    assert caller.call("add", 1, 2) == 3
    first = service.session.id
    service.stop()
    with pytest.raises(errors.ProcedureNotFoundError):
        caller.call("add", 1, 2)
    service.start()
    assert service.session.id != first
    assert caller.call("add", 1, 2) == 3


def test_context_manager_starts_and_stops(make):
    with make() as client:
        assert client.session is not None
    assert client.session is None


@pytest.mark.parametrize("use", ["rpc", "call", "publish", "register", "subscribe", "send_message"])
def test_first_use_starts(make, start, use):
    start(Adder)
    client = make()
    assert client.session is None
    if use == "rpc":
        assert client.rpc.add(1, b=2) == 3
    elif use == "call":
        assert client.call("add", 1, b=2) == 3
    elif use == "publish":
        assert client.publish("com.topic", 1) is None
    elif use == "register":
        assert client.register(print, "com.print") > 0
    elif use == "subscribe":
        assert client.subscribe("com.topic", print) > 0
    else:
        client.send_message(wampy.messages.Publish("com.topic", {}))
    assert client.session is not None


def test_a_stopped_client_does_not_start_by_itself(start):
    client = start()
    client.stop()
    with pytest.raises(SessionError, match="stopped"):
        client.call("add", 1)
    assert client.session is None


def test_rpc_by_attribute_chain_and_by_key(start):
    class Service(Client):
        @callee(name="com.app.proc")
        def proc(self, *args, **kwargs):
            return [list(args), kwargs]

    start(Service)
    client = start()
    expected = [[1, "a"], {"k": None}]
    assert client.rpc.com.app.proc(1, "a", k=None) == expected
    assert client.rpc["com.app.proc"](1, "a", k=None) == expected
    assert getattr(client.rpc, "com.app.proc")(1, "a", k=None) == expected
    assert client.call("com.app.proc", 1, "a", k=None) == expected


def test_keyword_arguments_may_have_any_name(start):
    class Service(Client):
        @callee
        def echo(self, **kwargs):
            return kwargs

    start(Service)
    kwargs = {"procedure": 1, "args": 2, "kwargs": 3, "options": 4, "timeout": 5, "uri": 6}
    client = start()
    assert client.call("echo", **kwargs) == kwargs
    assert client.rpc.echo(**kwargs) == kwargs


def test_the_api_of_2016(router):
    class DateService(WampClient):
        @rpc
        def get_todays_date(self):
            return "2016-05-14"

    crossbar = WampRouter(name="Crossbar", host="localhost", port=str(router.port), realm="realm1")
    service = DateService(name="Date Service", router=crossbar)
    service.start()
    try:
        entrypoints = get_registered_entrypoints()
        assert list(entrypoints.values()) == [(DateService, "get_todays_date")]
        assert all(type(registration_id) is int for registration_id in entrypoints)
        assert get_client_registry() == {"Date Service": service}
        client = RpcClient(name="Caller", router=crossbar)
        assert client.rpc.get_todays_date() == "2016-05-14"
        client.stop()
    finally:
        service.stop()
    assert get_registered_entrypoints() == {}
    assert get_client_registry() == {}


def test_start_returns_when_everything_is_registered(start, make):
    namespace = {}
    for number in range(50):

        def procedure(self, number=number):
            return number

        procedure.__name__ = f"procedure_{number}"
        namespace[procedure.__name__] = callee(procedure)
    service = start(type("Service", (Client,), namespace))
    assert sorted(service.registration_map.values()) == sorted(namespace)
    caller = start()
    assert [caller.call(f"procedure_{number}") for number in range(50)] == list(range(50))


def test_a_refused_registration_is_raised_by_start_and_leaves_nothing(start, make):
    start(Adder)
    second = make(Adder)
    with pytest.raises(errors.ProcedureAlreadyExistsError) as caught:
        second.start()
    assert caught.value.uri == "wamp.error.procedure_already_exists"
    assert caught.value.procedure == "add"
    assert caught.value.request_id >= 1
    assert second.session is None
    assert len(get_registered_entrypoints()) == 1


def test_connection_refused(free_port):
    client = Client(url=f"ws://127.0.0.1:{free_port}")
    with pytest.raises(builtins.ConnectionRefusedError) as caught:
        client.start()
    assert isinstance(caught.value, errors.ConnectionError)
    assert client.session is None


def test_something_else_at_the_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client(url=f"ws://127.0.0.1:{server.getsockname()[1]}")

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(errors.WampyError, match="404"):
            client.start()
        thread.join()


def test_a_realm_that_does_not_exist(make):
    client = make(realm="nowhere")
    with pytest.raises(errors.WelcomeAbortedError, match="no_such_realm") as caught:
        client.start()
    assert caught.value.uri == "wamp.error.no_such_realm"
    assert client.session is None


def test_timeout_is_raised_here_and_told_to_the_dealer(start, seen, until):
    class Slow(Client):
        @callee
        def wait(self):
            seen.add("called")
            release.wait(20)
            return "too late"

    release = threading.Event()
    start(Slow)
    caller = start(call_timeout=0.3)
    begin = time.monotonic()
    with pytest.raises(errors.WampyTimeOutError) as caught:
        caller.call("wait")
    assert 0.2 < time.monotonic() - begin < 5
    assert isinstance(caught.value, TimeoutError)
    release.set()
    seen.take(1)
    with pytest.raises(errors.ProcedureNotFoundError):
        caller.call("the.session.lives.on")


@pytest.mark.parametrize("call_timeout", [0, None])
def test_no_timeout(start, call_timeout):
    start(Adder)
    assert start(call_timeout=call_timeout).call("add", 1, 2) == 3


def test_the_router_goes_away(router, start, until):
    client = start()
    router.stop()
    until(lambda: not client.session.is_open)
    with pytest.raises(errors.WampyError):
        client.call("add", 1)
    client.stop()


def test_start_again_after_the_router_was_away(start, free_port, until):
    with wampy.Router(port=free_port) as first:
        service = start(Adder, router=first, reconnect=False)
    until(lambda: not service.session.is_open)
    with pytest.raises(errors.ConnectionError):
        service.start()
    with wampy.Router(port=free_port) as second, Client(router=second) as caller:
        service.start()
        assert caller.call("add", 1, 2) == 3
        service.stop()


def test_a_pending_call_ends_when_the_router_goes_away(router, start, seen):
    class Slow(Client):
        @callee
        def wait(self):
            seen.add("called")
            release.wait(20)

    release = threading.Event()
    start(Slow)
    caller = start()
    thread = threading.Thread(target=lambda: (seen.take(1), router.stop()))
    thread.start()
    with pytest.raises(errors.WampyError):
        caller.call("wait")
    release.set()
    thread.join()


def test_one_client_from_many_threads(start):
    start(Adder)
    client = start()
    wrong = []

    def work(number):
        for step in range(30):
            if client.rpc.add(number * 1000, step) != number * 1000 + step:
                wrong.append((number, step))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_unix_and_rawsocket_urls_are_accepted_by_the_client(free_port):
    for url in ("unix:///nonexistent/wampy.sock", f"rs://127.0.0.1:{free_port}"):
        with pytest.raises(errors.ConnectionError):
            Client(url=url).start()


def test_rawsocket(router, start):
    start(Adder)
    with Client(url=router.url.replace("ws://", "rs://")) as caller:
        assert caller.call("add", 2, 3) == 5


def test_values_that_cannot_be_sent_name_their_place(start):
    start(Adder)
    caller = start()
    with pytest.raises(errors.SerializationError, match=r"args\[1\]\[0\]: a value of type complex"):
        caller.call("add", 1, [1j])
    with pytest.raises(OverflowError, match=r'kwargs\["b"\]'):
        caller.call("add", 1, b=2**70)
    with pytest.raises(errors.SerializationError, match=r'kwargs\["day"\]'):
        caller.publish("com.topic", day=object())
    assert caller.call("add", 1, 2) == 3


@pytest.mark.parametrize(
    "options", [{"exclude": "everybody"}, {"acknowledge": 1}, {"eligible": [-1]}, {"retain": {1}}]
)
def test_wrong_options_are_refused_before_anything_is_sent(start, options):
    client = start()
    with pytest.raises(errors.WampyError, match=next(iter(options))):
        client.publish("com.topic", options=options)
    assert client.publish("com.topic", options={"acknowledge": True})


def test_what_is_larger_than_a_message_costs_nobody_the_session(start):
    class Huge(Client):
        @callee
        def huge(self):
            return "x" * (17 << 20)

        @callee
        def length(self, text):
            return len(text)

    service = start(Huge)
    caller = start()
    with pytest.raises(errors.SerializationError, match="16 MiB"):
        caller.call("length", "x" * (17 << 20))
    with pytest.raises(errors.RemoteError, match="16 MiB"):
        caller.call("huge")
    assert caller.call("length", "x" * (15 << 20)) == 15 << 20
    assert service.session.is_open


@pytest.mark.parametrize("procedure", ["", "a b", "a..b", "a.#.b", 5, None])
def test_impossible_procedure_names(start, procedure):
    client = start()
    with pytest.raises(errors.WampyError):
        client.call(procedure)
    with pytest.raises(errors.WampyError):
        client.call("no.such.procedure")
