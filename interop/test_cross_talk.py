"""Different client libraries talk to each other through the router."""

import pytest
import scenario
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, WAMPY_JS, Endpoint

PAIRS = [
    (Endpoint(AUTOBAHN_PYTHON, "ws", "cbor"), Endpoint(AUTOBAHN_JS, "ws", "json")),
    (Endpoint(AUTOBAHN_PYTHON, "rs", "msgpack"), Endpoint(WAMPY_JS, "ws", "cbor")),
    (Endpoint(AUTOBAHN_JS, "ws", "msgpack"), Endpoint(AUTOBAHN_PYTHON, "rs", "json")),
    (Endpoint(AUTOBAHN_JS, "rs", "json"), Endpoint(WAMPY_JS, "ws", "msgpack")),
    (Endpoint(WAMPY_JS, "ws", "json"), Endpoint(AUTOBAHN_PYTHON, "ws", "msgpack")),
    (Endpoint(WAMPY_JS, "ws", "cbor"), Endpoint(AUTOBAHN_JS, "ws", "msgpack")),
]


@pytest.mark.parametrize(("server", "driver"), PAIRS, ids=str)
def test_pair(router, server, driver):
    scenario.run(router, server, driver)
