"""End-to-end encryption: keys that two clients share and the router never sees.

>>> import wampy
>>> wampy.DataKey(bytes(32), id="2026")
DataKey(id='2026')

``Client(keys=[key])`` opens what others have encrypted with the key, and
``client.with_options(encrypt=key)`` encrypts calls and events. Topics, procedures and the URIs of
errors stay readable, because the router goes by them.

What is absent: the ciphers, which the Rust client has, and how clients come to have the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wampy import _wampy
from wampy.errors import ConfigurationError
from wampy.options import options_named

__all__ = ["DataKey"]

KEY_BYTES = 32


class DataKey:
    """A secret of 32 bytes, and what it is called.

    Args:
        secret: the 32 bytes, or 64 hexadecimal digits.
        id: the name by which the other side finds the key; made from the secret unless given.
    """

    @options_named
    def __init__(self, secret: bytes | str, id: str | None = None) -> None:
        if not isinstance(secret, (bytes, bytearray, memoryview, str)):
            # A number would be as many zeros.
            raise ConfigurationError("a key must be bytes or hexadecimal digits")
        try:
            self.secret: bytes = bytes.fromhex(secret) if isinstance(secret, str) else bytes(secret)
        except ValueError:
            raise ConfigurationError("a key must be bytes or hexadecimal digits") from None
        if len(self.secret) != KEY_BYTES:
            raise ConfigurationError(f"a key has {KEY_BYTES} bytes, not {len(self.secret)}")
        if id is not None and (not isinstance(id, str) or not id):
            raise ConfigurationError(f"the id of a key must be a string, not {id!r}")
        self.id: str = _wampy.key_id(self.secret) if id is None else id

    @classmethod
    def generate(cls, id: str | None = None) -> DataKey:
        """Draw a new key at random."""
        import secrets

        return cls(secrets.token_bytes(KEY_BYTES), id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DataKey):
            return NotImplemented
        import hmac

        return self.id == other.id and hmac.compare_digest(self.secret, other.secret)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        # A key must not be written into logs.
        return f"DataKey(id={self.id!r})"


def named_key(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the key that is to encrypt by its name; ``None`` is none."""
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"options must be a dictionary, not {options!r}")
    named = dict(options)
    key = named.pop("encrypt", None)
    if isinstance(key, DataKey):
        key = key.id
    if key is None:
        return named
    if not isinstance(key, str):
        raise ConfigurationError(f"encrypt must be a DataKey or the id of one, not {key!r}")
    named["encrypt"] = key
    return named
