"""Programs that gevent has not patched, or not wholly, and those of eventlet."""

import os

import pytest
from greenlet_programs import EVENTLET, EVENTLET_PATCHED, PATCHED, PROGRAM, TIMEOUTS

if os.environ.get("WAMPY_ONLY_THE_WHEEL"):
    pytest.skip("needs gevent, eventlet and Flask", allow_module_level=True)


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
    assert program(EVENTLET_PATCHED + "library = eventlet\n" + TIMEOUTS, forever) == ["0 2"]
    seen.take(10)


def test_a_killed_greenlet_of_eventlet_does_not_wait(program, forever, seen):
    lines = program(
        EVENTLET_PATCHED
        + """
import sys, wampy
from wampy import greenlets
client = wampy.Client(url=sys.argv[1], call_timeout=20)
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
    seen.take(1)


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
