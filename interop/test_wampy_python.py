"""Our own Python package with every other client, through our router and Crossbar.io."""

import pytest
import scenario
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, WAMPY_1, WAMPY_JS, WAMPY_PYTHON, Endpoint

OTHERS = [
    Endpoint(AUTOBAHN_PYTHON, "ws", "json"),
    Endpoint(AUTOBAHN_PYTHON, "rs", "cbor"),
    Endpoint(AUTOBAHN_JS, "ws", "cbor"),
    Endpoint(WAMPY_JS, "ws", "msgpack"),
]


@pytest.mark.parametrize("transport", WAMPY_PYTHON.transports)
def test_among_itself(router, transport):
    endpoint = Endpoint(WAMPY_PYTHON, transport, "msgpack")
    scenario.run(router, endpoint, endpoint)


@pytest.mark.parametrize("driver", OTHERS, ids=str)
def test_serves_others(router, driver):
    scenario.run(router, Endpoint(WAMPY_PYTHON, "ws", "msgpack"), driver)


@pytest.mark.parametrize("server", OTHERS, ids=str)
def test_drives_others(router, server):
    scenario.run(router, server, Endpoint(WAMPY_PYTHON, "rs", "msgpack"))


def test_serves_wampy_1(lenient_router):
    scenario.run(lenient_router, Endpoint(WAMPY_PYTHON, "ws", "msgpack"), Endpoint(WAMPY_1))


def test_drives_wampy_1(lenient_router):
    scenario.run(lenient_router, Endpoint(WAMPY_1), Endpoint(WAMPY_PYTHON, "ws", "msgpack"))


@pytest.mark.parametrize("transport", ["ws", "rs"])
def test_among_itself_through_crossbar(crossbar, transport):
    endpoint = Endpoint(WAMPY_PYTHON, transport, "msgpack")
    scenario.run(crossbar, endpoint, endpoint)


@pytest.mark.parametrize("transport", ["ws", "rs"])
def test_serves_autobahn_through_crossbar(crossbar, transport):
    server = Endpoint(WAMPY_PYTHON, transport, "msgpack")
    scenario.run(crossbar, server, Endpoint(AUTOBAHN_PYTHON, transport, "json"))


@pytest.mark.parametrize("transport", ["ws", "rs"])
def test_drives_autobahn_through_crossbar(crossbar, transport):
    server = Endpoint(AUTOBAHN_PYTHON, transport, "json")
    scenario.run(crossbar, server, Endpoint(WAMPY_PYTHON, transport, "msgpack"))
