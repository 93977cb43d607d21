"""Python objects to bytes and back, in every serializer, and what is refused with its place."""

import collections
import datetime
import enum
import math

import pytest

from wampy import _wampy
from wampy.errors import NumberTooLargeError, SerializationError, WampyError

SERIALIZERS = ["json", "msgpack", "cbor"]


class Color(enum.IntEnum):
    RED = 3


class Text(str):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")

VALUES = [
    (None, None),
    (True, True),
    (False, False),
    (0, 0),
    (-1, -1),
    (127, 127),
    (2**31, 2**31),
    (2**53 + 1, 2**53 + 1),
    (2**63 - 1, 2**63 - 1),
    (-(2**63), -(2**63)),
    (2**64 - 1, 2**64 - 1),
    (0.5, 0.5),
    (-1e300, -1e300),
    (5e-324, 5e-324),
    ("", ""),
    ('Grüße \U0001f600 \u2028 \x00 " \\', 'Grüße \U0001f600 \u2028 \x00 " \\'),
    ("x" * 70000, "x" * 70000),
    (b"", b""),
    (b"\x00\xff\x80", b"\x00\xff\x80"),
    (b"y" * 70000, b"y" * 70000),
    (bytearray(b"ab"), b"ab"),
    (memoryview(b"abcd")[::2], b"ac"),
    ([], []),
    ([1, [2, [3, []]]], [1, [2, [3, []]]]),
    ((1, "a", (None,)), [1, "a", [None]]),
    ({}, {}),
    ({"a": {"b": [True, {"c": b"d"}]}, "": 1}, {"a": {"b": [True, {"c": b"d"}]}, "": 1}),
    ({1: "one", -2: "minus two"}, {"1": "one", "-2": "minus two"}),
    (list(range(70000)), list(range(70000))),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (collections.defaultdict(int, a=1), {"a": 1}),
    (Point(1, 2), [1, 2]),
    (Color.RED, 3),
    (Text("x"), "x"),
]


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize(
    ("value", "expected"), VALUES, ids=[repr(v).partition(" at ")[0][:30] for v, _ in VALUES]
)
def test_values_come_back(serializer, value, expected):
    back = _wampy.decode(serializer, _wampy.encode(serializer, value))
    assert back == expected
    assert type(back) is type(expected)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_maps_keep_their_order(serializer):
    value = {"z": 1, "a": 2, "m": 3}
    assert list(_wampy.decode(serializer, _wampy.encode(serializer, value))) == ["z", "a", "m"]


@pytest.mark.parametrize("serializer", ["msgpack", "cbor"])
def test_special_floats(serializer):
    values = [math.inf, -math.inf, math.nan]
    plus, minus, nan = _wampy.decode(serializer, _wampy.encode(serializer, values))
    assert (plus, minus) == (math.inf, -math.inf)
    assert math.isnan(nan)


def test_json_has_no_special_floats():
    assert _wampy.decode("json", _wampy.encode("json", [math.nan, math.inf])) == [None, None]


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize(
    "number", [2**64, -(2**63) - 1, 10**5000], ids=["2**64", "-2**63-1", "10**5000"]
)
def test_integers_beyond_64_bits_are_refused_with_their_place(serializer, number):
    with pytest.raises(OverflowError, match=r'value\["a"\]\[1\].*64 bits') as caught:
        _wampy.encode(serializer, {"a": [0, number]})
    assert type(caught.value) is NumberTooLargeError


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": [0, {1, 2j}]}, r'value\["a"\]\[1\]\[[01]\]: a value of type complex '),
        ([datetime], r"value\[0\]: a value of type module "),
        (object(), r"value: a value of type object "),
        ({"a": {(1, 2): 3}}, r'value\["a"\]: a value of type tuple cannot be a key'),
        ({True: 1}, r"value: a value of type bool cannot be a key"),
        ({None: 1}, r"cannot be a key"),
        ("\ud800", r"value: the text is not Unicode"),
        ({"\ud800": 1}, r"value: the text is not Unicode"),
        (1j, r"type complex"),
        (print, r"type builtin_function_or_method"),
    ],
)
def test_what_has_no_form_is_refused_with_type_and_place(serializer, value, problem):
    with pytest.raises(SerializationError, match=problem) as caught:
        _wampy.encode(serializer, value)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_a_value_that_contains_itself_is_refused(serializer):
    loop = []
    loop.append({"again": loop})
    with pytest.raises(SerializationError, match="contain itself"):
        _wampy.encode(serializer, loop)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_depth_is_bounded_both_ways(serializer):
    value = []
    for _ in range(127):
        value = [value]
    encoded = _wampy.encode(serializer, value)
    assert _wampy.decode(serializer, encoded) == value
    with pytest.raises(SerializationError, match="128 levels"):
        _wampy.encode(serializer, [value])
    deeper = {
        "json": b"[" + encoded + b"]",
        "msgpack": b"\x91" + encoded,
        "cbor": b"\x81" + encoded,
    }[serializer]
    with pytest.raises(SerializationError, match="deep"):
        _wampy.decode(serializer, deeper)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_every_prefix_of_a_value_is_malformed(serializer):
    encoded = _wampy.encode(serializer, {"a": [1.5, "text", b"bytes", None, True, 2**40]})
    for end in range(len(encoded)):
        with pytest.raises(SerializationError, match="malformed"):
            _wampy.decode(serializer, encoded[:end])
    with pytest.raises(SerializationError, match="malformed"):
        _wampy.decode(serializer, encoded + b"\x00")


def test_unknown_serializers_are_named():
    with pytest.raises(WampyError, match="xml"):
        _wampy.encode("xml", 1)
    with pytest.raises(WampyError, match="xml"):
        _wampy.decode("xml", b"1")
