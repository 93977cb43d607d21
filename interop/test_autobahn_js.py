"""autobahn-js against the router: WebSocket with every serializer, RawSocket with JSON."""

import pytest
import scenario
from peers import AUTOBAHN_JS, Endpoint


@pytest.mark.parametrize(
    ("transport", "serializer"),
    [("ws", "json"), ("ws", "msgpack"), ("ws", "cbor"), ("rs", "json")],
)
def test_whole_scenario(router, transport, serializer):
    endpoint = Endpoint(AUTOBAHN_JS, transport, serializer)
    scenario.run(router, endpoint, endpoint)
