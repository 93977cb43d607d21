"""autobahn-python against the router: every transport, every serializer and mixtures of them."""

import itertools

import pytest
import scenario
from peers import AUTOBAHN_PYTHON, Endpoint

SERIALIZERS = ("json", "msgpack", "cbor")


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize("transport", AUTOBAHN_PYTHON.transports)
def test_whole_scenario(router, transport, serializer):
    if router.url(transport) is None:
        pytest.skip(f"{router.name} was started without {transport}")
    endpoint = Endpoint(AUTOBAHN_PYTHON, transport, serializer)
    scenario.run(router, endpoint, endpoint)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_batches(router, serializer):
    endpoint = Endpoint(AUTOBAHN_PYTHON, "ws", serializer, batched=True)
    scenario.run(router, endpoint, endpoint)


@pytest.mark.parametrize(
    ("serving", "driving"), [pair for pair in itertools.permutations(SERIALIZERS, 2)]
)
def test_payloads_across_serializers(router, serving, driving):
    server = Endpoint(AUTOBAHN_PYTHON, "rs", serving)
    driver = Endpoint(AUTOBAHN_PYTHON, "ws", driving)
    scenario.run(router, server, driver, steps=("echo", "error", "publish", "progress"))
