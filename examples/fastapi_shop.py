"""A web front of services: FastAPI endpoints that call WAMP procedures, publish and listen.

    wampy router
    wampy register com.shop.price --exec "echo 3"
    uvicorn --app-dir examples fastapi_shop:app

One session serves all requests: it begins and ends with the application, on the event loop of the
server, and comes back by itself when the router has been away. What is absent: threads.
"""

import contextlib
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import wampy
import wampy.aio


class Order(BaseModel):
    """What somebody buys."""

    article: str
    count: int


class Front:
    """What the application knows, and the handlers that tell it."""

    def __init__(self) -> None:
        self.sold: dict[str, int] = {}

    @wampy.subscribe(topic="com.shop.sold")
    async def on_sold(self, article: str, count: int) -> None:
        self.sold[article] = self.sold.get(article, 0) + count


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The session lives as long as the application."""
    front = Front()
    async with wampy.aio.connect(
        os.environ.get("WAMPY_URL"), call_timeout=5, reconnect=True
    ) as session:
        await session.register_all(front)
        app.state.front, app.state.session = front, session
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/price/{article}")
async def price(article: str, request: Request) -> dict[str, object]:
    session: wampy.aio.Session = request.app.state.session
    # If the browser goes away meanwhile, the call is canceled.
    return {"article": article, "price": await session.call("com.shop.price", article)}


@app.post("/orders", status_code=201)
async def order(wanted: Order, request: Request) -> dict[str, object]:
    session: wampy.aio.Session = request.app.state.session
    publication = await session.publish(
        "com.shop.sold",
        wanted.article,
        wanted.count,
        acknowledge=True,
        options={"exclude_me": False},
    )
    return {"publication": publication}


@app.get("/sold")
async def sold(request: Request) -> dict[str, int]:
    front: Front = request.app.state.front
    return front.sold


@app.exception_handler(wampy.Error)
async def refused(request: Request, error: wampy.Error) -> JSONResponse:
    """The callee or the router said no: who asked learns why."""
    return JSONResponse({"error": error.uri, "args": list(error.args)}, status_code=400)


@app.exception_handler(wampy.WampyError)
async def unavailable(request: Request, error: wampy.WampyError) -> JSONResponse:
    """No answer in time, or no router."""
    answer = {"error": type(error).__name__, "message": str(error)}
    return JSONResponse(answer, status_code=503)
