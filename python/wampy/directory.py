"""What a shell wants to know of remote procedures: which there are, and how one is called.

It is asked for when somebody completes or wants help, and says nothing rather than fail, or what it
has got when the time for it is up. What is absent: caching. The router knows what is registered at
this moment.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wampy.constants import COMPLETION_TIMEOUT, COMPLETIONS_MAX
from wampy.errors import Error, WampyTimeOutError

if TYPE_CHECKING:
    from wampy.peers.requests import Requests

__all__ = ["description_of", "document_of", "next_names", "procedures", "signature_of"]

logger: logging.Logger = logging.getLogger("wampy.directory")

_TYPES = {
    "integer": int,
    "number": float,
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": None,
}


class _Patience:
    """The time for all that one completion asks the router."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + COMPLETION_TIMEOUT

    def left_ms(self) -> int:
        """What is left of it, in milliseconds; 0 when it is up."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def procedures(client: Requests) -> list[str]:
    """The URIs of the procedures that can be called now; none if the client is not connected.

    Where the router has no reflection they are asked for one by one: at most ``COMPLETIONS_MAX``,
    and as many as ``COMPLETION_TIMEOUT`` allows.
    """
    found: list[str] = []
    try:
        session = client.session
        if session is None or not session.is_open:
            return []
        patience = _Patience()
        if session.router_has("dealer", "reflection"):
            return list(_ask(client, patience, "wamp.reflection.procedure.list")["exact"])
        ids = _ask(client, patience, "wamp.registration.list")["exact"][:COMPLETIONS_MAX]
        for one in ids:
            # One that has gone meanwhile is none to complete.
            with contextlib.suppress(Error):
                found.append(_ask(client, patience, "wamp.registration.get", one)["uri"])
    except Exception as error:
        logger.debug("the router does not tell its procedures: %s", error)
    return sorted(found)


def next_names(uris: list[str], prefix: str = "") -> list[str]:
    """What may follow ``prefix`` as attributes: the next components of those that begin with it."""
    start = f"{prefix}." if prefix else ""
    following = {uri[len(start) :].partition(".")[0] for uri in uris if uri.startswith(start)}
    return sorted(name for name in following if name.isidentifier() and not name.startswith("_"))


def description_of(client: Requests, uri: str) -> Mapping[str, Any]:
    """What the router knows of a procedure; nothing if it does not tell."""
    try:
        session = client.session
        if session is None or not session.is_open:
            return {}
        return _ask(client, _Patience(), "wamp.reflection.procedure.describe", uri) or {}
    except Exception as error:
        logger.debug("the router does not describe %s: %s", uri, error)
        return {}


def signature_of(description: Mapping[str, Any]) -> inspect.Signature | None:
    """How a procedure is called, as far as its definition says; None if it does not."""
    args, kwargs = description.get("args"), description.get("kwargs", {})
    try:
        if args is None:
            return None
        parameters = _positional(args) + _by_keyword(kwargs)
        returned = _annotation(description.get("result", {}))
        return inspect.Signature(parameters, return_annotation=returned)
    except Exception as error:
        # Anybody may define anything.
        logger.debug("%s is defined in a way that is no signature: %s", description, error)
        return None


def document_of(uri: str, description: Mapping[str, Any]) -> str | None:
    """What ``help`` shows of a procedure; None if the router knows nothing of it."""
    signature = signature_of(description)
    doc = description.get("doc")
    if signature is None and not isinstance(doc, str):
        return None
    head = uri if signature is None else f"{uri}{signature}"
    return f"{head}\n\n{doc}" if isinstance(doc, str) else head


def _ask(client: Requests, patience: _Patience, procedure: str, *args: Any) -> Any:
    """Call a meta procedure, with the patience that is left."""
    left_ms = patience.left_ms()
    if left_ms == 0:
        raise WampyTimeOutError(f"no time is left to ask {procedure}")
    return client._call(procedure, args, {}, {"timeout": left_ms})


def _positional(args: Mapping[str, Any]) -> list[inspect.Parameter]:
    schemas = args.get("prefixItems", [])
    required = args.get("minItems", 0)
    parameters = []
    for index, schema in enumerate(schemas):
        name = schema.get("title", f"arg{index}")
        default = inspect.Parameter.empty
        if index >= required:
            default = schema.get("default", ...)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(_parameter(name, kind, default, schema))
    if args.get("items", True) is not False:
        parameters.append(inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL))
    return parameters


def _by_keyword(kwargs: Mapping[str, Any]) -> list[inspect.Parameter]:
    required = kwargs.get("required", ())
    parameters = []
    for name, schema in kwargs.get("properties", {}).items():
        default = inspect.Parameter.empty if name in required else schema.get("default", ...)
        parameters.append(_parameter(name, inspect.Parameter.KEYWORD_ONLY, default, schema))
    # A schema that names none is that of a function which takes any.
    if kwargs and kwargs.get("additionalProperties", not parameters) is not False:
        parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
    return parameters


def _parameter(name: str, kind: Any, default: Any, schema: Mapping[str, Any]) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=default, annotation=_annotation(schema))


def _annotation(schema: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return _TYPES.get(str(kind), inspect.Signature.empty)
