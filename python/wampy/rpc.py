"""``@rpc``, the decorator of 2016 for procedures, and the proxy behind ``client.rpc``.

The module can be called as the decorator. What is absent: any difference to ``@callee``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from wampy.callable_module import make_callable
from wampy.roles.callee import callee
from wampy.roles.caller import RpcProxy

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wampy.named_options import ProcedureOptions

__all__ = ["RpcProxy", "register_rpc", "rpc"]

_F = TypeVar("_F", bound=Callable[..., Any])


@overload
def rpc(function: _F, /) -> _F: ...


@overload
def rpc(
    *,
    name: str | None = None,
    invocation_policy: str = "single",
    **options: Unpack[ProcedureOptions],
) -> Callable[[_F], _F]: ...


def rpc(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Offer the method as a procedure; see ``wampy.roles.callee.callee`` for the arguments."""

    def decorate(method: _F) -> _F:
        marked: Any = callee(**options)(method)
        marked.rpc = True
        return method

    return decorate if function is None else decorate(function)


#: The longer name of the same decorator.
register_rpc = rpc

make_callable(__name__, "rpc")
