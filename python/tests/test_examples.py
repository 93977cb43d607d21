"""The examples of web applications, each in a real server that several clients ask at once."""

import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import wampy

if os.environ.get("WAMPY_ONLY_THE_WHEEL"):
    pytest.skip("needs Flask and FastAPI", allow_module_level=True)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

FLASK = """
import sys
from flask_shop import create_app
from werkzeug.serving import make_server

server = make_server("localhost", 0, create_app(), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""

FASTAPI = """
import asyncio
import uvicorn
from fastapi_shop import app

server = uvicorn.Server(uvicorn.Config(app, host="localhost", port=0, log_level="warning"))

async def main():
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving

asyncio.run(main())
"""


class Prices(wampy.Client):
    """The service that the examples call; it waits until two ask at once for "pairs"."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.pair = threading.Barrier(2, timeout=20)

    @wampy.callee(name="com.shop.price")
    def price(self, article):
        if article == "pairs":
            self.pair.wait()
        elif article != "tea":
            raise wampy.Error("com.shop.error.unknown_article", article)
        return 3


@pytest.fixture
def serve(router):
    """Start a server in a process of its own; returns what asks it."""
    servers = []

    def start(code):
        server = subprocess.Popen(
            [sys.executable, "-u", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=EXAMPLES,
            env={**os.environ, "WAMPY_URL": router.url},
        )
        servers.append(server)
        port = int(server.stdout.readline())

        def ask(path, body=None):
            request = urllib.request.Request(
                f"http://localhost:{port}{path}",
                data=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                return error.code, json.load(error)

        return ask

    yield start
    for server in servers:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("server", [FLASK, FASTAPI], ids=["flask", "fastapi"])
def test_a_web_front(serve, server, router, start, until):
    prices = start(Prices)
    ask = serve(server)
    assert ask("/price/tea") == (200, {"article": "tea", "price": 3})
    status, refused = ask("/price/coffee")
    assert (status, refused["error"]) == (400, "com.shop.error.unknown_article")
    assert refused["args"] == ["coffee"]
    # Both are called at once, over one session.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(ask, ["/price/pairs"] * 2))
    assert answers == [(200, {"article": "pairs", "price": 3})] * 2
    assert ask("/sold") == (200, {})
    assert prices.call("wamp.session.count") == 2
    status, ordered = ask("/orders", {"article": "tea", "count": 2})
    assert status == 201 and ordered["publication"] > 0
    prices.publish("com.shop.sold", "tea", 3)
    until(lambda: ask("/sold") == (200, {"tea": 5}))
    prices.stop()
    status, refused = ask("/price/tea")
    assert (status, refused["error"]) == (400, "wamp.error.no_such_procedure")
    router.stop()
    status, unavailable = ask("/price/tea")
    assert status == 503 and "Error" in unavailable["error"]
