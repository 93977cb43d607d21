"""The beginning of a session, of which its message handler sees what the router says.

What is absent: the messages themselves. The Rust client sends and answers them.
"""

from __future__ import annotations

from typing import Any

from wampy import _wampy
from wampy.config.defaults import heartbeat, heartbeat_timeout
from wampy.delivery import Delivery
from wampy.errors import ConfigurationError, WelcomeAbortedError
from wampy.messages import Abort, Challenge, Message
from wampy.settings import Settings

__all__ = ["connect"]


def connect(
    settings: Settings, delivery: Delivery, attempt: _wampy.Attempt | None
) -> _wampy.Session:
    """Connect and join as ``settings`` say; ``attempt`` can end that early.

    Raises:
        ConnectionError: the router cannot be reached.
        ConfigurationError: the router wants a proof for which there is no secret.
        WelcomeAbortedError: the router does not let us join.
    """
    challenges: list[list[Any]] = []
    said: list[Message] = []
    if heartbeat:
        settings["heartbeat"] = heartbeat, heartbeat_timeout
    try:
        return _wampy.Session.connect(settings, challenges=challenges, attempt=attempt)
    except WelcomeAbortedError as error:
        said.append(Abort({"message": str(error)}, error.uri))
        raise
    except ConfigurationError as error:
        if challenges and not settings["proofs"]:
            from wampy.auth import missing_secret

            raise missing_secret([challenges[-1][1]]) from error
        raise
    finally:
        for message in [*(Challenge(*fields) for _, *fields in challenges), *said]:
            delivery.show(message)
