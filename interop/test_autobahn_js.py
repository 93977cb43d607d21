"""autobahn-js against the router: WebSocket with every serializer, RawSocket and long-polling with
JSON."""

import pytest
import scenario
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, Endpoint


@pytest.mark.parametrize(
    ("transport", "serializer"),
    [("ws", "json"), ("ws", "msgpack"), ("ws", "cbor"), ("rs", "json"), ("lp", "json")],
)
def test_whole_scenario(router, transport, serializer):
    if router.url(transport) is None:
        pytest.skip(f"{router.name} was started without {transport}")
    endpoint = Endpoint(AUTOBAHN_JS, transport, serializer)
    scenario.run(router, endpoint, endpoint)


def test_a_lenient_router_asks_it_for_progress(lenient_router):
    server = Endpoint(AUTOBAHN_JS, "ws", "json")
    scenario.run(lenient_router, server, Endpoint(AUTOBAHN_PYTHON, "rs", "cbor"))
