"""A WebSocket by itself, for programs of wampy 1 that opened one without a client.

What is absent: clients. Their connections are Rust's, and they use nothing of this package.
"""

from __future__ import annotations

from wampy.transports.websocket import SecureWebSocket, WebSocket

__all__ = ["SecureWebSocket", "WebSocket"]
