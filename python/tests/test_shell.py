"""What a person sees in a shell: completion, help, representations and logs."""

import contextlib
import inspect
import logging
import pydoc
import rlcompleter

import pytest

import wampy
from wampy import directory, messages
from wampy.peers import Client
from wampy.roles.callee import callee


class Shop(Client):
    @callee(name="com.shop.order")
    def order(self, article: str, count: int = 1, *, fast: bool = False) -> float:
        """Order an article.

        The price comes back.
        """
        return 1.0

    @callee(name="com.shop.order.cancel")
    def cancel(self, number):
        return None

    @callee(name="com.shop-2.odd")
    def odd(self):
        return None

    @callee(name="ping")
    def ping(self, *anything, **more):
        return None


@pytest.fixture
def client(start):
    start(Shop)
    return start(name="shell")


def test_completion_knows_what_is_registered_now(client, start):
    assert dir(client.rpc) == ["com", "ping"]
    assert dir(client.rpc.com) == ["progressive", "shop"]
    assert dir(client.rpc.com.shop) == ["order", "progressive"]
    assert dir(client.rpc.com.shop.order) == ["cancel", "progressive"]
    assert client.rpc._ipython_key_completions_() == [
        "com.shop-2.odd",
        "com.shop.order",
        "com.shop.order.cancel",
        "ping",
    ]
    start().register(lambda: None, "org.later")
    assert dir(client.rpc) == ["com", "org", "ping"]


def test_the_completer_of_python_works(client):
    completer = rlcompleter.Completer({"client": client})
    assert completer.attr_matches("client.rpc.com.shop.or") == ["client.rpc.com.shop.order("]
    assert completer.attr_matches("client.rpc.pi") == ["client.rpc.ping("]


def test_completion_without_reflection_asks_for_registrations(client, monkeypatch):
    monkeypatch.setattr(type(client.session), "router_has", lambda *_: False)
    assert dir(client.rpc) == ["com", "ping"]


def test_completion_neither_connects_nor_fails(make, start, router):
    unstarted = make()
    assert dir(unstarted.rpc) == []
    assert unstarted.session is None
    stopped = start()
    stopped.stop()
    assert dir(stopped.rpc.com) == ["progressive"]
    assert stopped.rpc._ipython_key_completions_() == []
    assert stopped.rpc.com.shop.order.__signature__ is None
    lost = start(reconnect=False)
    router.stop()
    assert dir(lost.rpc) == []


def test_completion_has_little_patience(client, monkeypatch):
    asked = []

    def call(self, procedure, args, kwargs, options=None):
        asked.append(options)
        raise wampy.WampyTimeOutError("no answer")

    monkeypatch.setattr(Client, "_call", call)
    assert dir(client.rpc) == []
    assert len(asked) == 1
    assert 0 < asked[0]["timeout"] <= 500


