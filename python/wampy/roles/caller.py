"""``client.rpc``: remote procedures that look like methods.

What is absent: knowledge of which procedures exist; the router answers for those that do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wampy.peers.clients import Client
    from wampy.progressive import ProgressiveCall

__all__ = ["RemoteProcedure", "RpcProxy"]


class RpcProxy:
    """Calls procedures by attribute or by key.

    ``client.rpc.com.shop.order(3)`` and ``client.rpc["com.shop.order"](3)`` are the same call.
    """

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> RemoteProcedure:
        return RemoteProcedure(self._client, _public(name, self))

    def __getitem__(self, uri: str) -> RemoteProcedure:
        return RemoteProcedure(self._client, uri)

    def __repr__(self) -> str:
        return f"<RpcProxy of {self._client.name}>"


class RemoteProcedure:
    """One procedure; an attribute of it is the procedure with the longer URI."""

    __slots__ = ("_client", "_uri")

    def __init__(self, client: Client, uri: str) -> None:
        self._client = client
        self._uri = uri

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the procedure and return its result."""
        return self._client._call(self._uri, args, kwargs)

    def progressive(self, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Call the procedure for a result in parts; see ``Client.call_progressive``.

        A procedure whose URI ends in ``.progressive`` is reached by its key: ``rpc[uri]``.
        """
        return self._client._call_progressive(self._uri, args, kwargs)

    def __getattr__(self, name: str) -> RemoteProcedure:
        return RemoteProcedure(self._client, f"{self._uri}.{_public(name, self)}")

    def __repr__(self) -> str:
        return f"<RemoteProcedure {self._uri}>"


def _public(name: str, owner: object) -> str:
    """Refuse the names that shells, copiers and debuggers probe for; keys reach all others."""
    if name.startswith("_"):
        raise AttributeError(f"{owner!r} has no attribute {name!r}; try [{name!r}]")
    return name
