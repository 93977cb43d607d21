"""wampy in programs of gevent and eventlet: patched ones, where waiting is by the hub, and others.

Each program is a process of its own, since a patch cannot be taken back.
"""

import json
import os
import signal
import threading
import time
import urllib.request

import pytest

import wampy

if os.environ.get("WAMPY_ONLY_THE_WHEEL"):
    pytest.skip("needs gevent, eventlet and Flask", allow_module_level=True)

PATCHED = """
from gevent import monkey
monkey.patch_all()
"""

#: What a program of either library goes on with, which has ``Event`` and ``sleep``.
SERVICE = """
import logging, os, signal, sys, threading, time
import greenlet
import wampy

class Service(wampy.Client):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.called, self.answer = Event(), Event()
        self.closed = Event()
        self.seen = []

    @wampy.callee
    def add(self, a, b):
        return a + b

    @wampy.callee
    def wait(self):
        self.called.set()
        self.answer.wait()
        return "answered"

    @wampy.callee
    def count(self):
        try:
            while True:
                yield 1
                sleep(0.01)
        finally:
            self.closed.set()

    @wampy.callee
    def add_by_calling(self, a, b):
        return self.rpc.add(a, b)

    @wampy.subscribe(topic="com.topic")
    def on_event(self, number):
        sleep(0)
        self.seen.append((number, type(greenlet.getcurrent()).__name__))

router = wampy.Router().start()
service = Service(router=router)
service.start()
client = wampy.Client(router=router, call_timeout=20)
client.start()
"""

PROGRAM = (
    """
import gevent
from gevent import sleep
from gevent.event import Event
"""
    + SERVICE
)

EVENTLET_PATCHED = """
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
"""

EVENTLET = (
    EVENTLET_PATCHED
    + """
import eventlet.event
from eventlet import sleep

class Event(eventlet.event.Event):
    set = eventlet.event.Event.send
"""
    + SERVICE
)


class Forever(wampy.Client):
    """A callee in this process, whose handlers are native threads."""

    def __init__(self, seen, **arguments):
        super().__init__(**arguments)
        self.seen = seen

    @wampy.callee
    def forever(self):
        try:
            while True:
                yield 1
                time.sleep(0.01)
        finally:
            self.seen.add("closed")


@pytest.fixture
def forever(start, seen):
    """The URL of a router that has the procedure "forever"."""
    return start(Forever, seen=seen).url


@pytest.fixture
def program(python):
    """Run a program to its end; returns the lines that it printed."""

    def run(code, *arguments):
        process = python(code, *arguments)
        out, err = process.communicate(timeout=50)
        assert (process.returncode, err) == (0, ""), out + err
        return out.splitlines()

    return run


# Patched programs


@pytest.mark.parametrize("loop", ["libev-cext", "libuv-cffi"])
def test_other_greenlets_run_while_a_call_waits(program, monkeypatch, loop):
    monkeypatch.setenv("GEVENT_LOOP", loop)
    lines = program(
        PATCHED
        + PROGRAM
        + """
def answer():
    service.called.wait()
    print("while it waits")
    service.answer.set()

gevent.spawn(answer)
print(client.rpc.wait())
print(type(gevent.get_hub().loop).__module__)
"""
    )
    assert lines[:2] == ["while it waits", "answered"]
    assert loop.partition("-")[0] in lines[2]


def test_more_greenlets_wait_than_there_are_threads_anywhere(program):
    lines = program(
        PATCHED
        + PROGRAM
        + """
everybody = []
here = Event()

def meet():
    everybody.append(1)
    if len(everybody) == 60:
        here.set()
    here.wait()
    return threading.current_thread().name

service.register(meet, name="com.meet")
meetings = [gevent.spawn(client.call, "com.meet") for _ in range(60)]
sums = [gevent.spawn(client.rpc.add, n, 1) for n in range(300)]
gevent.joinall([*meetings, *sums], timeout=40, raise_error=True)
print(len({greenlet.value for greenlet in meetings}) <= 60, all(g.value for g in meetings))
print([greenlet.value for greenlet in sums] == list(range(1, 301)))
print(len(set(threading.enumerate())) < 100, gevent.get_hub().threadpool.size)
"""
    )
    assert lines == ["True True", "True", "True 0"]


def test_handlers_are_greenlets_and_may_call(program):
    lines = program(
        PATCHED
        + PROGRAM
        + """
print(client.rpc.add_by_calling(20, 22))
for number in range(20):
    client.publish("com.topic", number)
while len(service.seen) < 20:
    gevent.sleep(0.01)
print([number for number, _ in service.seen] == list(range(20)))
print({kind for _, kind in service.seen})
"""
    )
    assert lines == ["42", "True", "{'Greenlet'}"]


