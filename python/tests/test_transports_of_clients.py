"""Batches, long-polling and cookies: how the bytes of a client get to the router."""

import asyncio
import socket
import threading

import pytest

import wampy
import wampy.aio
from wampy import errors
from wampy.auth import Ticket

CONFIG = """
listen = ["127.0.0.1:0"]

[cookie]

[[realms]]
name = "realm1"
[realms.authentication]
methods = ["cookie", "ticket", "anonymous"]
[[realms.authentication.users]]
authid = "joe"
role = "user"
ticket = "secret!!!"
"""


@pytest.fixture(params=["ws", "http"])
def url_with_cookies(request, tmp_path):
    config = tmp_path / "wampy.toml"
    config.write_text(CONFIG)
    with wampy.Router(config=config) as router:
        yield router.url.replace("ws", request.param, 1)


def who(client):
    details = client.call("wamp.session.get", client.session.id)
    return details["authmethod"], details["authid"]


def begin(url, **options):
    """Begin a session on a thread."""
    wampy.Client(url, **options).start()


def begin_on_loop(url, **options):
    """Begin a session on an event loop."""

    async def main():
        async with wampy.aio.connect(url, **options):
            pass

    asyncio.run(main())


def first_request(begin, **options):
    """What a client sends before anybody has answered it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        request = []

        def listen():
            connection, _ = server.accept()
            with connection:
                request.append(connection.recv(65536).decode())

        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(errors.ConnectionError):
            begin(f"ws://127.0.0.1:{port}", **options)
        thread.join()
    return request[0]


def exercise(client):
    """Calls in both directions, and events, also large ones."""
    got = threading.Event()
    client.register(lambda text: text[::-1], "reverse")
    client.subscribe("topic", lambda text: got.set() if len(text) == 100_000 else None)
    assert client.call("reverse", "abc") == "cba"
    assert [client.call("reverse", f"{n}!") for n in range(10)] == [f"!{n}" for n in range(10)]
    client.publish("topic", "x" * 100_000, options={"exclude_me": False})
    assert got.wait(20)


@pytest.mark.parametrize("begin", [begin, begin_on_loop])
def test_batches_are_asked_for(begin):
    offer = first_request(begin, batched=True)
    assert "Sec-WebSocket-Protocol: wamp.2.msgpack.batched" in offer
    assert "batched" not in first_request(begin)


def test_messages_go_in_batches(router):
    with wampy.Client(router=router, batched=True) as client:
        exercise(client)
    with wampy.Client(router.url.replace("ws", "http", 1), batched=True) as client:
        exercise(client)


def test_sessions_over_long_polling(router):
    url = router.url.replace("ws", "http", 1)
    with wampy.Client(url) as client, wampy.Client(router=router) as other:
        transport = client.call("wamp.session.get", client.session.id)["transport"]
        assert transport["type"] == "longpoll"
        exercise(client)
        assert other.call("reverse", "over both") == "htob revo"


def test_the_ports_of_long_polling_urls():
    assert wampy.Client("http://localhost").url == "http://localhost:8080"
    assert wampy.Client("https://localhost/lp").url == "https://localhost:443/lp"


def test_a_client_is_known_again_by_its_cookie(url_with_cookies):
    client = wampy.Client(url_with_cookies, auth=Ticket("joe", "secret!!!"), cookies=True)
    with client:
        assert who(client) == ("ticket", "joe")
    with client:
        assert who(client) == ("cookie", "joe")


def test_clients_may_share_a_jar(url_with_cookies):
    jar = wampy.CookieJar()
    with wampy.Client(url_with_cookies, auth=Ticket("joe", "secret!!!"), cookies=jar):
        assert len(jar) == 1
    with wampy.Client(url_with_cookies, cookies=jar) as client:
        assert who(client) == ("cookie", "joe")
    kept = wampy.CookieJar()
    kept.insert("127.0.0.1", jar.for_host("127.0.0.1"))
    with wampy.Client(url_with_cookies, cookies=kept) as client:
        assert who(client) == ("cookie", "joe")
    jar.clear()
    assert jar.for_host("127.0.0.1") is None
    with wampy.Client(url_with_cookies, cookies=jar) as client:
        assert who(client)[0] == "anonymous"
    with wampy.Client(url_with_cookies) as client:
        assert who(client)[0] == "anonymous"


def test_what_is_no_jar_is_refused():
    with pytest.raises(errors.ConfigurationError, match="CookieJar"):
        wampy.Client(cookies={"wampy": "x"})
    with pytest.raises(errors.ConfigurationError, match="CookieJar"):
        wampy.aio.connect(cookies={"wampy": "x"})


async def who_awaited(session):
    details = await session.call("wamp.session.get", session.id)
    return details["authmethod"], details["authid"]


def test_messages_go_in_batches_from_an_event_loop(on_loop, router):
    async def main():
        async with wampy.aio.connect(router=router, batched=True) as session:
            await session.register(lambda text: text[::-1], "reverse")
            calls = [session.call("reverse", f"{n}!") for n in range(10)]
            assert await asyncio.gather(*calls) == [f"!{n}" for n in range(10)]

    on_loop(main)


def test_sessions_of_event_loops_are_known_again_by_their_cookie(on_loop, url_with_cookies):
    async def main():
        jar = wampy.CookieJar()
        joe = Ticket("joe", "secret!!!")
        async with wampy.aio.connect(url_with_cookies, auth=joe, cookies=jar) as session:
            assert await who_awaited(session) == ("ticket", "joe")
            assert len(jar) == 1
        async with wampy.aio.connect(url_with_cookies, cookies=jar) as session:
            assert await who_awaited(session) == ("cookie", "joe")
        async with wampy.aio.connect(url_with_cookies, cookies=True) as session:
            assert (await who_awaited(session))[0] == "anonymous"
        async with wampy.aio.connect(url_with_cookies) as session:
            assert (await who_awaited(session))[0] == "anonymous"

    on_loop(main)
