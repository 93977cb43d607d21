"""What a newcomer gets wrong: every mistake is named in words, before anything is sent."""

import asyncio
import copy
import functools
import inspect
import pathlib
import pickle
import warnings
from typing import Protocol

import pytest
from certificates import make_certificate

import wampy
import wampy.aio
from wampy import errors
from wampy.auth import Ticket

SECRET = "correct horse"


class Interface(Protocol):
    """Something with a procedure."""

    def add(self, a: int, b: int) -> int:
        """Add."""


CLIENTS = [
    (
        {"certificate": "cert.pem"},
        "certificate must be two files, of the certificate and of its key",
    ),
    ({"certificate": ("cert.pem", 5)}, "certificate must be two files"),
    ({"cert_path": 5}, "cert_path must be a file, not 5"),
    ({"keys": wampy.DataKey(bytes(32))}, "keys must be a list of wampy.DataKey"),
    ({"keys": [SECRET]}, "keys must be a list of wampy.DataKey"),
    ({"realm": 5}, "a realm must have a name, not 5"),
    ({"call_timeout": "5"}, "call_timeout must be a number of seconds"),
    ({"cookies": "yes"}, "cookies must be a bool or a wampy.CookieJar"),
    ({"url": "http//x"}, r"'http//x' is no router URL: it must begin with one of .*unix:$"),
    ({"url": "localhost:8080"}, "did you mean ws://localhost:8080"),
]


@pytest.mark.parametrize(("arguments", "words"), CLIENTS)
@pytest.mark.parametrize("make", [wampy.Client, wampy.aio.connect])
def test_clients(make, arguments, words):
    with pytest.raises(errors.ConfigurationError, match=words) as mistake:
        make(**arguments)
    assert SECRET not in str(mistake.value)


@pytest.mark.parametrize("handler", [int, "MessageHandler", 5])
def test_message_handlers(handler):
    with pytest.raises(errors.ConfigurationError, match=r"is no wampy\.message_handler\.Mess"):
        wampy.Client(message_handler_cls=handler)


def test_files_may_be_paths(certificate, tmp_path):
    cert, key = certificate
    with wampy.Router(tls_cert=cert, tls_key=key) as router:
        with wampy.Client(router=router, cert_path=cert, certificate=(cert, key)) as client:
            assert client.call("wamp.session.count") == 1

        async def main():
            async with wampy.aio.connect(router.url, cert_path=pathlib.Path(cert)) as session:
                return await session.call("wamp.session.count")

        assert asyncio.run(main()) == 1


def test_a_certificate_that_no_server_may_show(tmp_path):
    # As everybody makes one first.
    cert, key = make_certificate(tmp_path, is_authority=True)
    router = wampy.Router(tls_cert=cert, tls_key=key)
    with router, pytest.raises(errors.ConnectionError, match="CA:FALSE"):
        wampy.Client(router=router, cert_path=cert).start()


def test_tls_where_none_is_spoken(router):
    with pytest.raises(errors.ConnectionError, match="the peer speaks no TLS here"):
        wampy.Client(url=router.url.replace("ws:", "wss:")).start()


def test_options_that_are_no_dictionary(start):
    client = start()
    with pytest.raises(
        errors.ConfigurationError, match=r"options must be a dictionary, not \['ack"
    ):
        client.publish("com.example.topic", options=["acknowledge"])


