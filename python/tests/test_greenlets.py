"""wampy in programs that gevent has patched: waiting is by the hub, and handlers are greenlets."""

import json
import os
import threading
import urllib.request

import pytest
from greenlet_programs import PATCHED, PROGRAM, TIMEOUTS

if os.environ.get("WAMPY_ONLY_THE_WHEEL"):
    pytest.skip("needs gevent, eventlet and Flask", allow_module_level=True)


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
    assert program(PATCHED + "import gevent as library\n" + TIMEOUTS, forever) == ["0 2"]
    # The callee is told: its generators are closed.
    seen.take(10)


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
