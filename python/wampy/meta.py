"""The router's own procedures, as far as clients have methods for them.

What is absent: calling them; clients on threads and sessions on an event loop do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wampy.errors import ConfigurationError, Error
from wampy.options import check_options_of_publish, refuse_unknown

__all__ = ["describe", "events_of", "no_subscription", "testament"]

#: takes a testament
ADD_TESTAMENT = "wamp.session.add_testament"
#: forgets the testaments of a scope
FLUSH_TESTAMENTS = "wamp.session.flush_testaments"
#: the events that the router has kept
GET_EVENTS = "wamp.subscription.get_events"
#: the id of the subscription to a topic
LOOKUP_SUBSCRIPTION = "wamp.subscription.lookup"

#: When testaments are published.
_SCOPES = ("destroyed", "detached")

#: What can be described.
_KINDS = ("procedure", "topic", "error")

#: How the events of a history can be chosen, beside ``match``.
_FILTERS = (
    "limit",
    "reverse",
    "topic",
    "from_time",
    "after_time",
    "before_time",
    "until_time",
    "from_publication",
    "after_publication",
    "before_publication",
    "until_publication",
)


def testament(
    topic: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    scope: str,
    options: Mapping[str, Any] | None,
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """What ``ADD_TESTAMENT`` is called with: positional and keyword arguments."""
    scope, how = of_testament(scope, options)
    return (topic, list(args), kwargs), {"scope": scope, "publish_options": how}


def of_testament(scope: str, options: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """When a testament is published, and how.

    Raises:
        ConfigurationError: there is no such scope or option, or the testament would have to be
            encrypted, which only publishing does.
    """
    check_scope(scope)
    check_options_of_publish(options)
    if options and options.get("encrypt") is not None:
        raise ConfigurationError("a testament cannot be encrypted: the router publishes it")
    return scope, dict(options or {})


def check_scope(scope: str) -> None:
    """Refuse what is no scope of testaments."""
    if scope not in _SCOPES:
        raise ConfigurationError(f"scope must be one of {', '.join(_SCOPES)}, not {scope!r}")


def given(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that ``GET_EVENTS`` is told; None is none.

    Raises:
        UnknownOptionError: there is no such filter.
    """
    refuse_unknown("history", filters, ("match", *_FILTERS))
    return {key: value for key, value in filters.items() if value is not None}


def events_of(result: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The events that ``GET_EVENTS`` has found, all with the same keys."""
    return [{"args": [], "kwargs": {}, **event} for event in result]


def no_subscription(topic: str) -> Error:
    """The exception for a topic that nobody is subscribed to."""
    return Error("wamp.error.no_such_subscription", topic)


def describe(kind: str, match: str | None) -> tuple[str, dict[str, str]]:
    """What describes a procedure, a topic or an error, and its keyword arguments.

    Raises:
        ConfigurationError: ``kind`` is none of these.
    """
    if kind not in _KINDS:
        raise ConfigurationError(f"kind must be one of {', '.join(_KINDS)}, not {kind!r}")
    how = {} if match is None else {"match": match}
    return f"wamp.reflection.{kind}.describe", how
