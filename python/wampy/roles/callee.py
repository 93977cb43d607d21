"""``@callee``: the method becomes a procedure that others can call.

What is absent: the registration, which happens when a client of the class starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from wampy.callable_module import make_callable
from wampy.errors import ConfigurationError

__all__ = ["Procedure", "callee", "procedure_of"]

_F = TypeVar("_F", bound=Callable[..., Any])

#: The invocation policies of WAMP: which one of several callees of a procedure gets a call.
INVOCATION_POLICIES = ("single", "roundrobin", "random", "first", "last")


class Procedure:
    """What a decorated method asks to be registered as."""

    def __init__(self, uri: str, options: dict[str, Any]) -> None:
        #: the procedure's URI
        self.uri = uri
        #: the options of REGISTER
        self.options = options


@overload
def callee(function: _F, /) -> _F: ...


@overload
def callee(*, name: str | None = None, invocation_policy: str = "single") -> Callable[[_F], _F]: ...


def callee(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    invocation_policy: str = "single",
) -> Any:
    """Offer the method as a procedure; with or without parentheses.

    Args:
        function: the method, when used without parentheses.
        name: the URI of the procedure; the method's name unless given.
        invocation_policy: how several callees share the procedure; one of ``single``,
            ``roundrobin``, ``random``, ``first`` and ``last``.

    Raises:
        ConfigurationError: an argument is not one of these.
    """
    if invocation_policy not in INVOCATION_POLICIES:
        raise ConfigurationError(
            f"invocation_policy must be one of {', '.join(INVOCATION_POLICIES)}, "
            f"not {invocation_policy!r}"
        )
    if name is not None and (not isinstance(name, str) or not name):
        raise ConfigurationError(f"the name of a procedure must be a string, not {name!r}")

    def decorate(method: _F) -> _F:
        if not callable(method):
            hint = f'; write @callee(name="{method}")' if isinstance(method, str) else ""
            raise ConfigurationError(f"@callee needs a function, not {method!r}{hint}")
        marked: Any = method
        options = {"invoke": invocation_policy}
        marked._wampy_procedure = Procedure(name or method.__name__, options)
        marked.callee = True
        marked.invocation_policy = invocation_policy
        return method

    return decorate if function is None else decorate(function)


def procedure_of(function: object) -> Procedure | None:
    """What ``function`` asks to be registered as, if anything."""
    marked = getattr(function, "_wampy_procedure", None)
    return marked if isinstance(marked, Procedure) else None


make_callable(__name__, "callee")
