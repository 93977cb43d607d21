"""Defaults and names that applications of both API generations import.

What is absent: anything configurable at run time. These are the values used when nobody says
otherwise; per-client choices are arguments of ``wampy.peers.Client``.
"""

from __future__ import annotations

from typing import Any, Final

DEFAULT_HOST: Final = "localhost"
DEFAULT_PORT: Final = 8080
DEFAULT_ROUTER_URL: Final = f"ws://{DEFAULT_HOST}:{DEFAULT_PORT}"
#: The same under its name of wampy 0.9.
CROSSBAR_DEFAULT: Final = DEFAULT_ROUTER_URL
DEFAULT_REALM: Final = "realm1"

#: What a client announces besides its own features; ``authmethods`` and ``authid`` belong here.
DEFAULT_ROLES: Final[dict[str, Any]] = {
    "roles": {
        "subscriber": {},
        "publisher": {},
        "callee": {"shared_registration": True},
        "caller": {"features": {"call_timeout": True}},
    },
    "authmethods": ["anonymous"],
}

#: How long a call waits for its result, in seconds, unless the client says otherwise.
DEFAULT_TIMEOUT: Final = 10
#: The longest time limit of a call, in seconds: a year. No limit is 0 or None.
TIMEOUT_MAX: Final = 366 * 24 * 3600
#: How long ``start`` waits for the connection and WELCOME, in seconds.
CONNECT_TIMEOUT: Final = 10
#: How long ``stop`` waits for the router to answer GOODBYE, in seconds.
GOODBYE_TIMEOUT: Final = 2
#: What ``stop`` gives as its reason.
CLOSE_REASON: Final = "wamp.close.close_realm"
#: How many handlers of one client may run at once, each on a thread of its own.
HANDLER_THREADS_MAX: Final = 64
#: How long a handler thread that has nothing to do stays, in seconds, beside the one that waits.
HANDLER_THREAD_IDLE: Final = 10
#: How many answers to hand-built messages wait for ``recv_message``; the oldest goes first.
ANSWERS_MAX: Final = 1024
#: How much of a traceback a callee tells that may tell it, in characters: its end.
TRACEBACK_MAX: Final = 16 * 1024
#: How long completion or help in a shell may take, with all that it asks the router, in seconds.
COMPLETION_TIMEOUT: Final = 0.5
#: How many registrations completion looks at where the router has no reflection.
COMPLETIONS_MAX: Final = 256

WEBSOCKET_VERSION: Final = 13
WEBSOCKET_SUBPROTOCOLS: Final = "wamp.2.json"
WEBSOCKET_SUCCESS_STATUS: Final = 101

CALLEE: Final = "CALLEE"
CALLER: Final = "CALLER"
DEALER: Final = "DEALER"
ROLES: Final = [CALLER, CALLEE, DEALER]
SUBSCRIBER: Final = "subscriber"

DEFAULT_HEARTBEAT_SECONDS: Final = 0
DEFAULT_HEARTBEAT_TIMEOUT_SECONDS: Final = 2

NOT_AUTHORISED: Final = "wamp.error.not_authorized"

GEVENT: Final = "gevent"
EVENTLET: Final = "eventlet"
THREADS: Final = "threads"
EVENT_LOOP_BACKENDS: Final = [EVENTLET, GEVENT]
