"""wampy.js against the router: WebSocket with every serializer."""

import pytest
import scenario
from peers import WAMPY_JS, Endpoint


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
def test_whole_scenario(router, serializer):
    endpoint = Endpoint(WAMPY_JS, "ws", serializer)
    scenario.run(router, endpoint, endpoint)
