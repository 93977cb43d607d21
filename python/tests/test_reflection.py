"""What clients say of their procedures and topics, and the schemas that it is made of."""

import dataclasses
import datetime
import enum
import typing
from collections.abc import Generator, Iterator, Mapping, Sequence

import pytest

import wampy
from wampy.peers import Client
from wampy.reflection import definition_of
from wampy.roles.callee import Procedure
from wampy.schema import schema_of


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Article:
    name: str
    price: float
    tags: list[str] = dataclasses.field(default_factory=list)
    parent: "Article | None" = None


class Address(typing.TypedDict, total=False):
    city: str
    street: typing.Required[str] if hasattr(typing, "Required") else str


SCHEMAS = [
    (None, {"type": "null"}),
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (datetime.date, {"type": "string", "format": "date"}),
    (list, {"type": "array"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (Sequence[str], {"type": "array", "items": {"type": "string"}}),
    (set[int], {"type": "array", "items": {"type": "integer"}}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (
        tuple[int, str],
        {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "items": False,
        },
    ),
    (dict, {"type": "object"}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (Mapping[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
    (typing.Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045
    (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (typing.Literal["a", 1], {"enum": ["a", 1]}),
    (typing.Annotated[int, "small"], {"type": "integer"}),
    (typing.NewType("Id", int), {"type": "integer"}),
    (Color, {"title": "Color", "enum": ["red", "blue"]}),
    (typing.Any, {}),
    (object, {}),
    (typing.TypeVar("T"), {}),
    ({"no": "type"}, {}),
]


@pytest.mark.parametrize(("annotation", "schema"), SCHEMAS, ids=[repr(a) for a, _ in SCHEMAS])
def test_schemas_of_annotations(annotation, schema):
    assert schema_of(annotation) == schema


def test_a_dataclass_that_contains_itself():
    schema = schema_of(Article)
    assert schema["required"] == ["name", "price"]
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["parent"] == {
        "anyOf": [{"title": "Article", "type": "object"}, {"type": "null"}]
    }


def test_a_typed_dict():
    schema = schema_of(Address)
    assert schema["type"] == "object"
    assert schema["properties"]["city"] == {"type": "string"}


def order(article: str, count: int = 1, *rest: int, gift: bool, **more: str) -> list[Article]:
    """Order an article."""


def plain(a, b): ...


def parts(count: int) -> Generator[int, None, str]:
    yield 1
    return "done"


def only_parts(count: int) -> Iterator[int]:
    yield 1


def unknown(a: "NotDefinedAnywhere", b: int) -> None: ...  # noqa: F821


def test_a_definition_has_docstring_arguments_and_result():
    definition = definition_of(order, "procedure", "exact")
    assert definition["doc"] == "Order an article."
    assert definition["args"] == {
        "type": "array",
        "prefixItems": [
            {"title": "article", "type": "string"},
            {"title": "count", "type": "integer", "default": 1},
        ],
        "minItems": 1,
        "items": {"type": "integer"},
    }
    assert definition["kwargs"] == {
        "type": "object",
        "properties": {"gift": {"type": "boolean"}},
        "required": ["gift"],
        "additionalProperties": {"type": "string"},
    }
    assert definition["result"]["items"]["title"] == "Article"


def test_what_is_not_annotated_is_left_open():
    assert definition_of(plain, "topic", "prefix") == {
        "kind": "topic",
        "match": "prefix",
        "args": {
            "type": "array",
            "prefixItems": [{"title": "a"}, {"title": "b"}],
            "minItems": 2,
            "items": False,
        },
    }


def test_generators_have_parts_and_a_result():
    definition = definition_of(parts, "procedure", "exact")
    assert (definition["progress"], definition["result"]) == (
        {"type": "integer"},
        {"type": "string"},
    )
    assert definition_of(only_parts, "procedure", "exact")["result"] == {"type": "null"}


def test_one_unknown_name_does_not_spoil_the_definition():
    definition = definition_of(unknown, "procedure", "exact")
    assert [item["title"] for item in definition["args"]["prefixItems"]] == ["a", "b"]


@pytest.mark.parametrize("function", [print, dict.get, min], ids=repr)
def test_built_in_functions_have_a_definition(function):
    assert definition_of(function, "procedure", "exact")["kind"] == "procedure"


class Shop(Client):
    @wampy.callee(name="com.shop.order", details=True)
    def order(self, article: str, count: int = 1, *, details: dict) -> int:
        """Order an article."""
        return count

    @wampy.subscribe("com.shop.sold", match="prefix")
    def sold(self, article: str, meta=None):
        """An article was sold."""


def test_the_router_describes_what_a_client_offers(start, until):
    start(Shop)
    caller = start()
    until(lambda: "doc" in (caller.describe("com.shop.order") or {}))
    description = caller.describe("com.shop.order")
    assert description["doc"] == "Order an article."
    assert description["live"]["callees"] == 1
    assert description["result"] == {"type": "integer"}
    titles = [item["title"] for item in description["args"]["prefixItems"]]
    assert titles == ["article", "count"]
    assert "kwargs" not in description

    until(lambda: "doc" in (caller.describe("com.shop.sold.tea", "topic") or {}))
    topic = caller.describe("com.shop.sold", "topic", match="prefix")
    assert topic["doc"] == "An article was sold."
    assert len(topic["args"]["prefixItems"]) == 1
    assert caller.describe("com.nothing") is None


def test_what_is_registered_later_is_described_too(start, until):
    client = start()
    client.register(order, "com.later")
    # In order behind the definition, because this client asks.
    assert client.describe("com.later")["doc"] == "Order an article."


def test_what_is_withdrawn_is_described_no_more(start):
    client = start()
    registration = client.register(order, "com.short")
    subscription = client.subscribe("com.short", order, match="prefix")
    assert client.describe("com.short")["doc"]
    assert client.describe("com.short", "topic", match="prefix")["doc"]
    client.unregister(registration)
    client.unsubscribe(subscription)
    assert client.describe("com.short") is None
    assert client.describe("com.short", "topic", match="prefix") is None


def test_a_definition_that_is_refused_costs_nothing(start):
    def large(): ...

    large.__doc__ = "ä" * 70_000
    client = start()
    client.register(large, "com.large")
    assert client.rpc.com.large() is None


class Wire:
    """A session with a router that may have reflection or not; notes what is called."""

    id = 1
    is_open = False

    def __init__(self, has_reflection):
        self.has_reflection = has_reflection
        self.called = []

    def router_has(self, role, feature):
        return self.has_reflection and (role, feature) == ("dealer", "reflection")

    def ask_to_register(self, procedure, options):
        return self

    def granted(self, timeout):
        return 1, 2

    def call_and_forget(self, procedure, args, kwargs):
        self.called.append((procedure, args[0]))


@pytest.mark.parametrize(
    ("has_reflection", "called"), [(False, []), (True, [("wamp.reflect.define", "com.a")])]
)
def test_only_a_router_with_reflection_is_told(monkeypatch, has_reflection, called):
    client = Client(reconnect=False)
    wire = Wire(has_reflection)
    monkeypatch.setattr(client._session, "_wire", wire)
    client._session.offer(Procedure("com.a"), plain, None)
    assert wire.called == called
