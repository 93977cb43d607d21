"""``@callee``: the method becomes a procedure that others can call.

What is absent: the registration, which happens when a client of the class starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from wampy.callable_module import make_callable
from wampy.errors import ConfigurationError
from wampy.options import refuse_unknown

__all__ = ["Procedure", "callee", "procedure_of"]

_F = TypeVar("_F", bound=Callable[..., Any])

#: The invocation policies of WAMP: which one of several callees of a procedure gets a call.
INVOCATION_POLICIES = ("single", "roundrobin", "random", "first", "last")
#: How a pattern of procedures or topics matches.
MATCH_POLICIES = ("exact", "prefix", "wildcard")


class Procedure:
    """What a function asks to be registered as.

    Args:
        uri: the procedure's URI, or the pattern of those that the function answers.
        invocation_policy: how several callees share the procedure: ``single`` (they do not),
            ``roundrobin``, ``random``, ``first`` or ``last``.
        invoke: the same under its name in WAMP.
        match: how the URI matches: ``exact``, ``prefix`` or ``wildcard``.
        concurrency: how many calls the router gives this callee at once; others wait.
        details: whether the function takes a keyword ``details``: a dictionary of ``procedure``
            and, as far as the router tells, ``caller``, ``caller_authid``, ``caller_authrole``,
            ``trustlevel``, ``timeout`` in milliseconds and ``receive_progress``.
        parts: whether the function takes a keyword ``parts``: an iterator over the further parts
            of a call that is made in parts.
        disclose_caller: whether the callee has to know who calls.
        force_reregister: whether to take the procedure over from whoever has it.
        forward_timeout: whether this client, instead of the router, minds the time limit of calls.
        nkey: the key of this callee among those that share the procedure (sharded registration).
        traceback: whether callers are told where the function failed, if it does unexpectedly;
            a traceback shows code and paths.

    Raises:
        ConfigurationError: an argument is none of these.
    """

    def __init__(
        self,
        uri: str,
        invocation_policy: str = "single",
        *,
        invoke: str | None = None,
        match: str = "exact",
        concurrency: int | None = None,
        details: bool = False,
        parts: bool = False,
        disclose_caller: bool = False,
        force_reregister: bool = False,
        forward_timeout: bool = False,
        nkey: str | None = None,
        traceback: bool = False,
    ) -> None:
        policy = invocation_policy if invoke is None else invoke
        if policy not in INVOCATION_POLICIES:
            raise ConfigurationError(
                f"invocation_policy must be one of {', '.join(INVOCATION_POLICIES)}, not {policy!r}"
            )
        check_match(match)
        if concurrency is not None and (not isinstance(concurrency, int) or concurrency < 1):
            raise ConfigurationError(
                f"concurrency must be a number of calls from 1 on, not {concurrency!r}"
            )
        #: the procedure's URI
        self.uri = uri
        #: the options of REGISTER
        self.options: dict[str, Any] = {"invoke": policy}
        asked = {
            "match": match if match != "exact" else None,
            "concurrency": concurrency,
            "disclose_caller": disclose_caller,
            "force_reregister": force_reregister,
            "forward_timeout": forward_timeout,
            "nkey": nkey,
        }
        self.options.update((key, value) for key, value in asked.items() if value)
        #: whether the function takes the keyword ``details``
        self.details = details
        #: whether the function takes the keyword ``parts``
        self.parts = parts
        #: whether callers are told where the function failed
        self.traceback = traceback

    @property
    def beside(self) -> list[str]:
        """The keywords that the function takes beside the arguments of a call."""
        return [key for key in ("details", "parts") if getattr(self, key)]


#: The options of ``callee`` and of ``register``.
_OPTIONS = ("name", "invocation_policy", *(Procedure.__init__.__kwdefaults__ or ()))


@overload
def callee(function: _F, /) -> _F: ...


@overload
def callee(
    *,
    name: str | None = None,
    invocation_policy: str = "single",
    invoke: str | None = None,
    match: str = "exact",
    concurrency: int | None = None,
    details: bool = False,
    parts: bool = False,
    disclose_caller: bool = False,
    force_reregister: bool = False,
    forward_timeout: bool = False,
    nkey: str | None = None,
    traceback: bool = False,
) -> Callable[[_F], _F]: ...


def callee(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    invocation_policy: str = "single",
    **options: Any,
) -> Any:
    """Offer the method as a procedure; with or without parentheses.

    A method that yields sends each part to callers that take results in parts, and what it
    returns is the result. For other callers the parts are dropped.

    Args:
        function: the method, when used without parentheses.
        name: the URI of the procedure; the method's name unless given.
        invocation_policy: how several callees share the procedure; one of ``single``,
            ``roundrobin``, ``random``, ``first`` and ``last``.
        options: see ``Procedure``.

    Raises:
        ConfigurationError: an argument is not one of these.
    """
    if name is not None and (not isinstance(name, str) or not name):
        raise ConfigurationError(f"the name of a procedure must be a string, not {name!r}")
    # Refused here, where the decorator stands, and not when it is applied.
    make_procedure("@callee", name or "", invocation_policy, options)

    def decorate(method: _F) -> _F:
        if not callable(method):
            hint = f'; write @callee(name="{method}")' if isinstance(method, str) else ""
            raise ConfigurationError(f"@callee needs a function, not {method!r}{hint}")
        marked: Any = method
        procedure = Procedure(name or method.__name__, invocation_policy, **options)
        marked._wampy_procedure = procedure
        marked.callee = True
        marked.invocation_policy = procedure.options["invoke"]
        return method

    return decorate if function is None else decorate(function)


def make_procedure(
    asked_by: str, uri: str, invocation_policy: str, options: Mapping[str, Any]
) -> Procedure:
    """What a function is registered as by ``asked_by``, whose options these are.

    Raises:
        UnknownOptionError: it has no such option.
        ConfigurationError: the value of one is none of those that it may have.
    """
    refuse_unknown(asked_by, options, _OPTIONS)
    return Procedure(uri, invocation_policy, **options)


def uri_for(handler: object, name: str | None) -> str:
    """The URI of a procedure: ``name``, or the name that its handler has.

    Raises:
        ConfigurationError: it is no text, or there is none.
    """
    if callable(name) and isinstance(handler, str):
        raise ConfigurationError(f"the handler comes first: register({name!r}, {handler!r})")
    uri = getattr(handler, "__name__", None) if name is None else name
    if uri in (None, "<lambda>"):
        raise ConfigurationError(f"{handler!r} has no name: register(handler, name) gives one")
    if not isinstance(uri, str) or not uri:
        raise ConfigurationError(f"the name of a procedure must be a string, not {uri!r}")
    return uri


def check_match(match: str) -> None:
    """Refuse what is no match policy."""
    if match not in MATCH_POLICIES:
        raise ConfigurationError(f"match must be one of {', '.join(MATCH_POLICIES)}, not {match!r}")


def prepared(handler: Callable[..., Any], ours: Sequence[str]) -> Callable[..., Any]:
    """The handler, or what converts its arguments first; see ``wampy.conversion``.

    Args:
        handler: the function.
        ours: the keywords that this package gives it, and no caller.
    """
    from wampy.schema import is_annotated

    if not is_annotated(handler):
        return handler
    from wampy import conversion

    return conversion.prepared(handler, ours)


def procedure_of(function: object) -> Procedure | None:
    """What ``function`` asks to be registered as, if anything."""
    marked = getattr(function, "_wampy_procedure", None)
    return marked if isinstance(marked, Procedure) else None


#: The names of the decorator in wampy 0.5 to 0.8.
rpc = callee
register_rpc = callee


def __getattr__(name: str) -> Any:
    if name != "CalleeProxy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wampy.peers.proxies import CalleeProxy

    return CalleeProxy


make_callable(__name__, "callee")
