"""The features of the advanced profile that this client announces, each against the real router."""

import threading

import pytest

import wampy
from wampy import errors
from wampy.messages import Call
from wampy.peers import Client

CONFIG = """
listen = ["127.0.0.1:0"]

[[realms]]
name = "realm1"
force_reregister = "everybody"

[realms.authentication]
methods = ["anonymous"]
anonymous_role = "guest"

[[realms.roles]]
name = "guest"
trust_level = 7
permissions = [
    { uri = "", match = "prefix", allow = { call = true, register = true, publish = true, subscribe = true } },
    { uri = "wamp.", match = "prefix", allow = { call = true, register = true, publish = true, subscribe = true } },
]

[realms.event_history]
rules = [{ topic = "com.log", match = "prefix" }]
"""  # noqa: E501


@pytest.fixture
def router(tmp_path):
    """A router that tells trust levels and keeps a history."""
    path = tmp_path / "wampy.toml"
    path.write_text(CONFIG)
    with wampy.Router(config=path) as running:
        yield running


class Who(Client):
    """Offers what tells who calls, and by which name."""

    @wampy.callee(name="com.who", details=True)
    def who(self, *, details):
        return details

    @wampy.callee(name="com.things", match="prefix", details=True)
    def thing(self, number, *, details):
        return [details["procedure"], number]

    @wampy.callee(name="com..name", match="wildcard", details=True)
    def name_of(self, *, details):
        return details["procedure"]


# Calls


def test_a_callee_learns_who_calls_if_the_caller_says_so(start):
    start(Who)
    caller = start()
    assert "caller" not in caller.rpc.com.who()
    details = caller.with_options(disclose_me=True).call("com.who")
    assert details["procedure"] == "com.who"
    assert details["caller"] == caller.session.id
    assert details["caller_authrole"] == "guest"


def test_a_caller_cannot_forge_details(start):
    start(Who)
    assert start().rpc.com.who(details={"caller": 1}).get("caller") != 1


def test_a_callee_may_ask_to_know_every_caller(start):
    callee, caller = start(), start()
    callee.register(
        lambda *, details: details["caller"], "com.ask", details=True, disclose_caller=True
    )
    assert caller.rpc.com.ask() == caller.session.id


def test_trust_levels_are_told(start, seen):
    callee, caller = start(), start()
    callee.register(
        lambda *, details: details["trustlevel"], "com.trust", details=True, disclose_caller=True
    )
    assert caller.rpc.com.trust() == 7
    callee.subscribe("com.trusted", lambda *, meta: seen.add(meta))
    caller.publish("com.trusted", options={"disclose_me": True})
    [meta] = seen.take(1)
    assert meta["trustlevel"] == 7


def test_registrations_by_pattern_name_the_procedure(start):
    start(Who)
    caller = start()
    assert caller.rpc.com.things.red(1) == ["com.things.red", 1]
    assert caller.rpc.com.dog.name() == "com.dog.name"


def test_a_call_that_one_callee_cannot_take_goes_to_the_next(start, seen):
    def unavailable():
        seen.add("asked")
        raise wampy.Error("wamp.error.unavailable")

    start().register(unavailable, "com.work", "first")
    start().register(lambda: "done", "com.work", "first")
    assert start().rpc.com.work() == "done"
    assert seen.take(1) == ["asked"]


def test_calls_of_one_key_go_to_one_callee(start):
    for name in "abc":
        start().register(lambda name=name: name, "com.cart", "roundrobin", nkey=name)
    caller = start()

    def callees(customer):
        sharded = caller.with_options(rkey=str(customer))
        return {sharded.rpc.com.cart() for _ in range(3)}

    met = [callees(customer) for customer in range(30)]
    assert all(len(names) == 1 for names in met)
    assert set().union(*met) == set("abc")


