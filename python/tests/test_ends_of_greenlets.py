"""Programs of gevent and eventlet: how they end, fork, and get a lost session back."""

import os
import signal

import pytest
from greenlet_programs import EVENTLET, PATCHED, PROGRAM

if os.environ.get("WAMPY_ONLY_THE_WHEEL"):
    pytest.skip("needs gevent, eventlet and Flask", allow_module_level=True)


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
