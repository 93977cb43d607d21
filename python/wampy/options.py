"""The options of requests, by the names that they have in WAMP: whether there are such.

An option that nobody knows is not sent, so a slip of the pen would go unnoticed. What is absent:
their values, which the compiled part looks at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from wampy._wampy import CALL_OPTIONS, PUBLISH_OPTIONS
from wampy.errors import ConfigurationError

__all__ = ["check_options", "check_options_of_publish"]

#: Our own beside them: the key that encrypts.
_ENCRYPT = "encrypt"
_OF_PUBLISH = frozenset([*PUBLISH_OPTIONS, _ENCRYPT])
_OF_ANY = frozenset([*CALL_OPTIONS, *_OF_PUBLISH])


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse what is no option, neither of CALL nor of PUBLISH.

    Raises:
        ConfigurationError: there is no such option. Private ones begin with ``_``.
    """
    _check(options, _OF_ANY)


def check_options_of_publish(options: Mapping[str, Any] | None) -> None:
    """Refuse what is no option of PUBLISH.

    Raises:
        ConfigurationError: there is no such option, or ``options`` is no dictionary.
    """
    if options is None:
        return
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"options must be a dictionary, not {options!r}")
    _check(options, _OF_PUBLISH)


def _check(options: Mapping[str, Any], known: Collection[str]) -> None:
    for name in options:
        if name in known or (isinstance(name, str) and name.startswith("_")):
            continue
        from difflib import get_close_matches

        similar = get_close_matches(str(name), known, 1)
        hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(sorted(known))}"
        raise ConfigurationError(f"there is no option {name!r}; {hint}")
