"""Our own Python package on an event loop with other clients, and through Crossbar.io."""

import pytest
import scenario
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, WAMPY_AIO, WAMPY_PYTHON, Endpoint

OTHERS = [
    Endpoint(AUTOBAHN_PYTHON, "ws", "json"),
    Endpoint(AUTOBAHN_PYTHON, "rs", "cbor"),
    Endpoint(AUTOBAHN_JS, "ws", "cbor"),
    Endpoint(WAMPY_PYTHON, "rs", "msgpack"),
]


@pytest.mark.parametrize("transport", WAMPY_AIO.transports)
def test_among_itself(router, transport):
    endpoint = Endpoint(WAMPY_AIO, transport, "msgpack")
    scenario.run(router, endpoint, endpoint)


@pytest.mark.parametrize("driver", OTHERS, ids=str)
def test_serves_others(router, driver):
    scenario.run(router, Endpoint(WAMPY_AIO, "ws", "msgpack"), driver)


@pytest.mark.parametrize("server", OTHERS, ids=str)
def test_drives_others(router, server):
    scenario.run(router, server, Endpoint(WAMPY_AIO, "rs", "msgpack"))


def test_in_batches_with_autobahn(router):
    ours = Endpoint(WAMPY_AIO, "ws", "msgpack", batched=True)
    theirs = Endpoint(AUTOBAHN_PYTHON, "ws", "msgpack", batched=True)
    scenario.run(router, ours, theirs)
    scenario.run(router, theirs, ours)


@pytest.mark.parametrize("transport", ["ws", "rs"])
def test_with_autobahn_through_crossbar(crossbar, transport):
    ours = Endpoint(WAMPY_AIO, transport, "msgpack")
    theirs = Endpoint(AUTOBAHN_PYTHON, transport, "json")
    scenario.run(crossbar, ours, theirs)
    scenario.run(crossbar, theirs, ours)
