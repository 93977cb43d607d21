"""``ParseUrlMixin``: the parts of a router's URL as attributes.

What is absent: the URLs that clients accept, which ``wampy.address`` knows; a client parses none by
itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from wampy.address import SCHEMES

__all__ = ["ParseUrlMixin"]


class ParseUrlMixin:
    """For classes with an attribute ``url``; ``parse_url`` gives them the others.

    Attributes:
        url: the URL, or None.
        scheme: what it begins with, such as ``ws``.
        host: the name of the host; ``localhost`` for a Unix socket.
        port: the port, 8080 (``ws``) or 443 (``wss``) unless the URL names one.
        resource: the path with the query, ``/`` if there is none.
        unix_socket_path: the path of the Unix socket, if the scheme is one of those.
    """

    url: str | None
    scheme: str | None
    host: str | None
    port: int | None
    resource: str | None
    unix_socket_path: str | None

    def parse_url(self) -> None:
        """Parse ``url``, of one of the forms ``ws://host[:port][path]`` and ``ws+unix:///path``.

        Raises:
            ValueError: the URL has no scheme, an unknown one, or no host.
        """
        self.scheme = self.host = self.port = self.resource = None
        self.unix_socket_path = None
        if self.url is None:
            return
        scheme, separator, rest = self.url.partition(":")
        if not separator or scheme not in {*SCHEMES, "wss+unix"}:
            known = ", ".join(f"{name}:" for name in SCHEMES)
            raise ValueError(f"Invalid scheme: {self.url!r} begins with none of {known}")
        parts = urlsplit(rest)
        path = parts.path or "/"
        if "unix" in scheme:
            self.host, self.unix_socket_path, path = parts.hostname or "localhost", path, "/"
        elif parts.hostname:
            self.host = parts.hostname
        else:
            raise ValueError(f"Invalid hostname from: {self.url}")
        self.scheme = scheme
        self.port = parts.port or SCHEMES.get(scheme)
        self.resource = f"{path}?{parts.query}" if parts.query else path
