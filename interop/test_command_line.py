"""The `wampy` command talks to every other client, through our router and through Crossbar.io."""

import json

import command_line
import peers
import pytest
import scenario
from command_line import registered, subscribed, wampy, wampy_json
from peers import AUTOBAHN_JS, AUTOBAHN_PYTHON, WAMPY_1, WAMPY_JS, WAMPY_PYTHON, Endpoint

OTHERS = [
    Endpoint(AUTOBAHN_PYTHON, "rs", "cbor"),
    Endpoint(AUTOBAHN_JS, "ws", "json"),
    Endpoint(WAMPY_JS, "ws", "cbor"),
    Endpoint(WAMPY_PYTHON, "ws", "msgpack"),
]
#: How the command connects: each transport, each serializer.
WAYS = [("ws", "json"), ("ws", "cbor"), ("rs", "msgpack"), ("rs", "json")]
#: Values that JSON carries, as `wampy call` is given them.
VALUES = ["zażółć 🦀", 7, -0.5, [1, [2, {"three": None}]], True, 9007199254740991]

EXIT_WAMP_ERROR = 1
EXIT_TIMED_OUT = 4


@pytest.fixture(params=["router", "crossbar"])
def any_router(request):
    """Our router, then Crossbar.io."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("server", OTHERS, ids=str)
def test_calls_what_others_serve(router, server):
    way = command_line.arguments(router, "rs", "msgpack")
    with peers.serve(server, router, "interop.") as serving:
        check_echo(server, way)
        check_failure(way)
        for topic in ("interop.topic.exact", "interop.topic.deep.er"):
            assert wampy_json("publish", topic, "1", "zwei", "--kwarg", "note={}", *way) == []
        events = serving.wait_for("event", 3 if len(server.client.policies) > 1 else 1)
        assert all((e["args"], e["kwargs"]) == ([1, "zwei"], {"note": {}}) for e in events)
        serving.leave()


def check_echo(server, way):
    values = [json.dumps(value) for value in VALUES]
    (result,) = wampy_json("call", "interop.echo", *values, "--kwarg", "k=v", "--whole", *way)
    if server.client.returns_one_value:
        (result,) = result["args"]
    scenario.assert_same(result, {"args": VALUES, "kwargs": {"k": "v"}}, "echo")


def check_failure(way):
    failed = wampy("call", "interop.fail", *way)
    assert failed.returncode == EXIT_WAMP_ERROR
    assert "interop.error.failed" in failed.stderr and "broken" in failed.stderr
    missing = wampy("call", "interop.nobody", *way)
    assert missing.returncode == EXIT_WAMP_ERROR
    assert "wamp.error.no_such_procedure" in missing.stderr


@pytest.mark.parametrize("driver", OTHERS, ids=str)
def test_echoes_to_others(router, driver):
    way = command_line.arguments(router, "ws", "json")
    names = scenario.payload_names(Endpoint(AUTOBAHN_PYTHON), driver)
    with registered("interop.echo", "--echo", *way):
        driven = peers.drive(driver, router, "interop.", ("echo", "missing"), names)
    scenario.check_driven(driven, AUTOBAHN_PYTHON, ("echo", "missing"), names)


@pytest.mark.parametrize("driver", OTHERS, ids=str)
def test_hears_what_others_publish(router, driver):
    way = command_line.arguments(router, "rs", "cbor")
    topic = "interop.topic.deep"
    with subscribed(topic, "--match", "prefix", "--count", "2", *way) as command:
        driven = peers.drive(driver, router, "interop.", ("publish",))
        events = command.lines()
    published = [line for line in driven if line.get("topic", "").startswith(topic)]
    for event, line in zip(events, published, strict=True):
        assert {key: event[key] for key in ("topic", "args", "kwargs")} == {
            key: line[key] for key in ("topic", "args", "kwargs")
        }
        assert line["publication"] in (event["publication"], None)


def test_calls_wampy_1(lenient_router):
    way = command_line.arguments(lenient_router, "rs", "cbor")
    with peers.serve(Endpoint(WAMPY_1), lenient_router, "interop_") as serving:
        (result,) = wampy_json("call", "interop_echo", "1", "--whole", *way)
        assert result["args"] == [{"args": [1], "kwargs": {}}]
        assert "ValueError" in wampy("call", "interop_fail", *way).stderr
        wampy_json("publish", "interop.topic.exact", "2", *way)
        assert serving.wait_for("event")[0]["args"] == [2]
        serving.leave()


@pytest.mark.parametrize(("transport", "serializer"), WAYS)
def test_among_itself(any_router, transport, serializer):
    check_among_itself(command_line.arguments(any_router, transport, serializer))


def test_among_itself_through_a_unix_socket(router):
    check_among_itself(command_line.arguments(router, "unix", "msgpack"))


def check_among_itself(way):
    values = [json.dumps(value) for value in VALUES]
    with registered("interop.cli.echo", "--echo", *way):
        (result,) = wampy_json("call", "interop.cli.echo", *values, "--whole", *way)
        scenario.assert_same(result, {"args": VALUES, "kwargs": {}}, "echo")
        duplicate = wampy("register", "interop.cli.echo", "--echo", *way)
        assert duplicate.returncode == EXIT_WAMP_ERROR
        assert "wamp.error.procedure_already_exists" in duplicate.stderr
    with subscribed("interop.cli.topic", "--count", "1", *way) as command:
        wampy_json("publish", "interop.cli.topic", *values, *way)
        (event,) = command.lines()
    scenario.assert_same(event["args"], VALUES, "event")


def test_shell_commands_answer_and_fail(any_router):
    way = command_line.arguments(any_router, "ws", "msgpack")
    with registered("interop.cli.shell", "--exec", "cat", *way):
        (result,) = wampy_json("call", "interop.cli.shell", "1", "--kwarg", "k=[2]", *way)
        assert result == {"procedure": "interop.cli.shell", "args": [1], "kwargs": {"k": [2]}}
    with registered("interop.cli.shell", "--exec", "echo no >&2; exit 3", *way):
        failed = wampy("call", "interop.cli.shell", *way)
        assert failed.returncode == EXIT_WAMP_ERROR
        assert "wampy.error.command_failed" in failed.stderr


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
def test_progress_and_errors_through_any_router(any_router, serializer):
    way = command_line.arguments(any_router, "ws", serializer)
    with peers.serve(Endpoint(AUTOBAHN_PYTHON, "rs", "json"), any_router, "interop.") as serving:
        assert wampy_json("call", "interop.count", "3", "--progress", *way) == [0, 1, 2, 3]
        check_failure(way)
        late = wampy("call", "interop.slow", "--timeout", "0.3", *way)
        assert late.returncode == EXIT_TIMED_OUT, late.stderr
        serving.wait_for("interrupted")
        serving.leave()
