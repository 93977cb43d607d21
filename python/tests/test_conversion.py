"""Values that WAMP does not have: their forms, the way back, and what is said of a mismatch."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import logging
import os
import typing
import uuid
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional

import pytest

import wampy
from wampy import _wampy, errors
from wampy.conversion import converter_of, prepared
from wampy.peers import Client
from wampy.roles.callee import callee
from wampy.roles.subscriber import subscribe
from wampy.schema import schema_of

if os.environ.get("WAMPY_ONLY_THE_WHEEL"):
    pydantic = pytest.importorskip("pydantic")
else:
    import pydantic

UTC = datetime.timezone.utc


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Corner(enum.Enum):
    ORIGIN = (0, 0)
    DAY = datetime.date(2026, 1, 1)


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: float = 0.5


@dataclasses.dataclass
class Line:
    article: str
    price: decimal.Decimal
    color: Color | None = None


@dataclasses.dataclass
class Order:
    id: uuid.UUID
    placed: datetime.datetime
    lines: list[Line]
    parent: Order | None = None
    note: bytes = b""


@dataclasses.dataclass
class Positive:
    n: int

    def __post_init__(self):
        if self.n < 0:
            raise ValueError("n is negative")


class Address(typing.TypedDict, total=False):
    city: str
    since: datetime.date


class Customer(pydantic.BaseModel):
    name: str
    born: datetime.date
    photo: bytes = b""
    sizes: set[Size] = pydantic.Field(default_factory=set)
    spouse: Customer | None = None


@pydantic.dataclasses.dataclass
class Box:
    width: pydantic.PositiveInt


ID = uuid.UUID("12345678-1234-5678-1234-567812345678")
ORDER = Order(
    ID,
    datetime.datetime(2026, 5, 14, 12, 30, tzinfo=UTC),
    [Line("tea", decimal.Decimal("3.10"), Color.RED), Line("cup", decimal.Decimal("7"))],
    Order(ID, datetime.datetime(2026, 5, 13), [], note=b"\0\xff"),
)
CUSTOMER = Customer(
    name="Ada",
    born=datetime.date(1990, 1, 2),
    photo=b"\xff\0",
    sizes={Size.SMALL},
    spouse=Customer(name="Bob", born=datetime.date(1991, 1, 2)),
)
UserId = NewType("UserId", int)

#: annotation, value, and its form on the wire
FORMS = [
    (datetime.datetime, datetime.datetime(2026, 5, 14, 1, 2, 3, 4), "2026-05-14T01:02:03.000004"),
    (
        datetime.datetime,
        datetime.datetime(2026, 5, 14, tzinfo=UTC),
        "2026-05-14T00:00:00+00:00",
    ),
    (datetime.date, datetime.date(2026, 5, 14), "2026-05-14"),
    (datetime.time, datetime.time(12, 30), "12:30:00"),
    (datetime.timedelta, datetime.timedelta(minutes=1, milliseconds=500), 60.5),
    (uuid.UUID, ID, "12345678-1234-5678-1234-567812345678"),
    (decimal.Decimal, decimal.Decimal("3.10"), "3.10"),
    (Color, Color.RED, "red"),
    (Size, Size.LARGE, 2),
    (Corner, Corner.ORIGIN, [0, 0]),
    (Corner, Corner.DAY, "2026-01-01"),
    (Access, Access.READ | Access.WRITE, 3),
    (bytes, b"\0\xff", b"\0\xff"),
    (bytearray, bytearray(b"\0\xff"), b"\0\xff"),
    (set[int], {7}, [7]),
    (frozenset[Color], frozenset({Color.RED}), ["red"]),
    (collections.deque, collections.deque([1, 2]), [1, 2]),
    (tuple[int, Color], (1, Color.BLUE), [1, "blue"]),
    (tuple[Color, ...], (Color.BLUE,), ["blue"]),
    (list[Color], [Color.BLUE], ["blue"]),
    (dict[str, Color], {"a": Color.BLUE}, {"a": "blue"}),
    (dict[int, str], {1: "a"}, {"1": "a"}),
    (dict[Color, int], {Color.RED: 1}, {"red": 1}),
    (dict[uuid.UUID, int], {ID: 1}, {str(ID): 1}),
    (collections.OrderedDict[str, int], collections.OrderedDict(a=1), {"a": 1}),
    (Point, Point(1, 2.5), [1, 2.5]),
    (Line, Line("tea", decimal.Decimal(3)), {"article": "tea", "price": "3", "color": None}),
    (Address, {"since": datetime.date(2026, 1, 1)}, {"since": "2026-01-01"}),
    (Box, Box(3), {"width": 3}),
    (Optional[Color], None, None),  # noqa: UP045
    (Color | int, 5, 5),
    (float | int, 3, 3),
    (Literal["a", Color.RED], Color.RED, "red"),
    (Annotated[Color, "of the wall"], Color.RED, "red"),
    (UserId, 7, 7),
]  # fmt: skip


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
@pytest.mark.parametrize(("annotation", "value", "form"), FORMS, ids=[repr(f[1]) for f in FORMS])
def test_values_have_their_form_and_come_back(serializer, annotation, value, form):
    received = _wampy.decode(serializer, _wampy.encode(serializer, value))
    assert received == form
    assert type(received) is type(form)
    back = wampy.convert(received, annotation)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
@pytest.mark.parametrize("value", [ORDER, CUSTOMER], ids=["dataclass", "pydantic"])
def test_whole_objects_come_back(serializer, value):
    received = _wampy.decode(serializer, _wampy.encode(serializer, value))
    assert wampy.convert(received, type(value)) == value


def test_what_other_peers_send_is_understood_too():
    moment = datetime.datetime(2026, 5, 14, 1, 2, 3, 500000, tzinfo=UTC)
    for text in ("2026-05-14T01:02:03.5Z", "2026-05-14t01:02:03.500000000z"):
        assert wampy.convert(text, datetime.datetime) == moment
    assert wampy.convert(3.0, int) == 3
    assert isinstance(wampy.convert(3.0, int), int)
    assert wampy.convert(3, datetime.timedelta) == datetime.timedelta(seconds=3)
    assert wampy.convert(3.1, decimal.Decimal) == decimal.Decimal("3.1")
    assert wampy.convert({"x": 1}, Point) == Point(1)
    assert wampy.convert([1], Point) == Point(1)
    assert wampy.convert(wampy.Result(1, 2), Point) == Point(1, 2)
    # Keys that a class does not have are those of newer peers.
    line = {"article": "tea", "price": 3, "weight": 7}
    assert wampy.convert(line, Line) == Line("tea", decimal.Decimal(3))
    assert wampy.convert({"city": "Ulm", "zip": 1}, Address) == {"city": "Ulm", "zip": 1}


LINE = {"article": "tea", "price": "3"}
MISMATCHES = [
    (int, "3", "value: expected int, not str '3'"),
    (int, True, "value: expected int, not bool True"),
    (int, 3.5, "value: expected int, not float 3.5"),
    (int, None, "value: expected int, not None"),
    (float, "x", "value: expected float, not str 'x'"),
    (bool, 1, "value: expected bool, not int 1"),
    (str, 1, "value: expected str, not int 1"),
    (None, 1, "value: expected None, not int 1"),
    (bytes, "x", "value: expected bytes, not str 'x'"),
    (datetime.datetime, "2026-05-14", "value: expected datetime (RFC 3339), not str '2026-05-14'"),
    (datetime.datetime, "2026-13-14T00:00:00Z", "expected datetime (RFC 3339)"),
    (datetime.date, "20260514", "value: expected date (RFC 3339), not str '20260514'"),
    (datetime.time, "25:00", "value: expected time (RFC 3339), not str '25:00'"),
    (datetime.timedelta, "3", "value: expected timedelta (seconds), not str '3'"),
    (datetime.timedelta, float("inf"), "value: expected timedelta (seconds), not float inf"),
    (uuid.UUID, "x", "value: expected UUID (text), not str 'x'"),
    (decimal.Decimal, "x", "value: expected Decimal (a number as text), not str 'x'"),
    (Color, "green", "value: expected Color ('red', 'blue'), not str 'green'"),
    (Literal["a", 1], True, "value: expected 'a' or 1, not bool True"),
    (list[int], {"a": 1}, "value: expected a list, not dict {'a': 1}"),
    (list[int], "abc", "value: expected a list, not str 'abc'"),
    (list[int], [1, "x"], "value[1]: expected int, not str 'x'"),
    (set[list], [[1]], "value: cannot be a set: unhashable type: 'list'"),
    (tuple[int, str], [1], "value: expected a list of 2, not of 1"),
    (tuple[int, str], [1, 2], "value[1]: expected str, not int 2"),
    (dict[str, int], [], "value: expected a map, not list []"),
    (dict[str, int], {"a": "x"}, "value[\"a\"]: expected int, not str 'x'"),
    (dict[int, int], {"a": 1}, "value[\"a\"]: expected a whole number as key, not str 'a'"),
    (Point, [1, 2, 3], "value: expected Point (x, y), not a list of 3"),
    (Point, ["x"], "value[0]: expected int, not str 'x'"),
    (Line, {"article": "tea"}, 'value: lacks the key "price" of Line'),
    (Line, [], "value: expected Line, not list []"),
    (Line, {**LINE, "color": 3}, "value[\"color\"]: expected Color or None, not int 3"),
    (Positive, {"n": -1}, "value: Positive refuses it: n is negative"),
    (
        Order,
        {"id": str(ID), "placed": "2026-05-14T00:00:00Z", "lines": [LINE, {**LINE, "price": []}]},
        'value["lines"][1]["price"]: expected Decimal (a number as text), not list []',
    ),
    (Order, {"id": str(ID), "placed": "2026-05-14T00:00:00Z", "lines": [], "parent": {}},
     'value["parent"]: lacks the key "id" of Order'),
    (Address, {"city": 3}, 'value["city"]: expected str, not int 3'),
    (int | None, "x", "value: expected int or None, not str 'x'"),
    (
        Customer,
        {"name": "Ada", "born": "x"},
        'value["born"]: Input should be a valid date or datetime, input is too short, not str',
    ),
    (Customer, {}, 'value["name"]: Field required, not dict {} (and 1 more)'),
    (Box, {"width": 0}, 'value["width"]: Input should be greater than 0, not int 0'),
    (
        Annotated[int, pydantic.Field(gt=3)],
        3,
        "value: Input should be greater than 3, not int 3",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("annotation", "value", "problem"), MISMATCHES, ids=[problem for _, _, problem in MISMATCHES]
)
def test_a_mismatch_says_where_what_was_expected_and_what_came(annotation, value, problem):
    with pytest.raises(errors.ConversionError) as caught:
        wampy.convert(value, annotation)
    assert problem in str(caught.value)
    assert isinstance(caught.value, (wampy.WampyError, ValueError))


@pytest.mark.parametrize("annotation", [Any, object, typing.TypeVar("T"), Client, {"no": "type"}])
def test_what_says_nothing_of_the_wire_lets_all_pass(annotation):
    assert converter_of(annotation) is None
    assert wampy.convert([1], annotation) == [1]


def test_a_form_that_leads_to_itself_ends():
    @dataclasses.dataclass
    class Node:
        inner: Any = None

    node = Node()
    node.inner = node
    with pytest.raises(errors.SerializationError, match="contain itself"):
        _wampy.encode("json", node)


def test_a_class_is_no_value_of_it():
    for cls in (Color, Line, Customer):
        with pytest.raises(errors.SerializationError, match="has no form"):
            _wampy.encode("json", cls)


def test_handlers_without_annotations_stay_what_they_are():
    def plain_one(a, b=1, *rest, key=None):
        return a

    def returning(a) -> int:
        return a

    def anything(a: Any, b: object):
        return a

    for handler in (plain_one, returning, anything, print, max):
        assert prepared(handler) is handler


def test_a_name_that_only_a_type_checker_knows_spoils_no_other():
    def handler(a: Nowhere, b: Color):  # noqa: F821
        return a, b

    assert prepared(handler)("x", "red") == ("x", Color.RED)


def test_decorated_handlers_and_objects_convert_too():
    import functools

    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @decorate
    def wrapped(color: Color):
        return color

    class Callable:
        def __call__(self, color: Color):
            return color

    bound = functools.partial(lambda n, color: (n, color), 1)
    for handler in (wrapped, Callable(), wrapped.__wrapped__):
        assert prepared(handler)("red") is Color.RED
        assert prepared(handler)(color="red") is Color.RED
    assert prepared(bound) is bound


class Shop(Client):
    @callee(name="com.shop.order")
    def order(self, order: Order, when: datetime.date = datetime.date(2026, 1, 1)) -> Order:
        assert isinstance(order, Order)
        self.when = when
        return order

    @callee(name="com.shop.colors", details=True)
    def colors(self, *colors: Color, details: dict, **named: Color) -> list:
        assert all(isinstance(color, Color) for color in (*colors, *named.values()))
        assert details["procedure"] == "com.shop.colors"
        return [colors, named]

    @callee(name="com.shop.parts")
    def parts(self, count: int) -> typing.Iterator[Line]:
        for number in range(count):
            yield Line(str(number), decimal.Decimal(number))

    @callee(name="com.shop.fail")
    def fail(self, n: int):
        return len(n)

    @callee(name="com.shop.customer")
    def customer(self, customer: Customer) -> Customer:
        assert isinstance(customer, Customer)
        return customer

    @subscribe(topic="com.shop.sold")
    def sold(self, line: Line, meta=None):
        self.collector.add(line)


def test_arguments_and_results_over_the_wire(start):
    shop = start(Shop)
    caller = start()
    assert wampy.convert(caller.call("com.shop.order", ORDER), Order) == ORDER
    assert shop.when == datetime.date(2026, 1, 1)
    caller.call("com.shop.order", order=ORDER, when=datetime.date(2027, 1, 1))
    assert shop.when == datetime.date(2027, 1, 1)
    assert wampy.convert(caller.call("com.shop.customer", CUSTOMER), Customer) == CUSTOMER
    named = [["red", "blue"], {"a": "red"}]
    assert caller.call("com.shop.colors", Color.RED, "blue", a=Color.RED) == named
    parts = [part for part in caller.call_progressive("com.shop.parts", 2) if part]
    assert wampy.convert(parts, list[Line])[1] == Line("1", decimal.Decimal(1))


@pytest.mark.parametrize(
    ("procedure", "args", "kwargs", "problem"),
    [
        ("com.shop.order", ["x"], {}, "argument order: expected Order, not str 'x'"),
        ("com.shop.order", [], {"order": {}}, 'argument order: lacks the key "id" of Order'),
        ("com.shop.order", [ORDER, "x"], {}, "argument when: expected date"),
        ("com.shop.order", [], {}, "missing a required argument: 'order'"),
        ("com.shop.order", [ORDER, "2026-01-01", 3], {}, "too many positional arguments"),
        ("com.shop.order", [ORDER], {"wen": 3}, "got an unexpected keyword argument 'wen'"),
        ("com.shop.colors", ["red", "x"], {}, "argument *colors: expected Color"),
        ("com.shop.colors", [], {"a": "x"}, "argument a: expected Color"),
        ("com.shop.parts", ["x"], {}, "argument count: expected int, not str 'x'"),
    ],
)
def test_a_mismatch_is_the_callers_error(start, caplog, procedure, args, kwargs, problem):
    start(Shop)
    caller = start()
    with pytest.raises(errors.InvalidArgumentError) as caught:
        caller.call(procedure, *args, **kwargs)
    assert caught.value.uri == "wamp.error.invalid_argument"
    assert problem in caught.value.args[0]
    assert caught.value.procedure == procedure
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_type_error_inside_of_the_handler_is_its_own(start, caplog):
    start(Shop)
    with pytest.raises(wampy.Error) as caught:
        start().call("com.shop.fail", 3)
    assert caught.value.remote_type == "TypeError"
    assert "error calling: com.shop.fail" in caplog.text


def test_event_handlers_convert_too_and_name_what_does_not_fit(start, until, seen, caplog):
    shop = start(Shop)
    shop.collector = seen
    publisher = start()
    publisher.publish("com.shop.sold", 3)
    publisher.publish("com.shop.sold", Line("tea", decimal.Decimal(3)))
    assert seen.take(1) == [Line("tea", decimal.Decimal(3))]
    until(lambda: "argument line: expected Line, not int 3" in caplog.text)


def test_functions_that_are_registered_later_convert_too(start):
    service = start()

    def paint(color: Color) -> str:
        return color.name

    service.register(paint, "com.paint")
    assert start().call("com.paint", "red") == "RED"


def test_schemas_of_what_converts():
    assert schema_of(datetime.timedelta) == {"type": "number"}
    assert schema_of(uuid.UUID) == {"type": "string", "format": "uuid"}
    assert schema_of(decimal.Decimal) == {"type": "string"}
    assert schema_of(Point)["prefixItems"] == [
        {"title": "x", "type": "integer"},
        {"title": "y", "type": "number"},
    ]
    assert schema_of(Box)["properties"]["width"]["exclusiveMinimum"] == 0
    assert schema_of(Address)["properties"]["since"] == {"type": "string", "format": "date"}


def test_pydantic_is_not_imported_for_others(python):
    code = """
import dataclasses, sys, wampy
from wampy import _wampy
@dataclasses.dataclass
class A:
    n: int
assert wampy.convert(_wampy.decode("json", _wampy.encode("json", A(1))), A) == A(1)
assert "pydantic" not in sys.modules
"""
    process = python(code)
    assert process.wait(20) == 0, process.stderr.read()
