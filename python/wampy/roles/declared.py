"""The procedures and topics that a class declares by its decorators.

What is absent: registering and subscribing; the sessions do that.
"""

from __future__ import annotations

from collections.abc import Iterator

from wampy.roles.callee import procedure_of
from wampy.roles.subscriber import topic_of

__all__ = ["declared"]


def declared(cls: type) -> Iterator[tuple[str, object]]:
    """The decorated methods of a class, each name once, those of the class itself first."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for attribute, value in vars(base).items():
            # The decorator may have been applied inside or outside of @staticmethod.
            for function in (value, getattr(value, "__func__", None)):
                marked = procedure_of(function) is not None or topic_of(function) is not None
                if marked and attribute not in seen:
                    seen.add(attribute)
                    yield attribute, function
