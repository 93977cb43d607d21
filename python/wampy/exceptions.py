"""The exceptions under the module name of 2016; see ``wampy.errors``."""

from __future__ import annotations

from wampy import errors
from wampy.errors import *  # noqa: F403

__all__: list[str] = []
__all__ += errors.__all__
