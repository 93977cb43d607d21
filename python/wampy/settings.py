"""What a client is told: whether it makes sense, and how the compiled part is to know of it.

The clients of threads and the sessions of an event loop are told the same by the same names. What
is absent: what only one of the two has.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from wampy._wampy import CookieJar
from wampy.constants import CONNECT_TIMEOUT, GOODBYE_TIMEOUT, TIMEOUT_MAX
from wampy.encryption import DataKey
from wampy.errors import ConfigurationError

if TYPE_CHECKING:
    from wampy.auth import Auth, Proof

__all__ = ["Access", "Settings", "check_target", "check_timeout"]


StrPath: TypeAlias = "str | os.PathLike[str]"
#: the files of a certificate and of its private key
Certificate: TypeAlias = tuple[StrPath, StrPath]


class Settings(TypedDict):
    """What to connect to, and as whom; the compiled part reads it by these names."""

    url: str
    realm: str
    #: how long connecting and joining may take together, in seconds
    timeout: float
    #: how long to wait for the router's goodbye, in seconds
    close_timeout: float
    authmethods: list[str]
    authid: str | None
    proofs: list[Proof]
    #: the files of the client's certificate and of its private key
    certificate: tuple[str, str] | None
    #: a file of the authorities that may have signed the router's certificate
    ca_path: str | None
    ip_version: int | None
    keys: list[DataKey]
    cipher: str | None
    batched: bool
    cookies: CookieJar | None
    #: after how many silent seconds to ping, and how many to wait for the pong
    heartbeat: tuple[float, float] | None
    #: shortest and longest delay, most attempts, and whether also for the first connection
    reconnect: tuple[float, float, int | None, bool] | None


class Access:
    """As whom a client connects, and by what means; the arguments are those of ``wampy.Client``.

    Raises:
        ConfigurationError: an argument makes no sense.
    """

    __slots__ = (
        "auth",
        "batched",
        "cert_path",
        "certificate",
        "cipher",
        "cookies",
        "ipv",
        "keys",
        "roles",
    )

    def __init__(
        self,
        *,
        roles: Mapping[str, Any],
        auth: Auth | Sequence[Auth] | None = None,
        certificate: Certificate | None = None,
        cert_path: StrPath | None = None,
        ipv: int | None = None,
        keys: Sequence[DataKey] = (),
        cipher: str | None = None,
        batched: bool = False,
        cookies: bool | CookieJar = False,
    ) -> None:
        if ipv not in (None, 4, 6):
            raise ConfigurationError(f"ipv must be 4 or 6, not {ipv!r}")
        if not isinstance(roles, Mapping):
            raise ConfigurationError(f"roles must be a dictionary, not {roles!r}")
        _check_files(certificate, cert_path)
        if not isinstance(keys, Sequence) or not all(isinstance(key, DataKey) for key in keys):
            # What was given instead may be a secret.
            raise ConfigurationError("keys must be a list of wampy.DataKey")
        self.roles: Mapping[str, Any] = roles
        self.auth: Auth | Sequence[Auth] | None = auth
        self.certificate: Certificate | None = certificate
        self.cert_path: StrPath | None = cert_path
        self.ipv: int | None = ipv
        self.keys: Sequence[DataKey] = keys
        self.cipher: str | None = cipher
        self.batched: bool = batched
        self.cookies: CookieJar | None = _jar_of(cookies)

    def settings(
        self,
        url: str,
        realm: str,
        *,
        heartbeat: tuple[float, float] | None = None,
        reconnect: tuple[float, float, int | None, bool] | None = None,
    ) -> Settings:
        """The same for the compiled part, with what to connect to.

        Raises:
            ConfigurationError: ``auth`` proves nothing, or a secret is missing.
        """
        auth, certificate, roles = self.auth, self.certificate, self.roles
        proven_by: list[Proof] = []
        # Most clients prove nothing, and their programs need not load what does.
        if auth is not None or set(roles.get("authmethods", ())) - {"anonymous"}:
            from wampy.auth import proofs

            proven_by = proofs(auth, roles)
        # Whoever has something to prove offers the methods that it proves itself by.
        methods = [] if auth or certificate else list(roles.get("authmethods", ()))
        if self.cookies is not None and methods == ["anonymous"]:
            # Nobody in particular, or who the cookie says.
            methods = []
        return {
            "url": url,
            "realm": realm,
            "timeout": CONNECT_TIMEOUT,
            "close_timeout": GOODBYE_TIMEOUT,
            "authmethods": methods,
            "authid": roles.get("authid"),
            "proofs": proven_by,
            "certificate": certificate and (os.fspath(certificate[0]), os.fspath(certificate[1])),
            "ca_path": None if self.cert_path is None else os.fspath(self.cert_path),
            "ip_version": self.ipv,
            "keys": list(self.keys),
            "cipher": self.cipher,
            "batched": self.batched,
            "cookies": self.cookies,
            "heartbeat": heartbeat,
            "reconnect": reconnect,
        }


def check_target(url: str | None, router: Any, realm: str | None) -> None:
    """Refuse what cannot be connected to, before anything is sent."""
    if url is not None and router is not None:
        raise ConfigurationError("give a client either url or router, not both")
    if realm is not None and (not isinstance(realm, str) or not realm):
        raise ConfigurationError(f"a realm must have a name, not {realm!r}")


def _check_files(certificate: Certificate | None, cert_path: StrPath | None) -> None:
    is_pair = isinstance(certificate, (tuple, list)) and len(certificate) == 2
    if certificate is not None and not (is_pair and all(map(_is_path, certificate))):
        raise ConfigurationError(
            f"certificate must be two files, of the certificate and of its key, not {certificate!r}"
        )
    if cert_path is not None and not _is_path(cert_path):
        raise ConfigurationError(f"cert_path must be a file, not {cert_path!r}")


def _is_path(value: object) -> bool:
    return isinstance(value, (str, os.PathLike))


def check_timeout(seconds: float | None) -> None:
    """Refuse what is no time limit for calls."""
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if seconds is not None and not (number and 0 <= seconds <= TIMEOUT_MAX):
        raise ConfigurationError(
            f"call_timeout must be a number of seconds from 0 to {TIMEOUT_MAX}, not {seconds!r}"
        )


def _jar_of(cookies: bool | CookieJar) -> CookieJar | None:
    """The jar that a client keeps cookies in, if it keeps any."""
    if isinstance(cookies, bool):
        return CookieJar() if cookies else None
    if not isinstance(cookies, CookieJar):
        raise ConfigurationError(f"cookies must be a bool or a wampy.CookieJar, not {cookies!r}")
    return cookies
