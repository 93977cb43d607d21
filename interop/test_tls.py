"""Clients of every make over TLS: they verify the router's certificate and then do as ever."""

import pytest
import scenario
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, WAMPY_JS, WAMPY_PYTHON, Endpoint


@pytest.mark.parametrize("serializer", ("json", "msgpack", "cbor"))
@pytest.mark.parametrize("transport", ("wss", "rss"))
def test_autobahn_python(tls_router, transport, serializer):
    endpoint = Endpoint(AUTOBAHN_PYTHON, transport, serializer)
    scenario.run(tls_router, endpoint, endpoint)


@pytest.mark.parametrize("client", (AUTOBAHN_JS, WAMPY_JS), ids=lambda client: client.name)
def test_javascript(tls_router, client):
    endpoint = Endpoint(client, "wss")
    scenario.run(tls_router, endpoint, endpoint)


@pytest.mark.parametrize("transport", ("wss", "rss"))
def test_our_python_with_autobahn(tls_router, transport):
    ours, theirs = Endpoint(WAMPY_PYTHON, transport), Endpoint(AUTOBAHN_PYTHON, transport)
    scenario.run(tls_router, ours, theirs)
    scenario.run(tls_router, theirs, ours)
