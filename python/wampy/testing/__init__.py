"""What tests of WAMP applications need: waiting, collecting, and a pytest plugin.

The plugin is ``wampy.testing.pytest_plugin``, which pytest finds by itself. The names below load on
first use, so that a test suite that does not use them pays nothing. What is absent: a router for
tests, which is ``wampy.Router``.
"""

from __future__ import annotations

# Type checkers take the name for true, as in ``wampy`` itself.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wampy.testing.helpers import CollectingMessageHandler as CollectingMessageHandler
    from wampy.testing.helpers import assert_stops_raising as assert_stops_raising
    from wampy.testing.helpers import wait_for_messages as wait_for_messages
    from wampy.testing.helpers import wait_for_registrations as wait_for_registrations
    from wampy.testing.helpers import wait_for_session as wait_for_session
    from wampy.testing.helpers import wait_for_subscriptions as wait_for_subscriptions

__all__ = [
    "CollectingMessageHandler",
    "assert_stops_raising",
    "wait_for_messages",
    "wait_for_registrations",
    "wait_for_session",
    "wait_for_subscriptions",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'wampy.testing' has no attribute {name!r}")
    from wampy.testing import helpers

    return getattr(helpers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
