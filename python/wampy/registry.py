"""Which procedures of this process are registered with routers at this moment.

What is absent: procedures of other processes. ``client.rpc`` does not look here; it asks the
router, which knows all of them.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import MutableMapping
from typing import Any

_lock = threading.Lock()


class Registry:
    """The registrations of all clients of this process."""

    #: ``{registration_id: (class, method name)}``
    registration_map: dict[int, tuple[type[Any], str]] = {}  # noqa: RUF012
    #: ``{client name: client}`` of all started clients that somebody still holds
    client_registry: MutableMapping[str, Any] = weakref.WeakValueDictionary()  # noqa: RUF012

    @classmethod
    def clear(cls) -> None:
        """Forget everything; the registrations themselves stay as they are."""
        with _lock:
            cls.registration_map.clear()
            cls.client_registry.clear()

    @classmethod
    def add(cls, registration_id: int, owner: type[Any], method: str) -> None:
        """Remember a registration."""
        with _lock:
            cls.registration_map[registration_id] = (owner, method)

    @classmethod
    def remove(cls, registration_id: int) -> None:
        """Forget a registration."""
        with _lock:
            cls.registration_map.pop(registration_id, None)


def get_client_registry() -> MutableMapping[str, Any]:
    """Return ``{client name: client}`` of all started clients."""
    return Registry.client_registry


def get_registered_entrypoints() -> dict[int, tuple[type[Any], str]]:
    """Return ``{registration_id: (class, method name)}`` of all procedures of this process."""
    return Registry.registration_map


def get_registered_entrypoint_names() -> list[str]:
    """Return the method names of all procedures of this process."""
    return [method for _, method in Registry.registration_map.values()]
