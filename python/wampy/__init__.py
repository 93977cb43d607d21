"""WAMP for Python: call procedures, publish events, and offer both to others.

>>> import wampy
>>> with wampy.Router() as router:
...     with wampy.Client(router=router) as client:
...         client.session.realm
'realm1'

The names below load on first use, so that ``import wampy`` is fast and has no side effects.
What is absent: everything that needs a thread or a socket before somebody asks for one.
"""

from __future__ import annotations

# Type checkers take the name for true. Importing ``typing`` would cost more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wampy import aio as aio
    from wampy import auth as auth
    from wampy._wampy import CookieJar as CookieJar
    from wampy.config import configure_async as configure_async
    from wampy.config import configure_logging as configure_logging
    from wampy.config.defaults import async_name as async_name
    from wampy.conversion import convert as convert
    from wampy.definitions import define as define
    from wampy.encryption import DataKey as DataKey
    from wampy.errors import Error as Error
    from wampy.errors import WampyError as WampyError
    from wampy.errors import WampyTimeOutError as WampyTimeOutError
    from wampy.peers.clients import Client as Client
    from wampy.reconnect import Reconnect as Reconnect
    from wampy.result import Result as Result
    from wampy.roles.callee import callee as callee
    from wampy.roles.subscriber import subscribe as subscribe
    from wampy.router import Router as Router

__version__ = "2.0.0"

__all__ = [
    "Client",
    "CookieJar",
    "DataKey",
    "Error",
    "Reconnect",
    "Result",
    "Router",
    "WampyError",
    "WampyTimeOutError",
    "callee",
    "convert",
    "define",
    "subscribe",
]

_HOME = {
    "Client": "wampy.peers.clients",
    "CookieJar": "wampy._wampy",
    "DataKey": "wampy.encryption",
    "Error": "wampy.errors",
    "Reconnect": "wampy.reconnect",
    "Result": "wampy.result",
    "Router": "wampy.router",
    "WampyError": "wampy.errors",
    "WampyTimeOutError": "wampy.errors",
    "async_name": "wampy.config.defaults",
    "callee": "wampy.roles.callee",
    "configure_async": "wampy.config",
    "configure_logging": "wampy.config",
    "convert": "wampy.conversion",
    "define": "wampy.definitions",
    "subscribe": "wampy.roles.subscriber",
}


#: Modules that are there without an import of their own.
_MODULES = {"aio", "auth"}


def __getattr__(name: str) -> Any:
    if name not in _HOME and name not in _MODULES:
        raise AttributeError(f"module 'wampy' has no attribute {name!r}")
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"wampy.{name}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
