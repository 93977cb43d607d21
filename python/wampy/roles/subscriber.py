"""``@subscribe``: the method gets the events of a topic.

What is absent: the subscription, which happens when a client of the class starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wampy.callable_module import make_callable
from wampy.errors import ConfigurationError
from wampy.options import options_named
from wampy.roles.callee import check_match

__all__ = ["accepts_meta", "subscribe", "topic_of"]

_F = TypeVar("_F", bound=Callable[..., Any])


@options_named
def subscribe(
    topic: str | None = None,
    *,
    match: str = "exact",
    get_retained: bool = False,
    nkey: str | None = None,
) -> Callable[[_F], _F]:
    """Call the method for every event of ``topic``.

    The method gets what was published, positional and by keyword. If it takes a keyword ``meta``
    (or ``**kwargs``), it also gets a dictionary there: ``topic``, ``subscription_id`` and, as far
    as the router tells, ``publisher``, ``publisher_authid``, ``publisher_authrole``,
    ``trustlevel`` and ``retained``.

    Args:
        topic: the topic, or the pattern of topics.
        match: how the topic matches: ``exact``, ``prefix`` or ``wildcard``.
        get_retained: whether events that the router has kept come first.
        nkey: the key of this subscriber among those that share the topic (sharded subscription).

    Raises:
        ConfigurationError: there is no topic, or ``match`` is none of these.
    """
    if not isinstance(topic, str) or not topic:
        raise ConfigurationError('subscriber missing ``topic``: write @subscribe(topic="...")')
    options = subscribe_options(match, get_retained, nkey)

    def decorate(method: _F) -> _F:
        if not callable(method):
            raise ConfigurationError(f"@subscribe needs a function, not {method!r}")
        marked: Any = method
        marked.subscriber = True
        marked.topic = topic
        marked._wampy_subscribe_options = options
        marked.handler = method
        return method

    return decorate


def topic_of(function: object) -> str | None:
    """The topic that ``function`` wants the events of, if any."""
    if getattr(function, "subscriber", False) is not True:
        return None
    topic = getattr(function, "topic", None)
    return topic if isinstance(topic, str) else None


def subscribe_options(match: str, get_retained: bool, nkey: str | None) -> dict[str, Any]:
    """The options of SUBSCRIBE that differ from their defaults."""
    check_match(match)
    asked = {
        "match": match if match != "exact" else None,
        "get_retained": get_retained,
        "nkey": nkey,
    }
    return {key: value for key, value in asked.items() if value}


def options_of(function: object) -> dict[str, Any]:
    """The options of SUBSCRIBE that ``function`` wants."""
    return dict(getattr(function, "_wampy_subscribe_options", ()))


def accepts_meta(handler: Callable[..., Any]) -> bool:
    """Whether ``handler`` can be called with a keyword ``meta``."""
    import inspect

    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return False
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD
        or (parameter.name == "meta" and parameter.kind in by_keyword)
        for parameter in parameters
    )


def __getattr__(name: str) -> Any:
    if name != "TopicSubscriber":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wampy.peers.proxies import TopicSubscriber

    return TopicSubscriber


make_callable(__name__, "subscribe")
