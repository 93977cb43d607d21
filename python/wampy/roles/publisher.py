"""``client.publish`` as an object of its own, which extensions of wampy 1 make.

What is absent: the publishing, which is the client's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wampy.peers.clients import Client

__all__ = ["PublishProxy"]


class PublishProxy:
    """Publishes over a client: ``PublishProxy(client)(topic="com.shop.sold", article="tea")``."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, *args: Any, **kwargs: Any) -> int | None:
        """Do as ``Client.publish``."""
        return self.client.publish(*args, **kwargs)