def test_a_timeout_of_gevent_cancels_the_call(program, forever, seen):
    lines = program(
        PATCHED
        + """
import sys, gevent, wampy
from wampy import greenlets
client = wampy.Client(url=sys.argv[1], call_timeout=20)
for _ in range(20):
    parts = client.call_progressive("forever")
    next(parts)
    try:
        with gevent.Timeout(0.05):
            parts.result()
    except gevent.Timeout:
        pass
    else:
        print("it ended")
print(len(greenlets.waiting()), client.call("wamp.session.count"))
""",
        forever,
    )
    assert lines == ["0 2"]
    # The callee is told: its generators are closed.
    seen.take(20)


def test_a_killed_greenlet_does_not_wait(program, forever, seen):
    lines = program(
        PATCHED
        + """
import sys, gevent, wampy
from wampy import greenlets
client = wampy.Client(url=sys.argv[1], call_timeout=20)
client.start()
parts = [client.call_progressive("forever") for _ in range(5)]
for part in parts:
    next(part)
callers = [gevent.spawn(part.result) for part in parts]
while len(greenlets.waiting()) < 5:
    gevent.sleep(0)
gevent.killall(callers)
print([type(caller.value).__name__ for caller in callers])
print(len(greenlets.waiting()), client.call("wamp.session.count"))
""",
        forever,
    )
    assert lines == [str(["GreenletExit"] * 5), "0 2"]
    seen.take(5)


@pytest.mark.parametrize(
    ("service", "library"), [(PATCHED + PROGRAM, "gevent"), (EVENTLET, "eventlet")]
)
def test_ctrl_c_ends_a_wait(python, service, library):
    process = python(
        service
        + f"""
{library}.spawn(lambda: (service.called.wait(), print("called", flush=True)))
try:
    client.rpc.wait()
except KeyboardInterrupt:
    print("interrupted", client.rpc.add(1, 2))
"""
    )
    assert process.stdout.readline() == "called\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert out == "interrupted 3\n", err


def test_ctrl_c_ends_a_program(python):
    process = python(PATCHED + PROGRAM + "print('up', flush=True)\nEvent().wait()\n")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in err
    assert "panicked" not in err
    assert process.returncode in {-signal.SIGINT, 130, 1}


def test_the_main_greenlet_may_wait_for_nothing_but_events(python, start):
    """gevent ends a program with an error when nothing is left that could wake it."""
    publisher = start()
    process = python(
        PATCHED
        + """
import sys
from gevent.event import Event
import wampy

heard = Event()
client = wampy.Client(url=sys.argv[1])
client.subscribe("com.topic", lambda text: (print(text), heard.set()))
print("up", flush=True)
heard.wait()
client.stop()
""",
        publisher.url,
    )
    assert process.stdout.readline() == "up\n"
    publisher.publish("com.topic", "heard")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "heard\n", "")


def test_an_idle_client_keeps_no_loop_alive(program):
    lines = program(
        PATCHED
        + """
import gevent, wampy
router = wampy.Router().start()
client = wampy.Client(router=router)
print(client.call("wamp.session.count"))
print(gevent.wait(timeout=20))
"""
    )
    assert lines == ["1", "True"]


def test_the_interpreter_exits_although_nobody_stopped_anything(program):
    lines = program(
        PATCHED
        + PROGRAM
        + """
gevent.spawn(client.rpc.wait)
threading.Thread(target=client.rpc.wait, daemon=True).start()
service.called.wait()
print(client.rpc.add(20, 22))
"""
    )
    assert lines == ["42"]


def test_native_threads_wait_for_real(program):
    lines = program(
        PATCHED
        + PROGRAM
        + """
pool = gevent.get_hub().threadpool
print([pool.spawn(client.rpc.add, n, 1).get() for n in range(3)])
"""
    )
    assert lines == ["[1, 2, 3]"]


def test_parts_of_calls_come_and_go(program):
    lines = program(
        PATCHED
        + PROGRAM
        + """
def total(*, parts):
    return sum(parts)

service.register(total, name="com.total", parts=True)
print([gevent.spawn(client.call_in_parts("com.total", range(n)).result).get() for n in (5, 10)])
parts = client.call_progressive("count")
print(next(parts), next(parts))
parts.close()
service.closed.wait()
"""
    )
    assert lines == ["[10, 45]", "1 1"]


def test_a_lost_session_comes_back(program):
    lines = program(
        PATCHED
        + """
import logging
import gevent, wampy

logging.disable()  # it warns of the loss

class Service(wampy.Client):
    @wampy.callee
    def double(self, n):
        return 2 * n

router = wampy.Router().start()
port = router.port
service = Service(url=router.url)
service.start()
caller = gevent.spawn(lambda: wampy.Client(url=router.url).rpc.double(4))
print(caller.get())
router.stop()
router = wampy.Router(port=port).start()
while True:
    try:
        print(wampy.Client(url=router.url).rpc.double(5))
        break
    except wampy.Error:
        gevent.sleep(0.01)
service.stop()
router.stop()
"""
    )
    assert lines == ["8", "10"]


