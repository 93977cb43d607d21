"""The beginning of a session, of which its message handler sees what the router says.

What is absent: the messages themselves. The Rust client sends and answers them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wampy import _wampy
from wampy.auth import missing_secret
from wampy.config.defaults import heartbeat, heartbeat_timeout
from wampy.errors import ConfigurationError, WelcomeAbortedError
from wampy.messages import Abort, Challenge, Message

if TYPE_CHECKING:
    from wampy.session import Session

__all__ = ["connect"]


def connect(session: Session, **arguments: Any) -> _wampy.Session:
    """Connect and join as ``session`` says; ``arguments`` are those of ``_wampy.Session.connect``.

    Raises:
        ConnectionError: the router cannot be reached.
        ConfigurationError: the router wants a proof for which there is no secret.
        WelcomeAbortedError: the router does not let us join.
    """
    challenges: list[list[Any]] = []
    said: list[Message] = []
    try:
        return _wampy.Session.connect(
            session.url,
            session.realm,
            heartbeat=(heartbeat, heartbeat_timeout) if heartbeat else None,
            challenges=challenges,
            **arguments,
        )
    except WelcomeAbortedError as error:
        said.append(Abort({"message": str(error)}, error.uri))
        raise
    except ConfigurationError as error:
        if challenges and not arguments["proofs"]:
            raise missing_secret([challenges[-1][1]]) from error
        raise
    finally:
        for message in [*(Challenge(*fields) for _, *fields in challenges), *said]:
            session._observe(message)
