"""A client whose connection is lost: what it does meanwhile, who hears of it, and its end."""

import asyncio
import signal
import socket
import threading
import time

import pytest
from loops import until
from lossy import FAST, Service, names, wampy_threads

import wampy
import wampy.aio
from wampy import errors

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


def test_a_router_that_refuses_after_its_restart(serve, free_port, until):
    process = serve()
    url = f"ws://localhost:{free_port}"
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
        serve("another")
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


def test_stop_while_reconnecting(connect, proxy, start, router, until):
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
    caller = start()
    # The router notices the end of the lost session by itself.
    until(lambda: caller.call("wamp.session.count") == 1)
    assert service.session is None
    proxy._target = router.port
    service.start()
    assert caller.call("com.example.add", 1, 2) == 3
    attempt.close()
    silent.close()


def test_who_calls_while_a_lost_client_stops_is_told_so(connect, proxy, until, monkeypatch):
    client = connect(name="stopping")
    session = client._session
    part_with_keeper = session._part_with_keeper

    def and_call():
        # As another thread may just then.
        part_with_keeper()
        with pytest.raises(errors.SessionError, match="stopping is stopped"):
            client.call("wamp.session.count")
        asked.append(1)

    asked = []
    monkeypatch.setattr(session, "_part_with_keeper", and_call)
    proxy.refuse()
    until(lambda: session.is_reconnecting)
    client.stop()
    assert asked


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


def test_calls_that_wait_for_a_session_hold_no_later_call_back(router, proxy):
    async def add(a):
        return a + 1

    async def main():
        async with (
            wampy.aio.connect(router=router) as service,
            wampy.aio.connect(proxy.url, reconnect=FAST, call_timeout=10) as caller,
        ):
            await service.register(add, "com.aio.add")
            proxy.refuse()
            proxy.cut()
            await until(lambda: not caller.is_open)
            both = asyncio.gather(*(caller.call("com.aio.add", a) for a in (1, 2)))
            await asyncio.sleep(0)
            proxy.admit()
            assert await both == [2, 3]
            assert await caller.call("com.aio.add", 3) == 4

    asyncio.run(main())
