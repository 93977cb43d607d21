"""A client whose connection is lost: what comes back, what fails, who hears of it."""

import signal
import socket
import threading
import time

import pytest
from lossy import FAST, Proxy

import wampy
from wampy import errors
from wampy.constants import HANDLER_THREADS_MAX
from wampy.roles.callee import callee
from wampy.roles.subscriber import subscribe

ROUTER = """
import sys, time, wampy
for _ in range(200):
    try:
        router = wampy.Router(port=int(sys.argv[1]), realm=sys.argv[2]).start()
        break
    except wampy.errors.ConnectionError:
        time.sleep(0.05)
print(router.port, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def proxy(router):
    between = Proxy(router.port)
    yield between
    between.close()


@pytest.fixture
def connect(proxy):
    """Start clients that talk to the router by way of the proxy."""
    clients = []

    def build(cls=wampy.Client, **arguments):
        client = cls(**{"url": proxy.url, "call_timeout": 20, "reconnect": FAST, **arguments})
        clients.append(client)
        client.start()
        return client

    yield build
    for client in clients:
        client.stop()


@pytest.fixture
def serve(python):
    """Run a router as a process of its own, on a port of one's own if need be."""

    def run(port=0, realm="realm1"):
        process = python(ROUTER, str(port), realm)
        return process, int(process.stdout.readline())

    return run


