"""wampy 1.1.0 from PyPI, unmodified, against the router with `--lenient`.

It uses random request ids, answers a failed invocation twice, and expects to hear nothing more of
a call that it canceled.
"""

import scenario
from peers import AUTOBAHN_PYTHON, WAMPY_1, Endpoint


def test_whole_scenario(lenient_router):
    endpoint = Endpoint(WAMPY_1)
    scenario.run(lenient_router, endpoint, endpoint)


def test_serves_others(lenient_router):
    scenario.run(lenient_router, Endpoint(WAMPY_1), Endpoint(AUTOBAHN_PYTHON, "rs", "cbor"))


def test_times_out_on_a_callee_that_can_be_interrupted(lenient_router):
    server = Endpoint(AUTOBAHN_PYTHON, "ws", "msgpack")
    scenario.run(lenient_router, server, Endpoint(WAMPY_1))