def test_a_fork_begins_again(program):
    lines = program(
        PATCHED
        + PROGRAM
        + """
url = router.url
assert client.rpc.add(1, 2) == 3
sys.stdout.flush()
child = os.fork()
if child == 0:
    with wampy.Client(url=url) as fresh:
        print("child", gevent.spawn(fresh.rpc.add, 1, 1).get(), flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
print("parent", status, client.rpc.add(2, 2))
"""
    )
    assert lines == ["child 2", "parent 0 4"]


def test_the_order_of_import_and_patch_makes_no_difference(program):
    lines = program(
        "import wampy\nfrom wampy.peers import Client\n"
        + PATCHED
        + PROGRAM
        + """
gevent.spawn(lambda: (service.called.wait(), service.answer.set()))
print(client.rpc.wait())
"""
    )
    assert lines == ["answered"]


WEB = """
from flask import Flask
from gevent.pywsgi import WSGIServer

app = Flask(__name__)

@app.get("/wait")
def wait():
    return {"result": client.rpc.wait()}

@app.get("/answer")
def answer():
    service.called.wait()
    service.answer.set()
    return {"result": client.rpc.add(20, 22)}

server = WSGIServer(("127.0.0.1", 0), app, log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_a_server_of_gevent_answers_others_while_one_waits(python):
    process = python(PATCHED + PROGRAM + WEB)
    port = int(process.stdout.readline())
    results = {}

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
            results[path] = json.load(answer)["result"]

    waiting = threading.Thread(target=get, args=("wait",))
    waiting.start()
    get("answer")
    waiting.join(30)
    assert results == {"answer": 42, "wait": "answered"}
    assert process.poll() is None


# Other programs


def test_a_program_that_is_not_patched_has_native_threads(program):
    lines = program(
        PROGRAM
        + """
print([gevent.spawn(client.rpc.add, n, 1).get() for n in range(3)])
print(client.rpc.add_by_calling(20, 22))
def wait():
    done.wait()
    return "answered"

done = threading.Event()
service.register(wait, name="com.native")
threading.Timer(0.1, done.set).start()
print(client.call("com.native"))
"""
    )
    assert lines == ["[1, 2, 3]", "42", "answered"]


def test_threads_may_be_left_out_of_the_patch(program):
    lines = program(
        PATCHED.replace("patch_all()", "patch_all(thread=False)")
        + PROGRAM
        + """
from wampy import greenlets
print([gevent.spawn(client.rpc.add, n, 1).get() for n in range(3)], greenlets.waiting())
print(client.rpc.add_by_calling(20, 22))
"""
    )
    assert lines == ["[1, 2, 3] ()", "42"]


def test_nothing_is_imported_or_patched_unasked(program):
    lines = program(
        """
import socket, sys, threading, time
import wampy
before = socket.socket, threading.Thread, time.sleep
with wampy.Router() as router, wampy.Client(router=router) as client:
    print(client.call("wamp.session.count"))
print([name for name in ("gevent", "greenlet", "eventlet") if name in sys.modules])
print(before == (socket.socket, threading.Thread, time.sleep))
"""
    )
    assert lines == ["1", "[]", "True"]


def test_eventlet_runs_others_while_a_call_waits(program):
    lines = program(
        EVENTLET
        + """
def answer():
    service.called.wait()
    print("while it waits")
    service.answer.set()

eventlet.spawn(answer)
print(client.rpc.wait())
print(client.rpc.add_by_calling(20, 22))
sums = [eventlet.spawn(client.rpc.add, n, 1) for n in range(100)]
print([one.wait() for one in sums] == list(range(1, 101)))
for number in range(20):
    client.publish("com.topic", number)
while len(service.seen) < 20:
    eventlet.sleep(0.01)
print([number for number, _ in service.seen] == list(range(20)))
print({kind for _, kind in service.seen})
"""
    )
    assert lines == ["while it waits", "answered", "42", "True", "True", "{'greenlet'}"]


def test_a_timeout_of_eventlet_cancels_the_call(program, forever, seen):
    lines = program(
        EVENTLET_PATCHED
        + """
import sys, wampy
from wampy import greenlets
client = wampy.Client(url=sys.argv[1], call_timeout=20)
for _ in range(5):
    parts = client.call_progressive("forever")
    next(parts)
    try:
        with eventlet.Timeout(0.05):
            parts.result()
    except eventlet.Timeout:
        pass
    else:
        print("it ended")
parts = client.call_progressive("forever")
next(parts)
waits = eventlet.spawn(parts.result)
while not greenlets.waiting():
    eventlet.sleep(0.01)
waits.kill()
print(len(greenlets.waiting()), client.call("wamp.session.count"))
""",
        forever,
    )
    assert lines == ["0 2"]
    seen.take(6)


def test_eventlet_without_threads_is_like_no_eventlet(program, router):
    lines = program(
        """
import sys, warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch(thread=False)
import wampy
with wampy.Client(url=sys.argv[1]) as client:
    client.register(lambda: "native", name="com.native")
    print(client.call("com.native"))
""",
        router.url,
    )
    assert lines == ["native"]
