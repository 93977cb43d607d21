"""What the environment says, and what a program does at its beginning if it wants to.

What is absent: effects of an import. wampy 1 called both functions below when it was imported.
"""

from __future__ import annotations

import logging

from wampy.constants import EVENTLET, GEVENT

__all__ = ["configure_async", "configure_logging"]

logger: logging.Logger = logging.getLogger("wampy")


def configure_logging() -> None:
    """Send the log to stderr, from the level INFO on, unless it goes somewhere already."""
    logging.basicConfig(format="%(asctime)-15s %(levelname)s:%(message)s", level=logging.INFO)
    logger.info("logging configured")


def configure_async() -> None:
    """Monkey-patch the process as ``wampy.async_name`` says; with ``threads`` do nothing.

    Like every monkey-patching it has to come before the imports of what it changes.

    Raises:
        ImportError: ``async_name`` names a package that is not installed.
    """
    import wampy

    name = wampy.async_name
    if name == GEVENT:
        import gevent.monkey

        gevent.monkey.patch_all()
    elif name == EVENTLET:
        import eventlet

        eventlet.monkey_patch()
    else:
        return
    logger.warning("%s monkey-patched your environment", name)
