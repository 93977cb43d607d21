"""Options by their names: whether there are such.

An option of a request that nobody knows is not sent, so a slip of the pen would go unnoticed. One
that a function has not is refused by Python, which before 3.13 names no other. What is absent: the
values of options, which the compiled part or the function looks at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from types import CodeType
from typing import Any, ParamSpec, TypeVar

from wampy._wampy import CALL_OPTIONS, PUBLISH_OPTIONS
from wampy.errors import ConfigurationError, UnknownOptionError

__all__ = [
    "check_options",
    "check_options_of_publish",
    "options_named",
    "refuse_unknown",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: Our own beside them: the key that encrypts.
_ENCRYPT = "encrypt"
_OF_PUBLISH = frozenset([*PUBLISH_OPTIONS, _ENCRYPT])
_OF_ANY = frozenset([*CALL_OPTIONS, *_OF_PUBLISH])


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse what is no option, neither of CALL nor of PUBLISH.

    Raises:
        UnknownOptionError: there is no such option. Private ones begin with ``_``.
    """
    _check(options, _OF_ANY)


def check_options_of_publish(options: Mapping[str, Any] | None) -> None:
    """Refuse what is no option of PUBLISH.

    Raises:
        UnknownOptionError: there is no such option.
        ConfigurationError: ``options`` is no dictionary.
    """
    if options is None:
        return
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"options must be a dictionary, not {options!r}")
    _check(options, _OF_PUBLISH)


def _check(options: Mapping[str, Any], known: Collection[str]) -> None:
    for name in options:
        if name not in known and not (isinstance(name, str) and name.startswith("_")):
            raise UnknownOptionError(f"there is no option {name!r}; {_hint(name, known)}")


def refuse_unknown(function: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse options that a function does not have.

    Raises:
        UnknownOptionError: there is no such option.
    """
    mistake = _unknown(function, given, known)
    if mistake is not None:
        raise mistake


def _unknown(
    function: str, given: Iterable[str], known: Collection[str]
) -> UnknownOptionError | None:
    for name in given:
        if name not in known:
            return UnknownOptionError(f"{function} has no option {name!r}; {_hint(name, known)}")
    return None


def _hint(name: object, known: Collection[str]) -> str:
    from difflib import get_close_matches

    # A part of the name may be all that somebody remembers.
    similar = get_close_matches(str(name), known, 1) or [
        one for one in sorted(known) if str(name) in one.split("_")
    ]
    return f"did you mean {similar[0]}?" if similar else f"there are {', '.join(sorted(known))}"


def options_named(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let ``function`` name the right option to whoever gives it one that it has not."""
    code: CodeType = function.__code__
    label = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]

    @functools.wraps(function)
    def named(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # What the function itself raises has come through a frame of its own.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            raise _unknown(label, kwargs, _keywords(code)) or error from None

    return named


def _keywords(code: CodeType) -> tuple[str, ...]:
    """The arguments that can be given by keyword; the object of a method is none."""
    names = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    return tuple(name for name in names if name not in ("self", "cls"))
