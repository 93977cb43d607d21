"""Where a router is: the URLs that clients accept.

What is absent: name resolution and connections. A wrong URL is an error before anything is sent.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from wampy.errors import ConfigurationError

#: Every scheme with the port that it stands for; None where there is no port.
SCHEMES: dict[str, int | None] = {
    "ws": 8080,
    "wss": 443,
    "rs": 8080,
    "rss": 443,
    "http": 8080,
    "https": 443,
    "unix": None,
    "ws+unix": None,
}


#: The schemes over TLS for those that are not.
OVER_TLS = {"ws": "wss", "rs": "rss", "http": "https"}


def normalize(url: str, use_tls: bool = False) -> str:
    """Return ``url`` with its port; with ``use_tls``, over TLS whatever its scheme says.

    Raises:
        ConfigurationError: it is no string, its scheme is missing or unknown, or it has no host.
    """
    if not isinstance(url, str):
        hint = f"; a router is given as router={url!r}" if hasattr(url, "url") else ""
        raise ConfigurationError(f"the URL of a router must be a string, not {url!r}{hint}")
    scheme, separator, rest = url.partition(":")
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{name}:" for name in SCHEMES)
        hint = f"; did you mean ws://{url}?" if url[:1].isalnum() and "//" not in url else ""
        raise ConfigurationError(
            f"{url!r} is no router URL: it must begin with one of {known}{hint}"
        )
    if use_tls:
        scheme = OVER_TLS.get(scheme, scheme)
        url = f"{scheme}:{rest}"
    port = SCHEMES[scheme]
    if port is None:
        if not rest.removeprefix("//"):
            raise ConfigurationError(f"{url!r} names no socket: {scheme}:///run/router.sock does")
        return url
    try:
        parts = urlsplit(url)
        given = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no router URL: {error}") from None
    if not parts.hostname:
        raise ConfigurationError(f"{url!r} names no host")
    if given is not None:
        return url
    return parts._replace(netloc=f"{parts.netloc.removesuffix(':')}:{port}").geturl()
