"""The peers of WAMP: clients, and the routers that they connect to."""

from __future__ import annotations

from wampy.peers.clients import Client, RpcClient, WampClient
from wampy.peers.routers import WampRouter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wampy.peers.crossbar import Crossbar as Crossbar
    from wampy.peers.web import WebApplication as WebApplication
    from wampy.peers.web import WebClient as WebClient


def __getattr__(name: str) -> Any:
    if name == "Crossbar":
        from wampy.peers.crossbar import Crossbar

        return Crossbar
    # The clients of wampy 0.3, which few want.
    if name not in ("WebApplication", "WebClient"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wampy.peers import web

    return getattr(web, name)


__all__ = ["Client", "RpcClient", "WampClient", "WampRouter"]
