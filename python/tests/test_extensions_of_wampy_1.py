"""What extensions of wampy 1 do with a client: nameko-wamp, flask-wamp and programs like them.

Each does here what it does in its sources.
"""

from functools import partial

import pytest

import wampy
from wampy import errors
from wampy.message_handler import MessageHandler
from wampy.messages import Call, Yield
from wampy.peers import WebApplication, WebClient
from wampy.peers.clients import Client, DefaultClient, ServiceClient
from wampy.roles.callee import CalleeProxy
from wampy.roles.caller import CallProxy, RpcProxy
from wampy.roles.publisher import PublishProxy
from wampy.roles.subscriber import TopicSubscriber


class FlaskClient(Client):
    """flask-wamp: registers names first, and has their functions later."""

    def __init__(self, url, realm):
        super().__init__(url=url, realm=realm)
        self._procedures = {}
        self._topics = {}

    def __getattr__(self, name):
        if name in self._procedures:
            return self._procedures[name]
        return getattr(self.flask_app, name)

    def topic_callback(self, *args, **kwargs):
        self._topics[kwargs["meta"]["topic"]](message=kwargs["message"])


def test_flask_wamp(router, start, seen):
    client = FlaskClient(url=router.url, realm="realm1")
    client.start()
    client.session._register_procedure("hello")
    client._procedures["hello"] = lambda: "Hello, World!"
    client.session._subscribe_to_topic(client.topic_callback, "foo")
    client._topics["foo"] = lambda message: seen.add(message)  # noqa: PLW0108
    assert list(client.session.registration_map.values()) == ["hello"]
    assert [topic for _, topic in client.subscription_map.values()] == ["foo"]
    caller = start()
    assert caller.rpc.hello() == "Hello, World!"
    caller.publish(topic="foo", message="foobar")
    assert seen.take(1) == ["foobar"]
    client.stop()


class NamekoHandler(MessageHandler):
    """nameko-wamp: lets another thread answer, by a Yield of its own."""

    def handle_invocation(self, message_obj):
        name = self.session.registration_map[message_obj.registration_id]
        procedure = getattr(self.client, name)
        procedure(message_obj.request_id, *message_obj.call_args, **message_obj.call_kwargs)


class NamekoClient(Client):
    """nameko-wamp: a client of many procedures and one callback."""

    def __init__(self, work, topics=(), procedures=(), **kwargs):
        self.work = work
        self.topics = topics
        self.procedures = procedures
        super().__init__(**kwargs)

    def __getattr__(self, name):
        if name in self.procedures:
            return partial(self.callee_callback, name)
        raise AttributeError(name)

    def callee_callback(self, procedure_name, request_id, *args, **kwargs):
        self.work(self, request_id, procedure_name, args, kwargs)

    def topic_callback(self, *args, **kwargs):
        self.work(self, None, kwargs["meta"]["topic"], args, kwargs["message"])

    def register_roles(self):
        for topic in self.topics:
            self.session._subscribe_to_topic(self.topic_callback, topic)
        for procedure_name in self.procedures:
            self.session._register_procedure(procedure_name)


def test_nameko_wamp(router, start, seen):
    import threading

    def answer(client, request_id, name, args, kwargs):
        result_kwargs = {
            "error": None,
            "message": [name, args, kwargs],
            "meta": {"procedure_name": name, "session_id": client.session.id},
        }
        message = Yield(request_id, result_args=["unused"], result_kwargs=result_kwargs)
        threading.Thread(target=client.session.send_message, args=[message]).start()

    callee = NamekoClient(
        answer, procedures=["spam_call"], router=router, message_handler=NamekoHandler()
    )

    def collect(_client, _request_id, topic, _args, message):
        seen.add((topic, message))

    consumer = NamekoClient(
        collect, topics=["foo", "bar"], router=router, message_handler=MessageHandler()
    )
    with callee, consumer:
        client = start(name="nameko-wamp client proxy")
        assert RpcProxy(client=client).spam_call(1, eggs="ducks") == [
            "spam_call",
            [1],
            {"eggs": "ducks"},
        ]
        assert CallProxy(client=client)("spam_call") == ["spam_call", [], {}]
        publish = PublishProxy(client=client)
        publish(topic="foo", message="hello foo")
        publish(topic="bar", message="hello bar")
        assert seen.take(2) == [("foo", "hello foo"), ("bar", "hello bar")]


def test_a_handler_serves_one_client():
    handler = MessageHandler()
    client = Client(message_handler=handler)
    assert handler.client is client
    assert handler.session is client._session
    with pytest.raises(errors.ConfigurationError, match="another client"):
        Client(message_handler=handler)


