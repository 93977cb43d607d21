"""Programs of gevent and eventlet, for the tests of wampy in them.

Each is a process of its own, since a patch cannot be taken back.
"""

import time

import pytest

import wampy

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


#: Goes on with the name of either library: calls that a time limit of its own ends.
TIMEOUTS = """
import sys, wampy
from wampy import greenlets
client = wampy.Client(url=sys.argv[1], call_timeout=20)
for _ in range(10):
    parts = client.call_progressive("forever")
    next(parts)
    try:
        with library.Timeout(0.05):
            parts.result()
    except library.Timeout:
        pass
    else:
        print("it ended")
print(len(greenlets.waiting()), client.call("wamp.session.count"))
"""


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
