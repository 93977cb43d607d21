"""What the environment says: ``WAMPY_ASYNC_NAME`` and the heartbeat of WebSockets.

It is read when this module is imported. What is absent: the secret of a client, which
``wampy.auth`` reads when a session begins.
"""

from __future__ import annotations

import os
import sys

from wampy.constants import (
    DEFAULT_HEARTBEAT_SECONDS,
    DEFAULT_HEARTBEAT_TIMEOUT_SECONDS,
    EVENT_LOOP_BACKENDS,
    EVENTLET,
    GEVENT,
    THREADS,
)
from wampy.errors import ConfigurationError

__all__ = ["async_name", "heartbeat", "heartbeat_timeout"]


def _async_name() -> str:
    """What the program runs on: as the environment says, else whatever has patched the process."""
    given = os.environ.get("WAMPY_ASYNC_NAME")
    if given:
        if given not in (*EVENT_LOOP_BACKENDS, THREADS):
            known = ", ".join((*EVENT_LOOP_BACKENDS, THREADS))
            raise ConfigurationError(f"WAMPY_ASYNC_NAME must be one of {known}, not {given!r}")
        return given
    # Whoever has patched the process has imported these; nobody else shall pay for them.
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("socket"):
        return GEVENT
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("socket"):
        return EVENTLET
    return THREADS


def _seconds(variable: str, default: float) -> float:
    given = os.environ.get(variable)
    if not given:
        return default
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ConfigurationError(f"{variable} must be a number of seconds, not {given!r}")
    return seconds


#: ``gevent``, ``eventlet`` or ``threads``
async_name: str = _async_name()

#: after how many silent seconds a client pings the router; 0: as it does by default
heartbeat: float = _seconds("WEBSOCKET_HEARTBEAT", DEFAULT_HEARTBEAT_SECONDS)

#: how many seconds the router has for its pong
heartbeat_timeout: float = _seconds("HEARTBEAT_TIMEOUT_SECONDS", DEFAULT_HEARTBEAT_TIMEOUT_SECONDS)