@pytest.mark.parametrize("override", ["_register_roles", "register_roles"])
def test_roles_are_registered_by_an_override(start, override):
    def add_one(self):
        self._session._register_procedure("extra")
        getattr(super(Extended, self), override)()

    class Base(Client):
        @wampy.callee
        def declared(self):
            return "declared"

    Extended = type("Extended", (Base,), {override: add_one, "extra": lambda self: "extra"})
    extended = start(Extended)
    assert sorted(extended.registration_map.values()) == ["declared", "extra"]
    caller = start()
    assert [caller.rpc.extra(), caller.rpc.declared()] == ["extra", "declared"]


def test_a_registered_name_without_a_method_fails_its_caller(start):
    service = start()
    service.session._register_procedure("missing")
    with pytest.raises(errors.RemoteError, match="has no attribute 'missing'"):
        start().rpc.missing()


def test_a_call_message_and_its_answer(start):
    with start(CalleeProxy, procedure_names=["add"], callback=lambda a, b: a + b):
        client = start()
        answer = client.make_rpc(Call(procedure="add", args=[1, 2]))
        assert (answer.WAMP_CODE, answer.value) == (50, 3)
        assert client._make_rpc(Call(procedure="nobody")).error == "wamp.error.no_such_procedure"


def test_callee_proxy(start, seen):
    start(CalleeProxy, procedure_names=["a", "b"], callback=lambda *args, **kwargs: [args, kwargs])
    caller = start()
    assert caller.rpc.a(1, k=2) == [[1], {"k": 2}]
    assert caller.rpc.b() == [[], {}]


def test_topic_subscriber(start, seen):
    subscriber = start(
        TopicSubscriber, topics=["a", "b"], callback=lambda **kwargs: seen.add(kwargs)
    )
    assert sorted(topic for _, topic in subscriber.subscription_map.values()) == ["a", "b"]
    publisher = start()
    publisher.publish(topic="a", message=1)
    publisher.publish(topic="b", message=2)
    events = seen.take(2)
    assert [event["message"] for event in events] == [1, 2]
    assert [event["meta"]["topic"] for event in events] == ["a", "b"]


def test_web_clients(router, seen):
    where = {"host": "localhost", "port": str(router.port)}
    one, two = WebApplication("one", **where), WebApplication("two", **where)
    with one, two:
        assert set(one.collect_client_meta_data()) == {"one", "two"}
        assert one.call("get_meta")["registrations"] == ["get_meta"]
    with WebClient("three", **where) as client:
        assert client.session.realm == "realm1"


def test_the_meta_api_as_methods(start, seen):
    service = start(ServiceClient)
    service.subscribe("com.topic", seen.add)
    client = start(DefaultClient)
    subscription_id = client.get_subscription_lookup("com.topic")
    assert client.get_subscription_list()["exact"] == [subscription_id]
    assert client.get_subscription_match("com.topic") == [subscription_id]
    assert client.get_subscription_info(subscription_id)["uri"] == "com.topic"
    assert client.list_subscribers(subscription_id) == [service.session.id]
    assert client.count_subscribers(subscription_id) == 1
    registration_id = client.get_registration_lookup("get_meta")
    assert client.get_registration_list()["exact"] == [registration_id]
    assert client.get_registration_match("get_meta") == registration_id
    assert client.get_registration(registration_id)["uri"] == "get_meta"
    assert client.list_callees(registration_id) == [service.session.id]
    assert client.count_callees(registration_id) == 1


def test_the_url_may_be_set(router):
    class Elsewhere(Client):
        def __init__(self):
            super().__init__()
            self.url = router.url

    with Elsewhere() as client:
        assert client.session.connection.url == router.url
    with pytest.raises(ValueError, match="ws:"):
        client.url = "localhost:8080"


def test_use_tls():
    assert Client(url="ws://example.com", use_tls=True).url == "wss://example.com:443"
    assert Client(url="ws://example.com:9443/ws", use_tls=True).url == "wss://example.com:9443/ws"
    assert Client(url="wss://example.com", use_tls=True).url == "wss://example.com:443"
    assert Client(router=wampy.Router(port=7), use_tls=True).url == "wss://localhost:7"


def test_the_realm_of_a_crossbar_configuration():
    class Crossbar:
        url = "ws://localhost:8080"
        realm = {"name": "realm7", "roles": []}  # noqa: RUF012

    assert Client(router=Crossbar()).realm == "realm7"


def test_the_connection_of_a_session(router, start):
    client = start()
    connection = client.session.connection
    assert (connection.scheme, connection.host, connection.port, connection.resource) == (
        "ws",
        "localhost",
        router.port,
        "/",
    )
    assert client.is_pinging
    assert (connection.connected, connection.missed_pongs) == (True, 0)
    connection.disconnect()
    assert client.session is None
    assert not connection.connected
    assert not client.is_pinging
