"""``client.session.connection``: what extensions of wampy 1 look at of a session's connection.

What is absent: sending and receiving. A connection belongs to the Rust client, which has one owner
for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wampy.config.defaults import heartbeat
from wampy.mixins import ParseUrlMixin

if TYPE_CHECKING:
    from wampy.lifetime import Lifetime

__all__ = ["Connection"]


class Connection(ParseUrlMixin):
    """The connection of a session, with the parts of its URL.

    Attributes:
        missed_pongs: always 0, because the first pong that is missed ends the connection.
    """

    missed_pongs = 0

    def __init__(self, session: Lifetime) -> None:
        self._session = session
        self.url: str = session.url
        self.parse_url()

    @property
    def connected(self) -> bool:
        """Whether the connection is there."""
        return self._session.is_open

    @property
    def is_pinging(self) -> bool:
        """Whether a silent router is pinged: over WebSockets always, else by the heartbeat."""
        return self.connected and (self.scheme in ("ws", "wss") or heartbeat > 0)

    def disconnect(self) -> None:
        """End the session and its connection."""
        self._session.end()

    def __repr__(self) -> str:
        return f"<Connection to {self.url}{'' if self.connected else ', closed'}>"
