"""Runs a coroutine on a new event loop, and finds what it leaves behind."""

import asyncio
import gc
import threading
import warnings

import pytest

#: How long a test may take, in seconds.
PATIENCE = 30


@pytest.fixture(params=["asyncio", "uvloop"])
def on_loop(request):
    """Run a coroutine function: nothing may be left when it is over."""

    new_loop = asyncio.new_event_loop
    if request.param == "uvloop":
        new_loop = pytest.importorskip("uvloop").new_event_loop

    def run(main, *arguments):
        # Tests before this one have left garbage that would warn, and threads that are ending.
        gc.collect()
        threads = set(threading.enumerate())
        loop = new_loop()
        complaints = []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                result = loop.run_until_complete(asyncio.wait_for(main(*arguments), PATIENCE))
                left = asyncio.all_tasks(loop)
            finally:
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.close()
            gc.collect()
        assert not left
        assert complaints == []
        assert [str(one.message) for one in warned] == []
        assert set(threading.enumerate()) <= threads
        return result

    return run


async def until(condition):
    """Wait for a condition."""
    while not condition():
        await asyncio.sleep(0.005)