def test_the_router_gives_a_callee_as_many_calls_as_it_takes(start):
    lock, go_on = threading.Lock(), threading.Event()

    def alone():
        got = lock.acquire(blocking=False)
        go_on.wait(20)
        if got:
            lock.release()
        return got

    callee, caller = start(), start()
    callee.register(alone, "com.print", concurrency=1)
    callee.register(lambda: "pong", "com.ping")
    calls = [Call("com.print") for _ in range(4)]
    for call in calls:
        caller.send_message(call)
    # It comes behind the four, so by then the callee has all that the router gives it.
    assert caller.rpc.com.ping() == "pong"
    go_on.set()
    assert [caller.recv_message(call.request_id).value for call in calls] == [True] * 4


def test_a_procedure_can_be_taken_over(start):
    first, second = start(), start()
    first.register(lambda: 1, "com.mine")
    with pytest.raises(errors.ProcedureAlreadyExistsError):
        second.register(lambda: 2, "com.mine")
    second.register(lambda: 2, "com.mine", force_reregister=True)
    assert start().rpc.com.mine() == 2


def test_the_callee_may_mind_the_time_limit(start):
    over = threading.Event()

    def slow(*, details):
        yield details["timeout"]
        over.wait(20)

    start().register(slow, "com.slow", forward_timeout=True, details=True)
    caller = start(call_timeout=0.5)
    call = caller.call_progressive("com.slow")
    assert next(call) == 500
    with pytest.raises(errors.WampyTimeOutError):
        next(call)
    over.set()


def test_a_call_is_canceled_when_its_time_is_over(start):
    closed = threading.Event()

    def forever():
        try:
            while True:
                yield None
        finally:
            closed.set()

    start().register(forever, "com.forever")
    with pytest.raises(errors.WampyTimeOutError):
        start(call_timeout=0.3).rpc.com.forever()
    assert closed.wait(20)


def test_what_an_operator_takes_back_is_over(start, seen, until):
    client, operator = start(), start()
    registration = client.register(lambda: 1, "com.taken")
    subscription = client.subscribe("com.taken", seen.add)
    operator.rpc.wamp.registration.remove_callee(registration, client.session.id)
    until(lambda: registration not in client.registration_map)
    with pytest.raises(errors.ProcedureNotFoundError):
        operator.rpc.com.taken()
    operator.rpc.wamp.subscription.remove_subscriber(subscription, client.session.id)
    until(lambda: subscription not in client.subscription_map)
    assert operator.rpc.wamp.subscription.lookup("com.taken") is None

    client.register(lambda: 2, "com.taken")
    assert operator.rpc.com.taken() == 2
    client.subscribe("com.taken", seen.add)
    operator.publish("com.taken", "again")
    assert seen.take(1) == ["again"]


# Events


def test_subscriptions_by_pattern_name_the_topic(start, seen):
    class Listener(Client):
        @wampy.subscribe("com.news", match="prefix")
        def by_prefix(self, number, meta):
            seen.add(("prefix", meta["topic"], number))

        @wampy.subscribe("com..weather", match="wildcard")
        def by_wildcard(self, number, meta):
            seen.add(("wildcard", meta["topic"], number))

    start(Listener)
    start().publish("com.news.weather", 1)
    expected = {("prefix", "com.news.weather", 1), ("wildcard", "com.news.weather", 1)}
    assert set(seen.take(2)) == expected


def test_a_subscriber_learns_who_publishes_if_the_publisher_says_so(start, seen):
    start().subscribe("com.news", lambda *, meta: seen.add(meta))
    publisher = start()
    publisher.publish("com.news")
    publisher.with_options(disclose_me=True).publish("com.news")
    hidden, shown = seen.take(2)
    assert "publisher" not in hidden
    assert shown["publisher"] == publisher.session.id
    assert shown["publisher_authrole"] == "guest"


def test_receivers_can_be_chosen_and_left_out(start, seen):
    first, second, publisher = start(), start(), start()
    first.subscribe("com.news", lambda n: seen.add(("first", n)))
    second.subscribe("com.news", lambda n: seen.add(("second", n)))
    publisher.publish("com.news", 1, options={"exclude": [first.session.id]})
    publisher.publish("com.news", 2, options={"eligible": [first.session.id]})
    publisher.publish("com.news", 3, options={"exclude_authrole": ["guest"]})
    publisher.publish("com.news", 4, options={"eligible_authrole": ["guest"]})
    got = sorted(seen.take(4))
    assert got == [("first", 2), ("first", 4), ("second", 1), ("second", 4)]


