"""``@rpc`` under its name of wampy 0.3; see ``wampy.rpc``."""

from __future__ import annotations

from wampy.rpc import RpcProxy, register_rpc, rpc

__all__ = ["RpcProxy", "register_rpc", "rpc"]
