"""wampy as a guest in its process: Ctrl-C, exit, forks, the GIL, threads."""

import gc
import os
import signal
import threading
import time

import pytest

import wampy
from wampy.peers import Client
from wampy.roles.callee import callee

SERVICE = """
import os, signal, sys, threading, time
import wampy
from wampy.peers import Client
from wampy.roles.callee import callee

class Service(Client):
    @callee
    def add(self, a, b):
        return a + b

    @callee
    def forever(self):
        print("called", flush=True)
        threading.Event().wait()
"""


def finish(process, timeout=20):
    """Wait for the end of ``process``; returns what it printed."""
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def test_ctrl_c_ends_a_wait(python):
    process = python(
        SERVICE
        + """
router = wampy.Router().start()
service = Service(router=router)
service.start()
client = Client(router=router, call_timeout=None)
try:
    client.rpc.forever()
except KeyboardInterrupt:
    print("interrupted", client.rpc.add(1, 2), flush=True)
client.stop()
"""
    )
    assert process.stdout.readline() == "called\n"
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    code, out, err = finish(process)
    assert (code, out) == (0, "interrupted 3\n"), err
    assert time.monotonic() - begin < 10


def test_ctrl_c_ends_a_program(python):
    process = python(
        SERVICE
        + """
router = wampy.Router().start()
Service(router=router).start()
Client(router=router, call_timeout=0).rpc.forever()
"""
    )
    assert process.stdout.readline() == "called\n"
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code in {-signal.SIGINT, 130, 1}
    assert "KeyboardInterrupt" in err
    assert "panicked" not in err


def test_ctrl_c_ends_a_connection_attempt(python):
    process = python(
        SERVICE
        + """
import socket
silent = socket.create_server(("127.0.0.1", 0))
print("connecting", flush=True)
try:
    Client(url="ws://127.0.0.1:%d" % silent.getsockname()[1]).start()
except KeyboardInterrupt:
    print("interrupted")
"""
    )
    assert process.stdout.readline() == "connecting\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert finish(process)[:2] == (0, "interrupted\n")


@pytest.mark.parametrize(
    "last_words",
    [
        "",
        "sys.exit(0)",
        "threading.Thread(target=lambda: caller.rpc.add(1, 2)).start()",
        "threading.Thread(target=caller.rpc.forever, daemon=True).start(); time.sleep(0.2)",
        "[client.rpc.add(1, 1) for client in (caller, service) for _ in range(50)]",
    ],
    ids=["plain", "exit", "thread at work", "daemon thread waiting", "busy"],
)
def test_the_interpreter_exits_although_nobody_stopped_anything(python, last_words):
    begin = time.monotonic()
    process = python(
        SERVICE
        + f"""
router = wampy.Router().start()
service = Service(router=router)
service.start()
caller = Client(router=router, call_timeout=None)
print(caller.rpc.add(20, 22))
{last_words}
"""
    )
    code, out, err = finish(process)
    assert code == 0, err
    assert out.startswith("42\n")
    assert err == ""
    assert time.monotonic() - begin < 15


def test_exit_says_goodbye(router, python, until, start):
    watcher = start()
    process = python(
        SERVICE + "client = Service(url=sys.argv[1]); client.start(); print('up')", router.url
    )
    assert finish(process)[:2] == (0, "up\n")
    until(lambda: watcher.call("wamp.session.count") == 1)


def test_exit_while_a_remote_router_is_silent(python):
    """Its GOODBYE stays unanswered, and the process ends anyhow, within a bound."""
    router = python(SERVICE + "r = wampy.Router().start(); print(r.url, flush=True); input()")
    url = router.stdout.readline().strip()
    process = python(
        SERVICE + "c = Client(url=sys.argv[1]); c.start(); print('up', flush=True); input()", url
    )
    assert process.stdout.readline() == "up\n"
    router.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(20) == 0
        assert time.monotonic() - begin < 10
    finally:
        router.send_signal(signal.SIGCONT)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_is_detected_and_can_begin_again(python):
    process = python(
        SERVICE
        + """
import warnings
warnings.simplefilter("ignore")
router = wampy.Router().start()
service = Service(router=router)
service.start()
client = Client(router=router)
assert client.rpc.add(1, 2) == 3
url = router.url
child = os.fork()
if child == 0:
    try:
        client.rpc.add(1, 2)
    except wampy.WampyError as error:
        print("child:", type(error).__name__, "fork" in str(error), flush=True)
    client.stop()
    client.start()
    print("child:", client.rpc.add(20, 22), flush=True)
    with Client(url=url) as fresh:
        print("child:", fresh.rpc.add(20, 23), flush=True)
    del service
    sys.exit(7)
_, status = os.waitpid(child, 0)
print("parent:", os.waitstatus_to_exitcode(status), client.rpc.add(3, 4))
"""
    )
    code, out, err = finish(process)
    assert out.splitlines() == [
        "child: SessionError True",
        "child: 42",
        "child: 43",
        "parent: 7 7",
    ], err
    assert code == 0


def test_the_gil_is_free_while_waiting(start):
    class Slow(Client):
        @callee
        def wait(self):
            release.wait(20)
            return "done"

    release = threading.Event()
    start(Slow)
    caller = start()
    results = []
    thread = threading.Thread(target=lambda: results.append(caller.rpc.wait()))
    thread.start()
    # This thread computes while the other one waits inside the extension.
    steps = 0
    begin = time.monotonic()
    while time.monotonic() - begin < 0.3:
        steps += 1
    assert steps > 1000
    assert thread.is_alive()
    release.set()
    thread.join(20)
    assert results == ["done"]


def test_stopping_ends_the_waits_of_other_threads(start, seen):
    class Slow(Client):
        @callee
        def wait(self):
            seen.add("called")
            release.wait(20)

    release = threading.Event()
    start(Slow)
    caller = start(call_timeout=None)
    failures = []

    def call():
        try:
            caller.rpc.wait()
        except wampy.WampyError as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    seen.take(1)
    caller.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert len(failures) == 1
    release.set()


def test_a_client_that_nobody_holds_any_more_leaves(router, start, until):
    watcher = start()
    client = Client(router=router, name="forgotten")
    assert client.call("wamp.session.count") == 2
    del client
    gc.collect()
    until(lambda: watcher.call("wamp.session.count") == 1)


def test_stopped_clients_leave_no_threads(make, until):
    class Service(Client):
        @callee
        def add(self, a, b):
            return a + b

    before = threading.active_count()
    for _ in range(5):
        with make(Service) as service:
            assert service.rpc.add(1, 2) == 3
    until(lambda: threading.active_count() <= before)


def test_the_command_of_the_wheel(python):
    process = python("import sys; from wampy.__main__ import main; sys.exit(main(['--version']))")
    code, out, err = finish(process)
    assert code == 0, err
    assert out.startswith("wampy 2.")
    process = python(
        "import sys; from wampy.__main__ import main; sys.exit(main(['no-such-verb']))"
    )
    code, out, err = finish(process)
    assert code == 2
    assert "no-such-verb" in err
