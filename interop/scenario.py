"""The scenario that every pair of clients runs, and what each step of it has to say.

One client serves, another drives it through the router. What the lines must hold is derived from
payloads.json and from what the driver says that it published. Absent on purpose: processes.
"""

import json
import pathlib

import peers
import pytest

PAYLOADS = json.loads(
    (pathlib.Path(__file__).resolve().parent / "payloads.json").read_text(encoding="utf-8")
)
FAILURE = {
    "uri": "interop.error.failed",
    "args": ["broken", 7],
    "kwargs": {"retry": False, "why": "zażółć"},
}
STILL_HERE = "still here"


def run(router, server, driver, steps=peers.ALL_STEPS, payloads=()):
    """Let `driver` drive `server` through `router` and check what both saw."""
    steps = [s for s in steps if s in driver.client.drives and s in server.client.serves]
    if router.name == "crossbar":
        steps = steps_with_crossbar(server, driver, steps)
    names = payload_names(server, driver, payloads)
    with peers.serve(server, router, server.client.prefix) as serving:
        driven = peers.drive(driver, router, server.client.prefix, steps, names)
        check_driven(driven, server.client, steps, names)
        if "progress" in steps:
            check_progress(driven, server.client, router)
        expected = expected_events(driven, server.client)
        serving.wait_for("event", len(expected))
        served = serving.leave()
    check_served(served, server.client, driven, expected, steps)
    check_farewell(router, driven, served)


def steps_with_crossbar(server, driver, steps):
    """What Crossbar.io does otherwise than the specification or the client expects is left out."""
    for endpoint in (server, driver):
        if endpoint.client.name == "wampy.js" and endpoint.serializer != "json":
            pytest.skip("wampy.js sends options that are undefined, which Crossbar.io refuses")
    # It never ends a canceled call whose callee cannot be interrupted, and a retained event has
    # another publication id than the publisher was told.
    left_out = {"retained"} if server.client.is_interruptible else {"retained", "cancel"}
    return [s for s in steps if s not in left_out]


def payload_names(server, driver, wanted=()):
    """The payloads that this pair can carry."""
    lacking = {*server.client.lacks, *driver.client.lacks}
    # A server that takes bytes for text still returns the same text; the driver must know bytes.
    if driver.serializer in driver.client.no_bytes_in:
        lacking.add("bytes")
    carried = [p["name"] for p in PAYLOADS if p.get("needs") not in lacking]
    return [name for name in carried if not wanted or name in wanted]


def check_driven(driven, server, steps, names):
    """What the driving client was answered."""
    lines = peers.Line((line["step"], line) for line in driven)
    assert is_id(lines["joined"]["session"])
    if "echo" in steps:
        check_echoes([line for line in driven if line["step"] == "echo"], server, names)
    for step in steps:
        CHECKS.get(step, lambda *_: None)(lines, server)
    assert driven[-1]["step"] == "left", driven[-1]


def check_echoes(lines, server, names):
    """Every payload came back as it was sent."""
    assert [line["name"] for line in lines] == names
    for line in lines:
        sent = next(p for p in PAYLOADS if p["name"] == line["name"])
        got = {"args": line["args"], "kwargs": line["kwargs"]}
        if server.returns_one_value:
            got = got["args"][0]
        assert_same(got["args"], expand(sent["args"]), f"args of {line['name']}")
        assert_same(got["kwargs"], expand(sent["kwargs"]), f"kwargs of {line['name']}")


def check_error(lines, server):
    expected = server.failure or FAILURE
    assert {key: lines["error"][key] for key in expected} == expected


def check_missing(lines, _server):
    assert lines["missing"]["uri"] == "wamp.error.no_such_procedure"


def check_own_event(lines, _server):
    event = lines["own_event"]
    assert event["kwargs"] == {"five": "5"}
    assert event["args"] in ([5], [])
    assert event.get("same", True) is True


def check_retained(lines, _server):
    event = lines["retained"]
    assert (event["args"], event["kwargs"]) == ([[1, "zwei"]], {"three": 3})
    assert event["same"] is True
    assert event["retained"] is True


def check_own_procedure(lines, _server):
    assert lines["own_result"]["value"] == 5
    assert lines["own_procedure"]["uri"] == "wamp.error.no_such_procedure"


