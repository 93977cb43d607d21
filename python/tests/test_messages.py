"""The message classes: codes, names, wire forms, and results of callees of every age."""

import importlib
import json

import pytest

from wampy import messages
from wampy.messages import MESSAGE_TYPE_MAP
from wampy.result import Result, value_of

# (class name, module, code, name, constructor arguments, fields after the code; None: request id)
CASES = [
    ("Hello", "hello", 1, "hello", ("realm1", {"a": 1}), ["realm1", {"a": 1}]),
    ("Welcome", "welcome", 2, "welcome", (7, {"a": 1}), [7, {"a": 1}]),
    ("Abort", "abort", 3, "abort", ({"a": 1}, "wamp.x"), [{"a": 1}, "wamp.x"]),
    (
        "Challenge",
        "challenge",
        4,
        "challenge",
        ("ticket", {"challenge": "c"}),
        ["ticket", {"challenge": "c"}],
    ),
    ("Authenticate", "authenticate", 5, "authenticate", ("sig", {"a": 1}), ["sig", {"a": 1}]),
    ("Goodbye", "goodbye", 6, "goodbye", ({"a": 1}, "wamp.x"), [{"a": 1}, "wamp.x"]),
    (
        "Error",
        "error",
        8,
        "error",
        (48, 7, {"d": 1}, "a.b", [1], {"k": 2}),
        [48, 7, {"d": 1}, "a.b", [1], {"k": 2}],
    ),
    (
        "Publish",
        "publish",
        16,
        "publish",
        ("a.b", {"o": 1}, 1, 2),
        [None, {"o": 1}, "a.b", [1, 2], {}],
    ),
    ("Published", "published", 17, "published", (7, 8), [7, 8]),
    ("Subscribe", "subscribe", 32, "subscribe", ("a.b", {"o": 1}), [None, {"o": 1}, "a.b"]),
    ("Subscribed", "subscribed", 33, "subscribed", (7, 8), [7, 8]),
    ("Unsubscribe", "unsubscribe", 34, "unsubscribe", (8,), [None, 8]),
    ("Unsubscribed", "unsubscribed", 35, "unsubscribed", (7,), [7]),
    (
        "Event",
        "event",
        36,
        "event",
        (7, 8, {"d": 1}, [1], {"k": 2}),
        [7, 8, {"d": 1}, [1], {"k": 2}],
    ),
    (
        "Call",
        "call",
        48,
        "call",
        ("a.b", {"o": 1}, (1,), {"k": 2}),
        [None, {"o": 1}, "a.b", [1], {"k": 2}],
    ),
    ("Cancel", "cancel", 49, "cancel", (7, {"mode": "kill"}), [7, {"mode": "kill"}]),
    ("Result", "result", 50, "result", (7, {"d": 1}, [1], {"k": 2}), [7, {"d": 1}, [1], {"k": 2}]),
    ("Register", "register", 64, "register", ("a.b", {"o": 1}), [None, {"o": 1}, "a.b"]),
    ("Registered", "registered", 65, "registered", (7, 8), [7, 8]),
    ("Unregister", "unregister", 66, "unregister", (8,), [None, 8]),
    ("Unregistered", "unregistered", 67, "unregistered", (0, {"r": 1}), [0, {"r": 1}]),
    (
        "Invocation",
        "invocation",
        68,
        "invocation",
        (7, 8, {"d": 1}, [1], {"k": 2}),
        [7, 8, {"d": 1}, [1], {"k": 2}],
    ),
    ("Interrupt", "interrupt", 69, "interrupt", (7, {"mode": "kill"}), [7, {"mode": "kill"}]),
    ("Yield", "yield_", 70, "yield", (7, {"o": 1}, [1], {"k": 2}), [7, {"o": 1}, [1], {"k": 2}]),
]


def test_all_24_messages_are_here():
    assert len(CASES) == len(MESSAGE_TYPE_MAP) == 24


@pytest.mark.parametrize(
    ("cls", "module", "code", "name", "args", "fields"), CASES, ids=[case[0] for case in CASES]
)
def test_message(cls, module, code, name, args, fields):
    message_class = getattr(importlib.import_module(f"wampy.messages.{module}"), cls)
    assert message_class is getattr(messages, cls) is MESSAGE_TYPE_MAP[code]
    assert (message_class.WAMP_CODE, message_class.name) == (code, name)
    message = message_class(*args)
    expected = [message.request_id if field is None else field for field in fields]
    assert message.message == message.construct() == [code, *expected]
    assert json.loads(message.serialize()) == [code, *expected]
    assert cls in repr(message)


def test_import_star_works():
    names = {}
    exec("from wampy.messages import *", names)
    assert {case[0] for case in CASES} <= set(names)


def test_request_ids_are_ids():
    ids = {messages.Call(procedure="a.b").request_id for _ in range(100)}
    assert len(ids) > 90
    assert all(1 <= request_id <= 2**53 for request_id in ids)


def test_messages_of_the_founding_documents_shape():
    call = messages.Call(procedure="foobar", args=(), kwargs={})
    assert call.message == [48, call.request_id, {}, "foobar", [], {}]


def test_messages_are_equal_when_their_wire_forms_are():
    assert messages.Registered(1, 2) == messages.Registered(1, 2) != messages.Subscribed(1, 2)


def test_bytes_in_json_follow_the_convention_of_wamp():
    assert json.loads(messages.Yield(1, result_args=[b"\x00\xff"]).serialize())[3] == ["\0AP8="]


def test_messages_share_no_defaults():
    first, second = messages.Hello("realm1"), messages.Hello("realm1")
    first.details["a"] = 1
    assert second.details == {}


@pytest.mark.parametrize(
    ("args", "kwargs", "value"),
    [
        ([], {}, None),
        ([None], {}, None),
        ([5], {}, 5),
        ([[1, 2]], {}, [1, 2]),
        ([5], {"message": 6, "meta": {"procedure_name": "a", "session_id": 1}}, 6),
        ([5], {"message": 6}, Result(5, message=6)),
        ([5, 6], {}, Result(5, 6)),
        ([], {"total": 3}, Result(total=3)),
    ],
)
def test_the_value_of_a_result(args, kwargs, value):
    assert value_of(args, kwargs) == value
    assert messages.Result(1, {}, args, kwargs).value == value
