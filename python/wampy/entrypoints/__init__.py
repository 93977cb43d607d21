"""The decorators under the names of wampy 0.3. What is absent: any difference to today's."""

from __future__ import annotations

from wampy.entrypoints.publishing import subscribe
from wampy.entrypoints.rpc import rpc

__all__ = ["rpc", "subscribe"]
