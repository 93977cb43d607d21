"""``client.rpc``: remote procedures that look like methods.

What is absent: knowledge of which procedures exist; the router answers for those that do not, and
says which there are when a shell asks, see ``wampy.directory``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wampy.options import check_options

if TYPE_CHECKING:
    from inspect import Signature

    from wampy.peers.requests import Requests
    from wampy.progressive import ProgressiveCall

_T = TypeVar("_T")

__all__ = ["CallProxy", "RemoteProcedure", "RpcProxy", "WithOptions"]


class CallProxy:
    """``client.call`` as an object of its own, which extensions of wampy 1 make."""

    def __init__(self, client: Requests) -> None:
        self.client = client

    def __call__(self, procedure: str, /, *args: Any, **kwargs: Any) -> Any:
        """Do as ``Client.call``."""
        return self.client.call(procedure, *args, **kwargs)


class WithOptions:
    """A client with options for what it calls and publishes; see ``Client.with_options``."""

    __slots__ = ("_client", "_options")

    def __init__(self, client: Requests, options: Mapping[str, Any]) -> None:
        check_options(options)
        self._client = client
        self._options = options

    @property
    def rpc(self) -> RpcProxy:
        """Remote procedures as methods, called with the options."""
        return RpcProxy(self._client, self._call_options())

    def proxy(self, interface: Callable[..., _T], prefix: str = "") -> _T:
        """Do as ``Client.proxy``; its methods call with the options."""
        from wampy.proxy import make_proxy

        return make_proxy(interface, prefix, self)

    def call(self, procedure: str, /, *args: Any, **kwargs: Any) -> Any:
        """Do as ``Client.call``, with the options."""
        return self._client._call(procedure, args, kwargs, self._call_options())

    def call_progressive(self, procedure: str, /, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Do as ``Client.call_progressive``, with the options."""
        return self._client._call_progressive(procedure, args, kwargs, self._call_options())

    def call_in_parts(
        self, procedure: str, parts: Iterable[Any], /, *args: Any, **kwargs: Any
    ) -> ProgressiveCall:
        """Do as ``Client.call_in_parts``, with the options."""
        session = self._client._started()
        return session.call_in_parts(procedure, parts, args, kwargs, self._call_options())

    def publish(self, topic: str, /, *args: Any, **kwargs: Any) -> int | None:
        """Do as ``Client.publish``, with the options."""
        return self._client._started().publish(topic, args, kwargs, self._options)

    def _call_options(self) -> Mapping[str, Any]:
        """The options of CALL, which has a second one beside ``rkey``."""
        if "rkey" in self._options:
            return {"runmode": "partition", **self._options}
        return self._options

    def __repr__(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in self._options.items())
        return f"<{self._client.name} with {given}>"


class RpcProxy:
    """Calls procedures by attribute or by key.

    ``client.rpc.com.shop.order(3)`` and ``client.rpc["com.shop.order"](3)`` are the same call.
    """

    __slots__ = ("_client", "_options")

    def __init__(self, client: Requests, options: Mapping[str, Any] | None = None) -> None:
        self._client = client
        self._options = options

    def __getattr__(self, name: str) -> RemoteProcedure:
        name = checked(name, self)
        return RemoteProcedure(self._client, name, self._options)

    def __getitem__(self, uri: str) -> RemoteProcedure:
        return RemoteProcedure(self._client, uri, self._options)

    def __dir__(self) -> list[str]:
        """What a shell completes: how the URIs of what is registered begin."""
        from wampy import directory

        return directory.next_names(directory.procedures(self._client))

    def _ipython_key_completions_(self) -> list[str]:
        """What IPython completes between the brackets."""
        from wampy import directory

        return directory.procedures(self._client)

    def __repr__(self) -> str:
        return f"<RpcProxy of {self._client.name}>"


class _ToldByTheRouter:
    """An attribute that the router is asked for; what the class itself says of it is ``own``."""

    def __init__(self, tell: Callable[[RemoteProcedure], Any], own: str | None = None) -> None:
        self._tell = tell
        self._own = own

    def __get__(self, procedure: RemoteProcedure | None, owner: type) -> Any:
        return self._own if procedure is None else self._tell(procedure)


def _told_document(procedure: RemoteProcedure) -> str | None:
    from wampy import directory

    description = directory.description_of(procedure._client, procedure._uri)
    return directory.document_of(procedure._uri, description)


def _told_signature(procedure: RemoteProcedure) -> Signature | None:
    from wampy import directory

    return directory.signature_of(directory.description_of(procedure._client, procedure._uri))


class RemoteProcedure:  # noqa: D101
    # What the router knows of the procedure, for ``help`` and for shells that show how to call it.
    __doc__ = cast(
        Any,
        _ToldByTheRouter(
            _told_document,
            "One procedure; an attribute of it is the procedure with the longer URI.",
        ),
    )
    __signature__: Any = _ToldByTheRouter(_told_signature)

    __slots__ = ("_client", "_options", "_uri")

    def __init__(
        self, client: Requests, uri: str, options: Mapping[str, Any] | None = None
    ) -> None:
        self._client = client
        self._uri = uri
        self._options = options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the procedure and return its result."""
        return self._client._call(self._uri, args, kwargs, self._options)

    def progressive(self, *args: Any, **kwargs: Any) -> ProgressiveCall:
        """Call the procedure for a result in parts; see ``Client.call_progressive``.

        A procedure whose URI ends in ``.progressive`` is reached by its key: ``rpc[uri]``.
        """
        return self._client._call_progressive(self._uri, args, kwargs, self._options)

    def __getattr__(self, name: str) -> RemoteProcedure:
        name = checked(name, self)
        return RemoteProcedure(self._client, f"{self._uri}.{name}", self._options)

    def __dir__(self) -> list[str]:
        """What a shell completes: the next components of longer URIs."""
        from wampy import directory

        longer = directory.next_names(directory.procedures(self._client), self._uri)
        return ["progressive", *longer]

    def __repr__(self) -> str:
        return f"<RemoteProcedure {self._uri}>"


def checked(name: str, owner: object) -> str:
    """Refuse the names that shells, copiers and debuggers probe for; keys reach all others."""
    if name.startswith("_"):
        # Also while a copy is made, which has nothing yet: so it does not show itself.
        kind = type(owner).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}; try [{name!r}]")
    return name
