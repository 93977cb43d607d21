"""The messages of WAMP as classes, for programs that build or inspect messages by hand.

Applications rarely need them: ``client.call`` and ``client.publish`` do. What is absent: rules
about who may send what when; the session knows those.
"""

from __future__ import annotations

from wampy.messages.abort import Abort
from wampy.messages.authenticate import Authenticate
from wampy.messages.base import Message
from wampy.messages.call import Call
from wampy.messages.cancel import Cancel
from wampy.messages.challenge import Challenge
from wampy.messages.error import Error
from wampy.messages.event import Event
from wampy.messages.goodbye import Goodbye
from wampy.messages.hello import Hello
from wampy.messages.interrupt import Interrupt
from wampy.messages.invocation import Invocation
from wampy.messages.publish import Publish
from wampy.messages.published import Published
from wampy.messages.register import Register
from wampy.messages.registered import Registered
from wampy.messages.result import Result
from wampy.messages.subscribe import Subscribe
from wampy.messages.subscribed import Subscribed
from wampy.messages.unregister import Unregister
from wampy.messages.unregistered import Unregistered
from wampy.messages.unsubscribe import Unsubscribe
from wampy.messages.unsubscribed import Unsubscribed
from wampy.messages.welcome import Welcome
from wampy.messages.yield_ import Yield

#: Every message class by its code.
MESSAGE_TYPE_MAP: dict[int, type[Message]] = {
    cls.WAMP_CODE: cls
    for cls in (
        Hello,
        Welcome,
        Abort,
        Challenge,
        Authenticate,
        Goodbye,
        Error,
        Publish,
        Published,
        Subscribe,
        Subscribed,
        Unsubscribe,
        Unsubscribed,
        Event,
        Call,
        Cancel,
        Result,
        Register,
        Registered,
        Unregister,
        Unregistered,
        Invocation,
        Interrupt,
        Yield,
    )
}

__all__ = [
    "MESSAGE_TYPE_MAP",
    "Abort",
    "Authenticate",
    "Call",
    "Cancel",
    "Challenge",
    "Error",
    "Event",
    "Goodbye",
    "Hello",
    "Interrupt",
    "Invocation",
    "Message",
    "Publish",
    "Published",
    "Register",
    "Registered",
    "Result",
    "Subscribe",
    "Subscribed",
    "Unregister",
    "Unregistered",
    "Unsubscribe",
    "Unsubscribed",
    "Welcome",
    "Yield",
]