def test_events_of_one_key_go_to_one_of_those_that_share_the_topic(start, seen):
    for name in "abc":
        handler = lambda *args, name=name: seen.add((name, *args))  # noqa: E731
        start().subscribe("com.orders", handler, nkey=name)
    publisher = start()
    for number in range(60):
        customer = number % 20
        publisher.publish("com.orders", customer, number, options={"rkey": str(customer)})
    met = {}
    for name, customer, _ in seen.take(60):
        met.setdefault(customer, set()).add(name)
    assert all(len(names) == 1 for names in met.values())
    assert set().union(*met.values()) == set("abc")


def test_a_retained_event_comes_to_later_subscribers_that_ask(start, seen):
    start().publish("com.state", "on", options={"retain": True, "acknowledge": True})

    class Later(Client):
        @wampy.subscribe("com.state", get_retained=True)
        def changed(self, state, meta):
            seen.add((state, meta.get("retained", False)))

    start(Later)
    assert seen.take(1) == [("on", True)]
    start().subscribe("com.state", lambda state, **_: seen.add(state))
    start().publish("com.state", "off")
    assert set(seen.take(3)) == {("on", True), ("off", False), "off"}


# The meta API


def test_testaments_are_published_when_their_session_is_gone(start, seen):
    start().subscribe("com.last_will", lambda *args, **kwargs: seen.add((args, kwargs["a"])))
    client = start()
    client.add_testament("com.last_will", "taken back", a=0)
    client.flush_testaments()
    client.add_testament("com.last_will", 1, a=2)
    client.add_testament("com.last_will", 3, scope="detached", a=4)
    client.stop()
    assert seen.take(2) == [((3,), 4), ((1,), 2)]


def test_history_has_the_events_that_the_router_has_kept(start):
    listener, publisher = start(), start()
    subscription = listener.subscribe("com.log.a", print)
    listener.subscribe("com.log", print, match="prefix")
    ids = [publisher.publish("com.log.a", n, k=n, options={"acknowledge": True}) for n in range(3)]
    events = publisher.history("com.log.a")
    assert [event["args"] for event in events] == [[0], [1], [2]]
    assert [event["kwargs"] for event in events] == [{"k": 0}, {"k": 1}, {"k": 2}]
    assert [event["publication"] for event in events] == ids
    newest = publisher.history(subscription, limit=2, reverse=True)
    assert [event["args"] for event in newest] == [[2], [1]]
    after = publisher.history("com.log", match="prefix", after_publication=ids[1])
    assert [event["publication"] for event in after] == ids[2:]


def test_history_of_a_topic_without_subscribers_is_an_error(start):
    with pytest.raises(errors.Error, match="no_such_subscription"):
        start().history("com.log.nobody")


def test_the_router_tells_of_sessions_and_ends_them(start, seen, until):
    operator = start()
    operator.subscribe("wamp.session.on_leave", lambda *args: seen.add(args[0]))
    other = start()
    session_id = other.session.id
    assert session_id in operator.rpc.wamp.session.list()
    operator.rpc.wamp.session.kill(session_id)
    assert seen.take(1) == [session_id]
    until(lambda: not other.session.is_open)


# What arguments cannot be


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"match": "regex"}, "match must be one of"),
        ({"invoke": "all"}, "invocation_policy must be one of"),
        ({"concurrency": 0}, "concurrency must be"),
        ({"concurrency": "2"}, "concurrency must be"),
    ],
)
def test_decorators_refuse_what_makes_no_sense(options, problem):
    with pytest.raises(errors.ConfigurationError, match=problem):
        wampy.callee(**options)
    if "match" in options:
        with pytest.raises(errors.ConfigurationError, match=problem):
            wampy.subscribe("com.a", **options)


def test_options_with_a_wrong_type_are_named(start):
    with pytest.raises(errors.ConfigurationError, match="disclose_me"):
        start().with_options(disclose_me="yes").call("com.a")
