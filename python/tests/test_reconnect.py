"""A client whose connection is lost: what comes back in the next session."""

import signal
import socket
import threading
import time

import pytest
from lossy import FAST, Service, names, wampy_threads

import wampy
from wampy import errors
from wampy.constants import HANDLER_THREADS_MAX

# What comes back


def test_a_killed_router_that_comes_back(serve, free_port, until):
    process = serve()
    url = f"ws://localhost:{free_port}"
    with (
        Service(url=url, reconnect=FAST) as service,
        wampy.Client(url=url, reconnect=FAST) as caller,
    ):
        before = service.session.id
        assert caller.call("com.example.add", 1, 2) == 3
        process.send_signal(signal.SIGKILL)
        process.wait()
        serve()
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


def test_a_router_that_says_goodbye_and_comes_back(free_port, until):
    router = wampy.Router(port=free_port).start()
    url = router.url
    with Service(url=url, reconnect=FAST) as service:
        router.stop()
        until(lambda: names(service.told) == ["lost"])
        assert "system_shutdown" in service.told[0][1]
        assert "reconnecting" in repr(service)
        with wampy.Router(port=free_port):
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