def test_options_that_there_are_not(start):
    client = start()
    with pytest.raises(
        errors.ConfigurationError, match=r"'acknowlege'; did you mean acknowledge\?"
    ):
        client.publish("com.example.topic", options={"acknowlege": True})
    with pytest.raises(errors.ConfigurationError, match=r"'discloseme'; did you mean disclose_me"):
        client.with_options(discloseme=True)
    with pytest.raises(
        errors.ConfigurationError, match="no option 'timeout'; there are acknowledge"
    ):
        client.publish("com.example.topic", options={"timeout": 5})
    # One object for both has the options of both; private ones go as they are.
    both = client.with_options(timeout=5000, exclude_me=False, _trace="7")
    assert both.call("wamp.session.count") == 1
    both.publish("com.example.topic")

    async def main():
        async with wampy.aio.connect(client.url) as session:
            with pytest.raises(errors.ConfigurationError, match="did you mean acknowledge"):
                await session.publish("com.example.topic", options={"acknowlege": True})
            with pytest.raises(errors.ConfigurationError, match="did you mean disclose_me"):
                session.with_options(discloseme=True)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("request_of", "words"),
    [
        (lambda client: client.unregister("com.example.p"), "a registration is known by its id"),
        (lambda client: client.unsubscribe("com.example.t"), "a subscription is known by its id"),
        (lambda client: client.register(lambda: 1), r"<lambda>.* has no name: register\(handler,"),
        (lambda client: client.register(print, 5), "the name of a procedure must be a string"),
        (lambda client: client.register("com.p", print), r"first: register\(<.*print>, 'com\.p'\)"),
        (lambda _: wampy.subscribe("com.t")(5), "@subscribe needs a function, not 5"),
        (wampy.Client, "a router is given as router=<Client"),
        (lambda client: client.describe("com.example.p", kind="thing"), "kind must be one of proc"),
        (lambda client: client.register(asyncio.sleep), "write `def`, or use wampy.aio"),
    ],
)
def test_requests(start, request_of, words):
    with pytest.raises(errors.ConfigurationError, match=words):
        request_of(start())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_has_connections_is_not_copied(start, router, copied):
    client = start()

    async def main():
        connection = wampy.aio.connect(router.url)
        async with connection as session:
            for kind, one in (("Connection", connection), ("Session", session)):
                with pytest.raises(TypeError, match=f"a {kind} can be neither copied nor pickled"):
                    copied(one)

    asyncio.run(main())
    for kind, one in (("Client", client), ("Session", client.session), ("Router", router)):
        with pytest.raises(TypeError, match=f"a {kind} can be neither copied nor pickled"):
            copied(one)


def test_a_remote_procedure_can_be_copied(start):
    client = start()
    assert copy.copy(client.rpc.wamp.session.count)() == 1
    assert copy.copy(client.rpc).wamp.session.count() == 1
    with pytest.raises(TypeError, match="a Client can be neither copied nor pickled"):
        pickle.dumps(client.rpc.wamp.session.count)


def test_requests_of_an_event_loop(router):
    async def main():
        async with wampy.aio.connect(router.url) as session:
            with pytest.raises(errors.ConfigurationError, match="has no name"):
                await session.register(lambda: 1)
            with pytest.raises(errors.ConfigurationError, match="kind must be one of"):
                await session.describe("com.example.p", kind="thing")

    asyncio.run(main())


@pytest.mark.parametrize("realm", [5, None])
def test_routers(realm):
    with pytest.raises(errors.ConfigurationError, match=f"a realm must have a name, not {realm}"):
        wampy.Router(realm=realm)


def test_a_result_that_cannot_be_sent_is_logged_with_its_procedure(start, caplog):
    start().register(object, "com.example.odd")
    with pytest.raises(errors.Error, match="has no form in WAMP"):
        start().call("com.example.odd")
    assert "the result of com.example.odd cannot be sent" in caplog.text


def test_no_mistake_shows_a_secret(router):
    with pytest.raises(errors.WampyError) as mistake:
        wampy.Client(router=router, auth=Ticket("joe", SECRET)).start()
    assert SECRET not in str(mistake.value)


#: What takes options, a slip of the pen, what names itself then, and what was meant.
SLIPS = [
    (wampy.callee, "nam", "@callee", "name"),
    (wampy.callee, "disclose", "@callee", "disclose_caller"),
    (wampy.subscribe, "topik", "subscribe", "topic"),
    (wampy.Client, "reelm", "Client", "realm"),
    (wampy.aio.connect, "timeout", "connect", "call_timeout"),
    (wampy.Router, "prot", "Router", "port"),
    (wampy.Reconnect, "delay", "Reconnect", "delay_min"),
    (wampy.DataKey, "idd", "DataKey", "id"),
    (wampy.peers.Crossbar, "config", "Crossbar", "config_path"),
    (wampy.peers.routers.WampRouter, "hos", "WampRouter", "host"),
    (wampy.peers.clients.WampClient, "authh", "Client", "auth"),
    (Ticket, "tiket", "Ticket", "ticket"),
    (
        functools.partial(wampy.Client().register, print),
        "invocation_polcy",
        "register",
        "invocation_policy",
    ),
    (functools.partial(wampy.Client().subscribe, "a", print), "mach", "subscribe", "match"),
    (functools.partial(wampy.Client().proxy, Interface), "prefx", "proxy", "prefix"),
    (functools.partial(wampy.Client().describe, "a"), "knd", "describe", "kind"),
    (functools.partial(wampy.Client().history, "a"), "limt", "history", "limit"),
]


