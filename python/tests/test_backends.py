"""``wampy.backends``: waiting with threads. The suite of wampy 1 tests the others."""

import queue
import threading
import time

import pytest

from wampy import backends
from wampy.backends.threads import Threads
from wampy.errors import WampyError, WampyTimeOutError


def test_the_adapter_of_a_program_with_threads():
    assert str(backends.async_adapter) == "ThreadsAsyncAdapter"
    assert backends.async_adapter is backends.async_adapter
    assert backends.get_async_adapter() is not backends.async_adapter


def test_an_unknown_adapter(monkeypatch):
    monkeypatch.setattr(backends, "async_name", "foobar")
    with pytest.raises(WampyError, match="foobar"):
        backends.get_async_adapter()


def test_a_queue_is_a_queue():
    adapter = Threads()
    assert isinstance(adapter.queue(), queue.Queue)
    assert adapter.QueueEmpty is queue.Empty


def test_messages_are_received_in_their_order():
    adapter = Threads()
    adapter.spawn(lambda: [adapter.message_queue.put(number) for number in (1, 2, 3)])
    assert [adapter.receive_message(timeout=20) for _ in range(3)] == [1, 2, 3]


def test_no_message_in_time():
    with pytest.raises(WampyTimeOutError, match=r"timed-out in 0\.01"):
        Threads().receive_message(timeout=0.01)


def test_a_timeout_ends_what_sleeps():
    adapter = Threads()
    with pytest.raises(WampyTimeOutError, match=r"0\.01 seconds"), adapter.Timeout(0.01):
        while True:
            adapter.sleep(60)


def test_a_timeout_may_end_silently():
    adapter = Threads()
    ended = False
    with adapter.Timeout(0.01, False):
        adapter.sleep(60)
        ended = True
    assert not ended


def test_the_first_of_several_timeouts_counts():
    adapter = Threads()
    inner = adapter.Timeout(60)
    with pytest.raises(WampyTimeOutError) as caught, adapter.Timeout(0.01) as outer, inner:
        adapter.sleep(60)
    assert caught.value is outer
    adapter.sleep(0)


def test_a_timeout_counts_for_its_thread():
    adapter = Threads()
    slept = threading.Event()
    with adapter.Timeout(0.001):
        time.sleep(0.002)
        thread = adapter.spawn(lambda: (adapter.sleep(0), slept.set()))
        thread.join(20)
    assert slept.is_set()