class SlowRouter:
    """A router without reflection, of which each answer takes 150 milliseconds of a clock."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.asked = []
        monkeypatch.setattr(directory.time, "monotonic", lambda: self.now)

    def answer(self, procedure, args, kwargs, options=None):
        self.asked.append((procedure, *args, options["timeout"]))
        self.now += 0.15
        if procedure == "wamp.registration.list":
            return {"exact": list(range(1, 100))}
        if args == (1,):
            raise wampy.Error("wamp.error.no_such_registration")
        return {"uri": f"com.{'cba'[args[0] - 2]}"}


def test_completion_has_a_time_limit_for_all_that_it_asks(client, monkeypatch):
    router = SlowRouter(monkeypatch)
    monkeypatch.setattr(type(client.session), "router_has", lambda *_: False)
    monkeypatch.setattr(Client, "_call", staticmethod(router.answer))
    # What has come until then is completed.
    assert client.rpc._ipython_key_completions_() == ["com.b", "com.c"]
    assert router.asked == [
        ("wamp.registration.list", 500),
        ("wamp.registration.get", 1, 350),
        ("wamp.registration.get", 2, 200),
        ("wamp.registration.get", 3, 50),
    ]


def test_help_shows_what_the_callee_says(client):
    order = client.rpc.com.shop.order
    assert str(inspect.signature(order)) == (
        "(article: str, count: int = 1, *, fast: bool = False) -> float"
    )
    assert order.__doc__.startswith("com.shop.order(article: str, count: int = 1, *, fast")
    assert "The price comes back." in order.__doc__
    assert "Order an article." in pydoc.render_doc(order, renderer=pydoc.plaintext)
    assert str(inspect.signature(client.rpc.ping)) == "(*args, **kwargs)"


def test_help_of_what_nobody_describes_is_that_of_the_class(client):
    nobody = client.rpc.com.nobody
    assert nobody.__doc__ is None
    assert nobody.__signature__ is None
    assert type(nobody).__doc__.startswith("One procedure")


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"args": 7},
        {"args": {"prefixItems": [{"title": "not a name"}]}},
        {"args": {"prefixItems": [{"title": "a"}, {"title": "a"}]}},
        {"args": {"prefixItems": 3}},
        {"args": {}, "kwargs": {"properties": [1]}},
    ],
)
def test_odd_definitions_make_no_signature(description):
    assert directory.signature_of(description) is None
    assert directory.document_of("com.x", description) is None


def test_both_ways_to_name_a_procedure_are_one_call(client):
    assert client.rpc["com.shop.order"]("tea") == client.rpc.com.shop.order("tea") == 1.0
    assert client.rpc["com.shop-2.odd"]() is None
    assert client.with_options(timeout=5000).rpc.com.shop.order("tea") == 1.0


def test_representations_say_what_something_is(client, router):
    number = client.session.id
    assert repr(client) == f"<Client 'shell', realm realm1, session {number}>"
    assert repr(client.session) == f"<Session {number}, realm realm1>"
    assert repr(client.rpc) == "<RpcProxy of shell>"
    assert repr(client.rpc.com.shop) == "<RemoteProcedure com.shop>"
    assert repr(client.with_options(timeout=5)) == "<shell with timeout=5>"
    assert router.url in repr(router)
    assert repr(messages.Call("com.x", args=[1])).startswith("<Call [48, ")
    assert repr(wampy.Result(1, a=2)) == "Result(1, a=2)"
    assert repr(wampy.Error("com.x", 1)) == "Error('com.x', 1)"
    parts = client.call_progressive("com.shop.order", "tea")
    assert repr(parts) == "<ProgressiveCall of com.shop.order>"
    parts.close()
    assert repr(parts) == "<ProgressiveCall of com.shop.order, over>"


def test_no_representation_shows_a_secret(make):
    secret = "correct horse"
    from wampy.auth import Ticket, WampCra

    client = make(auth=[Ticket("ada", secret), WampCra("ada", secret)])
    key = wampy.DataKey(b"k" * 32)
    shown = [client, client._session, key, *client._session.access.auth]
    assert not [one for one in shown if secret in repr(one) or "kkk" in repr(one)]


def test_nothing_is_printed_unless_the_program_logs(python):
    code = """
import logging, wampy
class Failing(wampy.Client):
    @wampy.callee
    def fail(self):
        raise ValueError("no")
with wampy.Router() as router:
    with Failing(router=router), wampy.Client(router=router) as client:
        try:
            client.rpc.fail()
        except wampy.Error:
            pass
names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "wampy"]
assert not any(logging.getLogger(name).handlers for name in names), names
assert not logging.root.handlers
"""
    process = python(code)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed) == (0, ""), errors


def test_a_session_is_logged_without_its_secrets(router, make, caplog):
    from wampy.auth import Ticket

    with caplog.at_level(logging.DEBUG, logger="wampy"):
        client = make(auth=Ticket("ada", "correct horse"))
        with contextlib.suppress(wampy.WampyError):
            client.start()
        client.stop()
    assert "correct horse" not in caplog.text
