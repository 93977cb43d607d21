"""Compressed WebSockets (permessage-deflate) of other makes against `wampy router --compress`."""

import json
import subprocess

import peers
import pytest
import routers
import scenario
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, WAMPY_JS, Endpoint

OFFERS = [
    True,
    {"clientMaxWindowBits": 9},
    {"serverMaxWindowBits": 9, "clientMaxWindowBits": 10},
    {"serverMaxWindowBits": 15, "serverNoContextTakeover": True},
    {"clientNoContextTakeover": True, "threshold": 0},
]


@pytest.fixture(scope="module")
def compressing_router(tmp_path_factory):
    """Our router with `--compress`; Crossbar.io is not told to compress."""
    with routers.wampy_router(tmp_path_factory.mktemp("compress"), "--compress") as running:
        yield running


def exchange(router, offer):
    """A large event to oneself, over npm's `ws`."""
    command = ["node", peers.script("node/compression_client.js")]
    command += ["--url", router.ws, "--offer", json.dumps(offer)]
    limit = peers.DRIVE_TIMEOUT_S
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=limit)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["is_same"], seen
    return seen


@pytest.mark.parametrize("offer", OFFERS, ids=json.dumps)
def test_ws_of_npm_compresses_both_ways(compressing_router, offer):
    seen = exchange(compressing_router, offer)
    assert seen["extensions"] == "permessage-deflate", seen
    assert seen["sent_bytes"] < seen["text_bytes"] / 20, seen
    # The smallest window compresses to a tenth.
    assert seen["received_bytes"] < seen["text_bytes"] / 5, seen


def test_a_window_of_256_bytes_is_sent_nothing_compressed(compressing_router):
    seen = exchange(compressing_router, {"serverMaxWindowBits": 8})
    assert seen["sent_bytes"] < seen["text_bytes"] / 20, seen
    assert seen["received_bytes"] > seen["text_bytes"], seen


def test_who_does_not_ask_gets_nothing_compressed(compressing_router):
    seen = exchange(compressing_router, False)
    assert seen["extensions"] == "", seen
    assert min(seen["sent_bytes"], seen["received_bytes"]) > seen["text_bytes"], seen


def test_a_router_that_was_not_told_to_does_not_compress(router):
    seen = exchange(router, True)
    assert seen["extensions"] == "", seen
    assert min(seen["sent_bytes"], seen["received_bytes"]) > seen["text_bytes"], seen


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
def test_whole_scenario(compressing_router, serializer):
    """Both JavaScript clients ask for compression by themselves."""
    server, driver = Endpoint(WAMPY_JS, "ws", serializer), Endpoint(AUTOBAHN_JS, "ws", serializer)
    scenario.run(compressing_router, server, driver)


def test_compressed_and_plain_sessions_meet(compressing_router):
    server, driver = Endpoint(AUTOBAHN_PYTHON, "rs", "msgpack"), Endpoint(WAMPY_JS, "ws", "msgpack")
    scenario.run(compressing_router, server, driver)