class Service(wampy.Client):
    """Adds, and listens, and keeps count of its connections."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = []
        self.told = []
        self.entered = threading.Event()
        self.release = threading.Event()

    @callee(name="com.example.add")
    def add(self, a, b):
        return a + b

    @callee(name="com.example.wait")
    def wait(self):
        self.entered.set()
        assert self.release.wait(20)
        return "waited"

    @callee(name="com.example.who", details=True)
    def who(self, details):
        """Say which procedure this is."""
        return details["procedure"]

    @subscribe(topic="com.example.news")
    def first(self, item):
        self.seen.append(("first", item))

    @subscribe(topic="com.example.news")
    def second(self, item):
        self.seen.append(("second", item))

    def on_connection_lost(self, reason):
        self.told.append(("lost", reason))

    def on_reconnected(self):
        self.told.append(("back", self.session.id))

    def on_given_up(self, reason):
        self.told.append(("given up", reason))


def names(told):
    return [name for name, _ in told]


def wampy_threads(name):
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"wampy-{name}")]


# What comes back


def test_a_killed_router_that_comes_back(serve, until):
    process, port = serve()
    url = f"ws://localhost:{port}"
    with (
        Service(url=url, reconnect=FAST) as service,
        wampy.Client(url=url, reconnect=FAST) as caller,
    ):
        before = service.session.id
        assert caller.call("com.example.add", 1, 2) == 3
        process.send_signal(signal.SIGKILL)
        process.wait()
        serve(port)
        until(lambda: names(service.told) == ["lost", "back"])
        assert service.session.id == service.told[1][1] != before
        assert caller.call("com.example.add", 3, 4) == 7
        assert caller.call("com.example.who") == "com.example.who"
        caller.publish("com.example.news", "tea", options={"acknowledge": True})
        until(lambda: service.seen == [("first", "tea"), ("second", "tea")])
        for registration_id, procedure in service.registration_map.items():
            assert caller.call("wamp.registration.lookup", procedure) == registration_id
        (subscription_id,) = service.subscription_map
        assert caller.call("wamp.subscription.lookup", "com.example.news") == subscription_id
        assert caller.describe("com.example.who")["doc"] == "Say which procedure this is."


def test_a_router_that_says_goodbye_and_comes_back(until):
    router = wampy.Router().start()
    url = router.url
    with Service(url=url, reconnect=FAST) as service:
        router.stop()
        until(lambda: names(service.told) == ["lost"])
        assert "system_shutdown" in service.told[0][1]
        assert "reconnecting" in repr(service)
        with wampy.Router(port=int(url.rpartition(":")[2])):
            until(lambda: names(service.told) == ["lost", "back"])
            with wampy.Client(url=url) as caller:
                assert caller.call("com.example.add", 1, 1) == 2


def test_many_cycles_leave_no_thread_behind(connect, proxy, start, until):
    service, caller = connect(Service, name="cycling"), start()
    for cycle in range(15):
        proxy.cut()
        until(lambda cycle=cycle: names(service.told) == ["lost", "back"] * (cycle + 1))
        assert caller.call("com.example.add", cycle, 1) == cycle + 1
    assert len({session for name, session in service.told if name == "back"}) == 15
    until(lambda: len(wampy_threads("cycling")) <= 4)
    assert len(service.registration_map) == 3
    assert len(service._session.records.registrations) == 3
    assert len(service._session.records.subscriptions) == 2
    service.stop()
    until(lambda: not wampy_threads("cycling"))


def test_what_was_registered_and_subscribed_later_comes_back(connect, proxy, start, until):
    told, seen = [], []
    client = connect(reconnect=None, on_reconnected=told.append)
    client.register(lambda: "yes", "com.example.late")
    client.subscribe("com.example", lambda item, meta: seen.append(meta["topic"]), match="prefix")
    session = client._session
    session.register("com.example.raw", lambda: "raw")
    proxy.cut()
    until(lambda: told == [client])
    caller = start()
    assert caller.call("com.example.late") == "yes"
    assert caller.call("com.example.raw") == "raw"
    caller.publish("com.example.anything", 1)
    until(lambda: seen == ["com.example.anything"])


def test_what_was_taken_back_does_not_come_back(connect, proxy, start, until):
    told = []
    client = connect(on_reconnected=told.append)
    client.register(lambda: "stays", "com.example.stays")
    client.unregister(client.register(lambda: "goes", "com.example.goes"))
    client.unsubscribe(client.subscribe("com.example.news", print))
    revoked = client.register(lambda: "revoked", "com.example.revoked")
    caller = start()
    caller.call("wamp.registration.remove_callee", revoked, client.session.id)
    until(lambda: revoked not in client.registration_map)
    proxy.cut()
    until(lambda: told)
    assert list(client.registration_map.values()) == ["com.example.stays"]
    assert client.subscription_map == {}


def test_ids_from_before_the_loss_still_take_back(connect, proxy, start, until):
    told, seen = [], []
    client = connect(on_reconnected=told.append)
    registration = client.register(lambda: 1, "com.example.one")
    subscription = client.subscribe("com.example.news", seen.append)
    for cycle in range(2):
        proxy.cut()
        until(lambda cycle=cycle: len(told) == cycle + 1)
    assert registration not in client.registration_map
    client.unregister(registration)
    client.unsubscribe(subscription)
    assert (client.registration_map, client.subscription_map) == ({}, {})
    with pytest.raises(errors.ProcedureNotFoundError):
        start().call("com.example.one")
    with pytest.raises(errors.ConfigurationError):
        client.unregister(registration)


def test_a_procedure_that_the_old_session_still_holds_is_asked_for_until_it_is_free(
    connect, proxy, start, until, caplog
):
    service = connect(Service)
    service.register(lambda: "shared", "com.example.shared", "roundrobin")
    proxy.cut(router_too=False)
    # The router has not noticed, so the old session still holds the others.
    until(lambda: names(service.told) == ["lost", "back"])
    assert list(service.registration_map.values()) == ["com.example.shared"]
    assert "does not get back the procedure com.example.add" in caplog.text
    given_up = service._session.records.registrations[0]
    assert given_up.procedure == "com.example.add"
    service.unregister(given_up.first_id)
    proxy._pairs[0][1].shutdown(socket.SHUT_RDWR)
    until(lambda: len(service.registration_map) == 3)
    caller = start()
    assert caller.call("com.example.who") == "com.example.who"
    with pytest.raises(errors.ProcedureNotFoundError):
        caller.call("com.example.add", 1, 2)


def test_testaments_come_back(connect, proxy, start, until):
    told, wills = [], []
    client = connect(reconnect=FAST, on_reconnected=told.append)
    watcher = start()
    watcher.subscribe("com.example.will", wills.append)
    client.add_testament("com.example.will", "gone")
    proxy.cut()
    until(lambda: told and wills == ["gone"])
    proxy.cut()
    until(lambda: len(told) == 2 and wills == ["gone", "gone"])
    client.flush_testaments()
    proxy.cut()
    until(lambda: len(told) == 3)
    client.stop()
    until(lambda: watcher.call("wamp.session.count") == 1)
    assert wills == ["gone", "gone"]


# Jobs and ids


def test_a_handler_of_the_lost_session_answers_nobody_in_the_next(connect, proxy, start, until):
    service, caller = connect(Service), start()
    failures = []

    def ask():
        try:
            caller.call("com.example.wait")
        except errors.WampyError as error:
            failures.append(error.uri)

    asking = threading.Thread(target=ask)
    asking.start()
    assert service.entered.wait(20)
    old_release, service.release = service.release, threading.Event()
    proxy.cut()
    asking.join(20)
    assert failures in (["wamp.error.no_available_callee"], ["wamp.error.canceled"])
    until(lambda: names(service.told) == ["lost", "back"])
    service.entered.clear()
    # Both are the first invocation of their sessions.
    answers = []
    asking = threading.Thread(target=lambda: answers.append(caller.call("com.example.wait")))
    asking.start()
    assert service.entered.wait(20)
    old_release.set()
    until(lambda: service._session._threads.count < HANDLER_THREADS_MAX)
    time.sleep(0.1)
    assert answers == []
    service.release.set()
    asking.join(20)
    assert answers == ["waited"]


def test_no_call_reaches_another_procedure_while_the_connection_comes_and_goes(
    connect, proxy, start, until
):
    service = connect()
    for number in range(8):
        service.register(lambda number=number: number, f"com.example.n{number}")
    callers = [start() for _ in range(2)]
    stop, wrong, right = threading.Event(), [], []

    def hammer(caller):
        number = 0
        while not stop.is_set():
            number = (number + 1) % 8
            try:
                answer = caller.call(f"com.example.n{number}")
            except errors.Error:
                # Nobody offers it just now, or its callee has gone.
                continue
            (right if answer == number else wrong).append(answer)

    threads = [threading.Thread(target=hammer, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for _ in range(10):
        served = len(right)
        proxy.cut()
        until(lambda served=served: len(right) > served + 20)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert wrong == []


def test_events_that_came_before_the_loss_are_still_handled(connect, proxy, start, until):
    seen, entered, release = [], threading.Event(), threading.Event()

    def handle(number):
        entered.set()
        assert release.wait(20)
        seen.append(number)

    lost = []
    client = connect(on_connection_lost=lambda client, reason: lost.append(reason))
    client.subscribe("com.example.count", handle)
    publisher = start()
    for number in range(5):
        publisher.publish("com.example.count", number, options={"acknowledge": True})
    assert entered.wait(20)
    # A call over the same connection, behind the events.
    client.call("wamp.session.count")
    proxy.refuse()
    until(lambda: lost)
    release.set()
    until(lambda: seen == [0, 1, 2, 3, 4])


# Requests


def test_a_call_under_way_fails_and_says_that_it_may_have_been_executed(connect, proxy, start):
    service, caller = start(Service), connect()
    threading.Thread(target=lambda: service.entered.wait(20) and proxy.cut()).start()
    with pytest.raises(errors.ConnectionLostError, match="may have been executed") as caught:
        caller.call("com.example.wait")
    service.release.set()
    assert caught.value.may_have_run
    assert caught.value.procedure == "com.example.wait"
    assert isinstance(caught.value, ConnectionError)
    assert isinstance(caught.value, errors.SessionError)
    assert caller.call("com.example.add", 1, 2) == 3


def test_requests_wait_while_the_client_reconnects(connect, proxy, start, until):
    lost, answers = [], []
    start(Service)
    caller = connect(on_connection_lost=lambda client, reason: lost.append(reason))
    proxy.refuse()
    until(lambda: lost)
    asks = [
        lambda: caller.call("com.example.add", 1, 2),
        lambda: caller.publish("com.example.news", 1, options={"acknowledge": True}) > 0,
        lambda: caller.register(print, "com.example.print") > 0,
        lambda: caller.call_progressive("com.example.add", 3, 4).result(),
    ]
    threads = [threading.Thread(target=lambda ask=ask: answers.append(ask())) for ask in asks]
    for thread in threads:
        thread.start()
    assert answers == []
    proxy.admit()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == [True, True, 3, 7]


def test_requests_wait_no_longer_than_a_call_may_take(connect, proxy, until):
    caller = connect(call_timeout=0.2)
    proxy.refuse()
    until(lambda: not caller.session.is_open)
    with pytest.raises(errors.ConnectionLostError, match=r"within 0\.2 seconds") as caught:
        caller.call("com.example.add", 1, 2)
    assert not caught.value.may_have_run
    starting = threading.Thread(target=caller.start)
    starting.start()
    proxy.admit()
    starting.join(20)
    assert caller.call("wamp.session.count") == 1


def test_a_client_that_only_calls_is_not_kept_unless_asked(connect, proxy, start, until):
    start(Service)
    caller = connect(reconnect=None)
    proxy.cut()
    until(lambda: not caller.session.is_open)
    unsent = r"start\(\) begins a new session; .* was not sent"
    with pytest.raises(errors.ConnectionLostError, match=unsent) as caught:
        caller.call("com.example.add", 1, 2)
    assert not caught.value.may_have_run
    assert "(lost)" in repr(caller)
    caller.start()
    assert caller.call("com.example.add", 1, 2) == 3


def test_a_service_can_do_without(connect, proxy, until):
    service = connect(Service, reconnect=False)
    proxy.cut()
    until(lambda: names(service.told) == ["lost", "given up"])
    with pytest.raises(errors.ConnectionLostError, match="for good"):
        service.call("wamp.session.count")
    service.start()
    assert len(service.registration_map) == 3
    proxy.cut()
    until(lambda: names(service.told) == ["lost", "given up"] * 2)


# Who hears of it


def test_callbacks_may_fail_and_may_not_wait_for_themselves(connect, proxy, until, caplog):
    told = []

    def lost(client, reason):
        with pytest.raises(errors.ConnectionLostError, match="is getting it back"):
            client.call("wamp.session.count")
        told.append("lost")
        raise ValueError("on purpose")

    def back(client):
        told.append(client.call("wamp.session.count"))

    connect(on_connection_lost=lost, on_reconnected=back, name="talkative")
    proxy.cut()
    until(lambda: len(told) == 2)
    assert told == ["lost", 1]
    assert "on_connection_lost of talkative failed" in caplog.text
    assert "on purpose" in caplog.text


def test_a_callback_may_stop_the_client(connect, proxy, until):
    client = connect(on_connection_lost=lambda client, reason: client.stop(), name="quitter")
    proxy.cut()
    until(lambda: client.session is None)
    until(lambda: not wampy_threads("quitter"))


def test_a_router_that_refuses_after_its_restart(serve, until):
    process, port = serve()
    url = f"ws://localhost:{port}"
    with Service(url=url, reconnect=FAST, call_timeout=None) as service:
        waiting = []

        def ask():
            try:
                service.call("com.example.add", 1, 2)
            except errors.ConnectionLostError as error:
                waiting.append(error)

        process.kill()
        process.wait()
        until(lambda: names(service.told) == ["lost"])
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        serve(port, "another")
        until(lambda: names(service.told) == ["lost", "given up"])
        assert "wamp.error.no_such_realm" in service.told[1][1]
        for thread in threads:
            thread.join(20)
        assert all("no_such_realm" in str(error) for error in waiting)
        assert [error.may_have_run for error in waiting] == [False] * 3
        with pytest.raises(errors.WelcomeAbortedError):
            service.start()


def test_attempts_have_an_end_if_asked_for(connect, proxy, until):
    reconnect = wampy.Reconnect(delay_min=0.01, delay_max=0.02, attempts_max=3)
    service = connect(Service, reconnect=reconnect)
    proxy.close()
    until(lambda: names(service.told) == ["lost", "given up"])
    until(lambda: not wampy_threads("Service"))


# The end


def test_stop_while_reconnecting(connect, proxy, start, until):
    silent = socket.create_server(("127.0.0.1", 0))
    service = connect(Service, name="stopping", call_timeout=None)
    failures = []

    def ask():
        try:
            service.call("com.example.add", 1, 2)
        except errors.SessionError as error:
            failures.append(error)

    # The next attempt connects to somebody who says nothing.
    proxy._target = silent.getsockname()[1]
    proxy.cut()
    attempt, _ = silent.accept()
    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: service._session.is_reconnecting)
    service.stop()
    thread.join(20)
    assert "stopped" in str(failures[0])
    until(lambda: not wampy_threads("stopping"))
    assert start().call("wamp.session.count") == 1
    assert service.session is None
    proxy._target = int(proxy.url.rpartition(":")[2]) and start().router.port
    service.start()
    assert start().call("com.example.add", 1, 2) == 3
    attempt.close()
    silent.close()


@pytest.mark.parametrize("waits", ["service.call('com.example.nothing')", "time.sleep(60)"])
def test_ctrl_c_while_reconnecting(python, waits):
    process = python(
        f"""
