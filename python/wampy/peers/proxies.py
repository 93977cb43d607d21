"""Clients of one function: ``CalleeProxy`` and ``TopicSubscriber`` of wampy 0.7 to 0.9.

What is absent: anything that ``Client.register`` and ``Client.subscribe`` do not do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wampy.peers.clients import Client

__all__ = ["CalleeProxy", "TopicSubscriber"]


class CalleeProxy(Client):
    """Offers several procedures, all of which run one function.

    Args:
        procedure_names: the URIs of the procedures.
        callback: what to run, with the arguments of the call.
        router: a router or its URL; see ``Client``.
        options: further arguments of ``Client``.
    """

    def __init__(
        self,
        procedure_names: Iterable[str],
        callback: Callable[..., Any],
        router: Any = None,
        **options: Any,
    ) -> None:
        self.procedure_names: list[str] = list(procedure_names)
        self.callback = callback
        super().__init__(router=router, **options)

    def _register_roles(self) -> None:
        for name in self.procedure_names:
            self._session.register(name, self.callback)
        super()._register_roles()


class TopicSubscriber(Client):
    """Gives the events of several topics to one function.

    Args:
        topics: the topics.
        callback: what gets the events; with a keyword ``meta``, if it takes one.
        router: a router or its URL; see ``Client``.
        options: further arguments of ``Client``.
    """

    def __init__(
        self,
        topics: Iterable[str],
        callback: Callable[..., Any],
        router: Any = None,
        **options: Any,
    ) -> None:
        self.topics: list[str] = list(topics)
        self.callback = callback
        super().__init__(router=router, **options)

    def _register_roles(self) -> None:
        for topic in self.topics:
            self._session.subscribe(topic, self.callback)
        super()._register_roles()
