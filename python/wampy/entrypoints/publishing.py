"""``@subscribe`` under its name of wampy 0.3; see ``wampy.roles.subscriber``."""

from __future__ import annotations

from wampy.roles.publisher import PublishProxy
from wampy.roles.subscriber import subscribe

__all__ = ["PublishProxy", "subscribe"]
