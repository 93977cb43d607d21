"""wampy for asyncio: sessions whose calls are awaited and whose handlers are coroutines.

>>> import asyncio
>>> import wampy.aio
>>> async def main():
...     async with wampy.aio.Router() as router:
...         async with wampy.aio.connect(router.url) as session:
...             await session.register(greet, "com.example.greet")
...             return await session.call("com.example.greet", "Ada")
>>> async def greet(name):
...     return f"Hello, {name}!"
>>> asyncio.run(main())
'Hello, Ada!'

Everything is structured: what a session has begun ends with its ``async with`` block. What is
absent: threads. All of it runs on the event loop, asyncio's own or uvloop, of the thread that
connects.
"""

from __future__ import annotations

from wampy._wampy import Event
from wampy.aio.connection import Connection, connect
from wampy.aio.handlers import Registration
from wampy.aio.progressive import Parts, ProgressiveCall
from wampy.aio.router import Router
from wampy.aio.session import Session, WithOptions
from wampy.aio.subscription import Subscription

__all__ = [
    "Connection",
    "Event",
    "Parts",
    "ProgressiveCall",
    "Registration",
    "Router",
    "Session",
    "Subscription",
    "WithOptions",
    "connect",
]
