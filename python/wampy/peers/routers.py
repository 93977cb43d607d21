"""``WampRouter``: the description of a router that runs elsewhere; ``Crossbar``: one with a node
configuration of Crossbar.io.

What is absent: the router that runs in this process, which is ``wampy.Router``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wampy.constants import DEFAULT_HOST, DEFAULT_PORT, DEFAULT_REALM, DEFAULT_ROLES
from wampy.errors import ConfigurationError
from wampy.options import options_named

if TYPE_CHECKING:
    from wampy.peers.crossbar import Crossbar as Crossbar  # noqa: PLC0414

__all__ = ["WampRouter"]


def __getattr__(name: str) -> Any:
    # Few want it, and it needs modules that nothing else does.
    if name != "Crossbar":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wampy.peers.crossbar import Crossbar

    return Crossbar


class WampRouter:
    """Where a router is and what it offers; constructing it touches no network.

    Args:
        name: a name for people.
        host: where the router listens.
        port: the port, as a number or as text.
        realm: the realm to join; ``realms`` is the other spelling, and may be a list.
        roles: what the router does, for people.
        path: the path of its WebSocket; routers of 2016 listened on ``/ws``.
    """

    @options_named
    def __init__(
        self,
        name: str = "router",
        host: str = DEFAULT_HOST,
        port: int | str = DEFAULT_PORT,
        realms: str | Sequence[str] | None = None,
        roles: Mapping[str, Any] = DEFAULT_ROLES,
        *,
        realm: str | None = None,
        path: str = "/ws",
    ) -> None:
        self.name = name
        self.host = host
        self.port: int = _port(port)
        given = realm if realm is not None else realms if realms is not None else DEFAULT_REALM
        self.realms: list[str] = [given] if isinstance(given, str) else [*given]
        if not self.realms:
            raise ConfigurationError("a router needs a realm")
        self.roles = roles
        self.path = path

    @property
    def realm(self) -> str:
        """The realm that clients of this router join unless told otherwise."""
        return self.realms[0]

    @property
    def url(self) -> str:
        """The URL for clients."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}{self.path}"

    def __repr__(self) -> str:
        return f"<WampRouter {self.name} at {self.url}>"


def _port(port: int | str) -> int:
    try:
        number = int(port)
    except (TypeError, ValueError):
        number = 0
    if not 1 <= number <= 65535:
        raise ConfigurationError(f"a port is a number from 1 to 65535, not {port!r}")
    return number
