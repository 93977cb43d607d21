"""What a client proves itself with: one class for each authentication method.

>>> import wampy
>>> wampy.auth.WampCra("joe", secret="s3cret")
WampCra(authid='joe')

Given as ``Client(auth=...)``, one or several: of several the router chooses, or it asks for two in
a row. ``roles={"authmethods": [...], "authid": ...}`` with the secret in the environment variable
``WAMPYSECRET`` does the same for ``ticket``, ``wampcra``, ``wamp-scram`` and ``cryptosign``.

What is absent: the arithmetic, which the Rust client does, and authentication by the transport:
a TLS certificate is ``Client(certificate=...)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from wampy.errors import ConfigurationError
from wampy.options import options_named

__all__ = ["Cryptosign", "Scram", "Ticket", "WampCra", "compute_wcs"]

#: The environment variable that holds the secret of clients whose ``roles`` name an authmethod.
SECRET_VARIABLE: Final = "WAMPYSECRET"


class Proof(NamedTuple):
    """What the compiled client wants to know of a method."""

    method: str
    authid: str | None
    secret: str
    key_path: str | None = None
    router_key: str | None = None
    channel_binding: bool = False


class Auth(Protocol):
    """A way to prove oneself: an object of one of the classes below."""

    def proof(self) -> Proof:
        """What the compiled client wants to know."""
        ...


@dataclass(frozen=True)
class Ticket:
    """``ticket``: the secret is sent as it is. Only over TLS, or where nobody can listen."""

    authid: str
    ticket: str = field(repr=False)

    def proof(self) -> Proof:
        """What the compiled client wants to know."""
        return Proof("ticket", self.authid, self.ticket)


@dataclass(frozen=True)
class WampCra:
    """``wampcra``: the router's challenge is signed with a shared secret, which is never sent."""

    authid: str
    secret: str = field(repr=False)

    def proof(self) -> Proof:
        """What the compiled client wants to know."""
        return Proof("wampcra", self.authid, self.secret)


@dataclass(frozen=True)
class Scram:
    """``wamp-scram``: client and router prove to each other that they know the password.

    ``channel_binding`` binds the session to its connection, which must be one by TLS 1.3.
    """

    authid: str
    password: str = field(repr=False)
    channel_binding: bool = False

    def proof(self) -> Proof:
        """What the compiled client wants to know."""
        binding = self.channel_binding
        return Proof("wamp-scram", self.authid, self.password, channel_binding=binding)


@dataclass(frozen=True)
class Cryptosign:
    """``cryptosign``: the router's challenge is signed with a private Ed25519 key.

    Args:
        key: the private key, 64 hex digits; or
        key_path: the file that holds it, as ``wampy keygen`` writes it.
        authid: who one is, where the router knows the key of several.
        router_key: the router's public key, 64 hex digits, if it has to prove itself, too.
        channel_binding: bind the session to its connection, which must be one by TLS 1.3.
    """

    key: str | None = field(default=None, repr=False)
    key_path: str | os.PathLike[str] | None = None
    authid: str | None = None
    router_key: str | None = None
    channel_binding: bool = False

    def __post_init__(self) -> None:
        if (self.key is None) == (self.key_path is None):
            raise ConfigurationError("cryptosign needs either key or key_path")

    def proof(self) -> Proof:
        """What the compiled client wants to know."""
        return Proof(
            "cryptosign",
            self.authid,
            self.key or "",
            os.fspath(self.key_path) if self.key_path is not None else None,
            self.router_key,
            self.channel_binding,
        )


def compute_wcs(key: str | bytes, challenge: str | bytes) -> bytes:
    """The signature of WAMP-CRA: the base64 of the challenge's HMAC-SHA256 under ``key``."""
    key, challenge = (text.encode() if isinstance(text, str) else text for text in (key, challenge))
    import base64
    import hashlib
    import hmac

    return base64.b64encode(hmac.new(key, challenge, hashlib.sha256).digest())


def _cryptosign(authid: str | None, secret: str) -> Cryptosign:
    return Cryptosign(key=secret, authid=authid)


#: The methods whose secret may come from the environment.
_BY_NAME: dict[str, Callable[[Any, str], Auth]] = {
    "ticket": Ticket,
    "wampcra": WampCra,
    "wamp-scram": Scram,
    "scram": Scram,
    "cryptosign": _cryptosign,
}


#: Those of them that need it for their answer to a challenge only.
_SIGN_LATER = {"ticket", "wampcra"}


def proofs(given: Auth | Sequence[Auth] | None, roles: Mapping[str, Any]) -> list[Proof]:
    """What the client can prove itself with: ``auth=``, or by ``roles`` and the environment.

    A client that offers ``anonymous`` beside other methods, ``ticket`` or ``wampcra`` needs no
    secret, unless the router asks for it.

    Raises:
        ConfigurationError: ``auth`` is something else, or a method of ``roles`` needs a secret for
            its HELLO and the environment has none.
    """
    if given is not None:
        methods = given if isinstance(given, Sequence) else [given]
        return [_proof(method) for method in methods]
    authid = roles.get("authid")
    names = [name for name in roles.get("authmethods", ()) if name in _BY_NAME]
    secret = os.environ.get(SECRET_VARIABLE)
    is_optional = "anonymous" in roles.get("authmethods", ()) or _SIGN_LATER.issuperset(names)
    if not secret and is_optional:
        return []
    if not secret:
        raise missing_secret(names)
    if authid is None and any(name != "cryptosign" for name in names):
        raise ConfigurationError(f"the authmethod {names[0]} needs an authid beside it in roles")
    return [_BY_NAME[name](authid, secret or "").proof() for name in names]


def missing_secret(methods: Sequence[str]) -> ConfigurationError:
    """The exception for methods whose secret the environment does not have."""
    return ConfigurationError(
        f"the authmethod {', '.join(methods)} needs a secret: set the environment variable "
        f"{SECRET_VARIABLE}, or give the client auth="
    )


def _proof(method: Auth) -> Proof:
    make = getattr(method, "proof", None)
    if make is None or isinstance(method, type):
        raise ConfigurationError(
            # What was given instead may be a secret.
            "auth must be made by wampy.auth.Ticket, WampCra, Scram or Cryptosign, not of the type "
            f"{type(method).__name__}"
        )
    proof: Proof = make()
    if proof.authid is not None and not (isinstance(proof.authid, str) and proof.authid):
        raise ConfigurationError(f"an authid is a text, not {proof.authid!r}")
    if not isinstance(proof.secret, str):
        raise ConfigurationError(f"the secret of {proof.method} must be a text")
    return proof


for _class in (Ticket, WampCra, Scram, Cryptosign):
    _class.__init__ = options_named(_class.__init__)  # type: ignore[method-assign]
