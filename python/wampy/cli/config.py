"""Where a router is, by the file that it is configured by.

That is the TOML of ``wampy router``, or a node of Crossbar.io (JSON or YAML), of which the first
transport of the first router counts. What is absent: everything else that stands in such a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wampy import errors
from wampy.cli import exits
from wampy.cli.exits import Failure
from wampy.constants import DEFAULT_PORT

if TYPE_CHECKING:
    from wampy.router import Router

__all__ = ["place_in", "router_by"]

#: The address by which this machine reaches a router that listens on all of its own.
_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "localhost"}


def router_by(path: str) -> Router:
    """A router that is configured by the file ``path``; it is not started."""
    from wampy.router import Router

    _existing(path)
    return Router(config=path) if _is_ours(path) else Router(crossbar_config=path)


def place_in(path: str) -> tuple[str, str]:
    """The URL of the router that the file ``path`` configures, and its first realm.

    Raises:
        Failure: there is no such file, or it does not say.
    """
    _existing(path)
    if _is_ours(path):
        from wampy import _wampy

        try:
            url, realms = _wampy.Router.configured(path)
        except errors.WampyError as error:
            raise Failure(exits.USAGE, str(error)) from error
        if url is None:
            raise Failure(
                exits.USAGE, f"{path}: its first port is 0, which says nothing: use --url"
            )
        return url, realms[0]
    return _of_crossbar(path)


def _is_ours(path: str) -> bool:
    return path.endswith(".toml")


def _existing(path: str) -> str:
    if not os.path.isfile(path):
        raise Failure(exits.USAGE, f"there is no file {path}")
    return path


def _of_crossbar(path: str) -> tuple[str, str]:
    from wampy import _wampy

    try:
        node = json.loads(_wampy.read_crossbar_config(path))
    except errors.WampyError as error:
        raise Failure(exits.USAGE, f"{path} is no configuration: {error}") from error
    for worker in _maps(node, "workers"):
        for transport in _maps(worker, "transports"):
            url = _url(transport)
            if url is not None:
                realms = [realm["name"] for realm in _maps(worker, "realms") if "name" in realm]
                return url, str((realms or ["realm1"])[0])
    raise Failure(exits.USAGE, f"{path}: no worker has a transport for clients: use --url")


def _maps(owner: object, key: str) -> Iterator[Mapping[str, Any]]:
    """The dictionaries of a list in a dictionary, as far as there are such."""
    found = owner.get(key) if isinstance(owner, Mapping) else None
    return (
        item for item in (found if isinstance(found, list) else []) if isinstance(item, Mapping)
    )


def _url(transport: Mapping[str, Any]) -> str | None:
    """The URL of a transport; None if it is not for clients."""
    endpoint = transport.get("endpoint")
    kind = transport.get("type")
    if not isinstance(endpoint, Mapping) or kind not in {
        "websocket",
        "universal",
        "web",
        "rawsocket",
    }:
        return None
    if endpoint.get("type") == "unix":
        return f"unix://{endpoint.get('path')}"
    scheme = "rs" if kind == "rawsocket" else "ws"
    if endpoint.get("tls"):
        scheme = {"rs": "rss", "ws": "wss"}[scheme]
    host = str(endpoint.get("interface", ""))
    host = _REACHABLE.get(host, host)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{endpoint.get('port', DEFAULT_PORT)}{_path(transport)}"


def _path(transport: Mapping[str, Any]) -> str:
    """The path of the first WebSocket below a web transport."""
    paths = transport.get("paths")
    for path, service in (paths if isinstance(paths, Mapping) else {}).items():
        if isinstance(service, Mapping) and service.get("type") == "websocket":
            return "/" + str(path).strip("/")
    return ""
