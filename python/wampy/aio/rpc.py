"""``session.rpc``: remote procedures that look like coroutine methods.

What is absent: knowledge of which procedures exist; the router answers for those that do not.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from wampy.roles.caller import checked

if TYPE_CHECKING:
    from wampy.aio.progressive import ProgressiveCall
    from wampy.aio.requests import Requests

__all__ = ["RemoteProcedure", "RpcProxy"]


class RpcProxy:
    """Calls procedures by attribute or by key.

    ``await session.rpc.com.shop.order(3)`` and ``await session.rpc["com.shop.order"](3)`` are the
    same call.
    """

    __slots__ = ("_caller",)

    def __init__(self, caller: Requests) -> None:
        self._caller = caller

    def __getattr__(self, name: str) -> RemoteProcedure:
        name = checked(name, self)
        return RemoteProcedure(self._caller, name)

    def __getitem__(self, uri: str) -> RemoteProcedure:
        return RemoteProcedure(self._caller, uri)

    def __repr__(self) -> str:
        return f"<RpcProxy of {self._caller!r}>"


class RemoteProcedure:
    """One procedure; an attribute of it is the procedure with the longer URI."""

    __slots__ = ("_caller", "_uri")

    def __init__(self, caller: Requests, uri: str) -> None:
        self._caller = caller
        self._uri = uri

    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Call the procedure; await what is returned for the result."""
        return self._caller.call(self._uri, *args, **kwargs)

    def progressive(self, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Call the procedure for a result in parts; see ``Session.call_progressive``."""
        return self._caller.call_progressive(self._uri, *args, **kwargs)

    def __getattr__(self, name: str) -> RemoteProcedure:
        name = checked(name, self)
        return RemoteProcedure(self._caller, f"{self._uri}.{name}")

    def __repr__(self) -> str:
        return f"<RemoteProcedure {self._uri}>"