import sys, time, wampy
from wampy.roles.callee import callee

class Service(wampy.Client):
    @callee
    def add(self, a, b):
        return a + b

router = wampy.Router().start()
service = Service(url=router.url, call_timeout=None, on_connection_lost=lambda *_: print("lost"))
service.start()
router.stop()
try:
    {waits}
except KeyboardInterrupt:
    print("interrupted")
"""
    )
    assert process.stdout.readline() == "lost\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "interrupted\n"), err


def test_a_program_ends_while_its_service_reconnects(python):
    process = python(
        """
import threading, wampy
lost = threading.Event()
router = wampy.Router().start()
client = wampy.Client(url=router.url, reconnect=True, on_connection_lost=lambda *_: lost.set())
client.start()
router.stop()
assert lost.wait(20)
"""
    )
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err.count("Traceback")) == (0, 0), err


# The first connection, and the arguments


def test_a_client_may_wait_for_its_router(serve, until):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(errors.ConnectionRefusedError):
        wampy.Client(url=f"ws://127.0.0.1:{port}", reconnect=FAST).start()
    reconnect = wampy.Reconnect(delay_min=0.01, delay_max=0.05, first_connection=True)
    client = wampy.Client(url=f"ws://127.0.0.1:{port}", reconnect=reconnect)
    starting = threading.Thread(target=client.start)
    starting.start()
    serve(port)
    starting.join(20)
    assert client.session.is_open
    client.stop()


def test_a_first_connection_has_an_end_if_asked_for():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    reconnect = wampy.Reconnect(0.01, 0.02, attempts_max=3, first_connection=True)
    with pytest.raises(errors.ConnectionRefusedError):
        wampy.Client(url=f"ws://127.0.0.1:{port}", reconnect=reconnect).start()


def test_delays_double_up_to_the_longest():
    reconnect = wampy.Reconnect(delay_min=0.1, delay_max=1)
    for attempt, longest in [(1, 0.1), (2, 0.2), (4, 0.8), (5, 1), (10**6, 1)]:
        for _ in range(50):
            assert longest / 2 <= reconnect.delay(attempt) <= longest
    assert repr(reconnect) == (
        "Reconnect(attempts_max=None, delay_max=1, delay_min=0.1, first_connection=False)"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"delay_min": 0},
        {"delay_min": "1"},
        {"delay_max": float("nan")},
        {"delay_max": True},
        {"delay_min": 2, "delay_max": 1},
        {"attempts_max": 0},
        {"attempts_max": 1.5},
    ],
)
def test_nonsense_is_refused(arguments):
    with pytest.raises(errors.ConfigurationError):
        wampy.Reconnect(**arguments)


def test_a_client_refuses_another_reconnect():
    with pytest.raises(errors.ConfigurationError, match="reconnect must be"):
        wampy.Client(reconnect=5)
