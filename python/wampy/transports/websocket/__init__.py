"""A blocking WebSocket and its frames. What is absent: compression, and WAMP."""

from __future__ import annotations

from wampy.transports.websocket.connection import SecureWebSocket, WebSocket

__all__ = ["SecureWebSocket", "WebSocket"]
