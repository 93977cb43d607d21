"""Whether the router is told of a handler, and what.

What is absent: how annotations are read, see ``wampy.reflection``, which is loaded only where a
router asks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wampy import _wampy

__all__ = ["description_for"]

logger: logging.Logger = logging.getLogger("wampy.session")


def description_for(
    wire: _wampy.Session | _wampy.AioSession,
    uri: str,
    handler: Callable[..., Any],
    kind: str,
    options: Mapping[str, Any],
    ours: Sequence[str],
) -> dict[str, Any] | None:
    """The definition of ``handler``; None if the router asks for none, or there is none.

    Args:
        wire: the connection to the router.
        uri: the procedure or topic.
        handler: the function.
        kind: ``procedure`` or ``topic``.
        options: what it is registered or subscribed with.
        ours: the keywords that this package gives the handler, and no caller.
    """
    role = "dealer" if kind == "procedure" else "broker"
    if uri.startswith("wamp.") or not wire.router_has(role, "reflection"):
        return None
    from wampy.reflection import definition_of

    try:
        return definition_of(handler, kind, options.get("match", "exact"), ours)
    except Exception:
        # Whatever stands in annotations, the procedure works without.
        logger.exception("%s cannot be described", uri)
        return None
