"""The peers of WAMP: clients, and the routers that they connect to."""

from __future__ import annotations

from wampy.peers.clients import Client, RpcClient, WampClient
from wampy.peers.routers import WampRouter

__all__ = ["Client", "RpcClient", "WampClient", "WampRouter"]
