"""How a program waits: with gevent, with eventlet, or with threads.

``async_adapter`` is the one for ``wampy.config.defaults.async_name``, made on first use. What is
absent: any use of it by clients and sessions.
"""

from __future__ import annotations

from wampy.backends.adapter import Adapter
from wampy.config.defaults import async_name
from wampy.constants import EVENTLET, GEVENT, THREADS
from wampy.errors import ConfigurationError

__all__ = ["async_adapter", "get_async_adapter"]

async_adapter: Adapter


def get_async_adapter() -> Adapter:
    """A new adapter.

    Raises:
        ConfigurationError: there is none of that name.
        ImportError: its package is not installed.
    """
    if async_name == GEVENT:
        from wampy.backends.gevent_ import Gevent

        return Gevent()
    if async_name == EVENTLET:
        from wampy.backends.eventlet_ import Eventlet

        return Eventlet()
    if async_name == THREADS:
        from wampy.backends.threads import Threads

        return Threads()
    raise ConfigurationError(f"{async_name!r} is none of gevent, eventlet and threads")


def __getattr__(name: str) -> Adapter:
    if name != "async_adapter":
        raise AttributeError(f"module 'wampy.backends' has no attribute {name!r}")
    made = globals()[name] = get_async_adapter()
    return made
