"""What a class can be in WAMP: callee and subscriber by decorator, caller and publisher by proxy.

``callee`` and ``subscriber`` are modules that can be called as their decorators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wampy.roles import caller as caller
    from wampy.roles import publisher as publisher
    from wampy.roles.callee import callee as callee
    from wampy.roles.subscriber import subscribe as subscriber

__all__ = ["callee", "caller", "publisher", "subscriber"]
