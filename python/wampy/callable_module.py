"""Modules that can be called as the decorator they hold.

``from wampy.roles import callee`` names a module and ``from wampy.roles.callee import callee`` a
function; the documentation of wampy has always used both as ``@callee``. What is absent: any use
of this for modules that do not hold a decorator of their own name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A module whose call is the call of its function ``_decorator``."""

    _decorator: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the decorator."""
        return getattr(self, self._decorator)(*args, **kwargs)


def make_callable(module: str, decorator: str) -> None:
    """Let ``@module`` mean ``@module.decorator``."""
    loaded = sys.modules[module]
    loaded.__class__ = CallableModule
    loaded._decorator = decorator  # type: ignore[attr-defined]