def check_progress(driven, server, router):
    """Wire check 52: who cannot be interrupted is not asked for progressive results.

    Crossbar.io, and our router with `--lenient`, ask all the same.
    """
    line = next(line for line in driven if line["step"] == "progress")
    asked = server.is_interruptible or router.always_asks_for_progress
    assert line["values"] == ([0, 1, 2] if asked else [])
    assert line["result"] == 3


def check_cancel(lines, _server):
    assert lines["canceled"]["canceled"] is True, lines["canceled"]
    assert lines["canceled"].get("uri") in (None, "wamp.error.canceled")
    assert lines["after_cancel"]["value"] == STILL_HERE


def check_time_out(lines, server):
    assert lines["timed_out"]["timed_out"] is True, lines["timed_out"]
    alive = lines["after_time_out"]["args"]
    assert (alive[0]["args"] if server.returns_one_value else alive) == [STILL_HERE]


CHECKS = {
    "error": check_error,
    "missing": check_missing,
    "own_event": check_own_event,
    "retained": check_retained,
    "own_procedure": check_own_procedure,
    "cancel": check_cancel,
    "time_out": check_time_out,
}

MATCHES = {
    "exact": lambda topic: topic == "interop.topic.exact",
    "prefix": lambda topic: topic.startswith("interop.topic.deep"),
    "wildcard": lambda topic: topic.count(".") == 3 and topic.endswith(".er"),
}


def expected_events(driven, server):
    """For each subscription, the publications that match it, in the order of publishing."""
    return [
        (policy, line)
        for line in driven
        if line["step"] == "published"
        for policy in server.policies
        if MATCHES[policy](line["topic"])
    ]


def check_served(served, server, driven, expected, steps):
    """What the serving client got to see."""
    assert is_id(served[0]["session"])
    assert served[0]["session"] != driven[0]["session"]
    events = [line for line in served if line["step"] == "event"]
    assert len(events) == len(expected), events
    for policy in server.policies:
        got = [line for line in events if line["on"] == policy]
        wanted = [line for on, line in expected if on == policy]
        for event, published in zip(got, wanted, strict=True):
            check_event(event, published, policy)
    interrupted = [line for line in served if line["step"] == "interrupted"]
    stops = server.is_interruptible and "cancel" in steps
    assert len(interrupted) == (1 if stops else 0) or "time_out" in steps, interrupted


def check_event(event, published, policy):
    assert_same(event["args"], published["args"], published["topic"])
    assert_same(event["kwargs"], published["kwargs"], published["topic"])
    # Some libraries tell neither the topic nor the publication.
    if policy != "exact" or event["topic"] is not None:
        assert event["topic"] == published["topic"]
    if published["publication"] is not None:
        assert is_id(published["publication"])
        assert event.get("publication", published["publication"]) == published["publication"]


def check_farewell(router, driven, served):
    """Both left with GOODBYE, which our router answers as the specification says."""
    for line in (driven[-1], served[-1]):
        assert line["step"] == "left", line
        if line["reason"] is not None and router.name == "wampy":
            assert line["reason"] == "wamp.close.goodbye_and_out"


def is_id(value):
    """Whether this is an id of the global scope."""
    return type(value) is int and 1 <= value <= 2**53


def expand(value):
    """A payload as a driving script prints it: with repetitions written out."""
    if isinstance(value, dict):
        if "$repeat" in value:
            return value["$repeat"] * value["times"]
        return {key: expand(item) for key, item in value.items()}
    return [expand(item) for item in value] if isinstance(value, list) else value


def assert_same(got, wanted, where):
    """Equal, and of the same kind: `==` alone holds `True` and `1` to be the same."""
    if isinstance(wanted, dict):
        assert isinstance(got, dict) and got.keys() == wanted.keys(), f"{where}: {got!r:.300}"
        for key, item in wanted.items():
            assert_same(got[key], item, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert isinstance(got, list) and len(got) == len(wanted), f"{where}: {got!r:.300}"
        for index, item in enumerate(wanted):
            assert_same(got[index], item, f"{where}[{index}]")
    elif isinstance(wanted, int | float) and not isinstance(wanted, bool):
        # JavaScript has one kind of number, so whole numbers may come back as floats.
        is_number = isinstance(got, int | float) and not isinstance(got, bool)
        assert is_number and got == wanted, f"{where}: {got!r:.300}"
    else:
        assert type(got) is type(wanted) and got == wanted, f"{where}: {got!r:.300}"