@pytest.mark.parametrize(("function", "slip", "names_itself", "meant"), SLIPS)
def test_slips_of_the_pen(function, slip, names_itself, meant):
    words = f"^{names_itself} has no option '{slip}'; did you mean {meant}\\?$"
    with pytest.raises(errors.UnknownOptionError, match=words) as mistake:
        function(**{slip: SECRET})
    assert isinstance(mistake.value, errors.ConfigurationError)
    assert isinstance(mistake.value, TypeError)
    assert SECRET not in str(mistake.value)


def test_slips_of_the_pen_on_an_event_loop(router):
    async def main():
        async with wampy.aio.connect(router.url) as session:
            with pytest.raises(errors.UnknownOptionError, match=r"register has .* mean name"):
                await session.register(print, nane="com.example.p")
            with pytest.raises(errors.UnknownOptionError, match=r"subscribe has .* mean match"):
                session.subscribe("com.example.t", macht="prefix")
            with pytest.raises(errors.UnknownOptionError, match=r"history has .* mean reverse"):
                await session.history("com.example.t", revers=True)
            with pytest.raises(errors.UnknownOptionError, match=r"proxy has .* mean prefix"):
                session.proxy(Interface, prefx="com.example.")

    asyncio.run(main())


def test_other_mistakes_of_types_stay_what_they_are():
    with pytest.raises(TypeError, match="positional arguments") as mistake:
        wampy.subscribe("com.example.t", "prefix")
    assert not isinstance(mistake.value, errors.WampyError)

    class Broken(wampy.Reconnect):
        def __init__(self, **options):
            super().__init__(**options)
            len(5)

    with pytest.raises(TypeError, match="has no len"):
        Broken()
    assert inspect.signature(wampy.subscribe).parameters["match"].default == "exact"


def test_an_authentication_that_is_none_shows_no_secret(router):
    for auth in (SECRET, [SECRET], 5, Ticket):
        with pytest.raises(errors.ConfigurationError, match="must be made by") as mistake:
            wampy.Client(router=router, auth=auth).start()
        assert not any(f"'{letters}'" in str(mistake.value) for letters in (SECRET, SECRET[0]))


def test_a_connection_that_is_not_entered_says_how(router):
    async def main():
        connection = wampy.aio.connect(router.url)
        with pytest.raises(AttributeError, match="no 'call': write `async with"):
            await connection.call("wamp.session.count")
        with pytest.raises(AttributeError, match="'Connection' object has no attribute 'cal'"):
            await connection.cal("wamp.session.count")
        with pytest.raises(TypeError, match="not awaited: write `async with"):
            await connection

    asyncio.run(main())


def test_a_subscription_that_is_not_awaited_is_warned_of(router):
    async def main():
        async with wampy.aio.connect(router.url) as session:
            with pytest.warns(RuntimeWarning, match="print.* to com.example.t was never awaited"):
                session.subscribe("com.example.t", print)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                session.subscribe("com.example.t")
                await session.subscribe("com.example.t", print)
                with pytest.raises(errors.Error, match="invalid_uri"):
                    await session.subscribe("a b", print)

    asyncio.run(main())


def test_names_that_are_none(router, start):
    async def main():
        async with wampy.aio.connect(router.url) as session:
            for call in (
                lambda: session.call(5),
                lambda: session.call_progressive(5).result(),
                lambda: session.call_in_parts(5, []).result(),
                lambda: session.with_options(timeout=5).call(5),
            ):
                with pytest.raises(
                    errors.ConfigurationError, match="a procedure has a name, not 5"
                ):
                    await call()
            for topical in (lambda: session.publish(5), lambda: session.subscribe(5, print)):
                with pytest.raises(
                    errors.ConfigurationError, match="a topic must be a string, not 5"
                ):
                    await topical()

    asyncio.run(main())
    client = start()
    for call in (client.call, client.call_progressive, client.rpc[5], client.rpc[5].progressive):
        with pytest.raises(errors.ConfigurationError, match="a procedure has a name, not "):
            call(5)
    with pytest.raises(errors.ConfigurationError, match="a topic must be a string, not 5"):
        client.with_options(exclude_me=False).publish(5)
