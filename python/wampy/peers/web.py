"""The clients of wampy 0.3 to 0.5, with methods for the router's meta API.

What is absent: anything that ``client.rpc.wamp...`` does not do as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wampy.constants import DEFAULT_HOST, DEFAULT_PORT, DEFAULT_REALM, DEFAULT_ROLES
from wampy.peers.clients import Client
from wampy.roles.callee import callee

__all__ = ["DefaultClient", "ServiceClient", "WebApplication", "WebClient"]

#: How many clients ``collect_client_meta_data`` asks.
MAX_META_COLLECTION_SIZE = 100


class DefaultClient(Client):
    """A client with the router's meta API as methods."""

    def get_subscription_info(self, subscription_id: int) -> Any:
        """What the router knows of a subscription."""
        return self.call("wamp.subscription.get", subscription_id)

    def get_subscription_list(self) -> Any:
        """The ids of all subscriptions, by their match policies."""
        return self.call("wamp.subscription.list")

    def get_subscription_lookup(self, topic: str) -> Any:
        """The id of the subscription to ``topic``, None if there is none."""
        return self.call("wamp.subscription.lookup", topic)

    def get_subscription_match(self, topic: str) -> Any:
        """The ids of the subscriptions that match ``topic``."""
        return self.call("wamp.subscription.match", topic)

    def list_subscribers(self, subscription_id: int) -> Any:
        """The session ids of a subscription's subscribers."""
        return self.call("wamp.subscription.list_subscribers", subscription_id)

    def count_subscribers(self, subscription_id: int) -> Any:
        """How many subscribers a subscription has."""
        return self.call("wamp.subscription.count_subscribers", subscription_id)

    def get_registration_list(self) -> Any:
        """The ids of all registrations, by their match policies."""
        return self.call("wamp.registration.list")

    def get_registration_lookup(self, procedure_name: str) -> Any:
        """The id of the registration of a procedure, None if there is none."""
        return self.call("wamp.registration.lookup", procedure_name)

    def get_registration_match(self, procedure_name: str) -> Any:
        """The id of the registration that a call of the procedure goes to."""
        return self.call("wamp.registration.match", procedure_name)

    def get_registration(self, registration_id: int) -> Any:
        """What the router knows of a registration."""
        return self.call("wamp.registration.get", registration_id)

    def list_callees(self, registration_id: int) -> Any:
        """The session ids of a registration's callees."""
        return self.call("wamp.registration.list_callees", registration_id)

    def count_callees(self, registration_id: int) -> Any:
        """How many callees a registration has."""
        return self.call("wamp.registration.count_callees", registration_id)


class ServiceClient(DefaultClient):
    """A client that says what it offers: the procedure ``get_meta``, shared by all of them."""

    @callee(invocation_policy="roundrobin")
    def get_meta(self) -> dict[str, Any]:
        """The client's name and session id, and its topics and procedures."""
        return {
            "name": self.name,
            "id": self._session.id,
            "subscriptions": sorted(topic for _, topic in self.subscription_map.values()),
            "registrations": sorted(self.registration_map.values()),
        }


class WebClient(DefaultClient):
    """A client whose router is given by host and port.

    Args:
        name: a name for logs; the class name unless given.
        host: where the router listens.
        port: the port, as a number or as text.
        realm: the realm to join.
        roles: see ``Client``.
        options: further arguments of ``Client``.
    """

    def __init__(
        self,
        name: str | None = None,
        host: str = DEFAULT_HOST,
        port: int | str = DEFAULT_PORT,
        realm: str = DEFAULT_REALM,
        roles: Mapping[str, Any] = DEFAULT_ROLES,
        **options: Any,
    ) -> None:
        from wampy.peers.routers import WampRouter

        router = WampRouter(host=host, port=port, realm=realm)
        super().__init__(name=name, realm=realm, roles=roles, router=router, **options)
        self.host = host
        self.port: int = router.port


class WebApplication(WebClient, ServiceClient):
    """A ``WebClient`` that can ask its likes what they offer."""

    def collect_client_meta_data(self) -> dict[str, dict[str, Any]]:
        """What ``get_meta`` of each client says, by the clients' names.

        The router asks them in turn; the first name that comes a second time ends it.
        """
        collection: dict[str, dict[str, Any]] = {}
        while len(collection) < MAX_META_COLLECTION_SIZE:
            meta = self.call("get_meta")
            if meta["name"] in collection:
                break
            collection[meta["name"]] = meta
        return collection
