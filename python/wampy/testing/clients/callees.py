"""``DateService``, the service of wampy's first documentation."""

from __future__ import annotations

import datetime

from wampy.peers.clients import Client
from wampy.roles.callee import callee

__all__ = ["DateService"]


class DateService(Client):
    """A service that tells you today's date."""

    @callee
    def get_todays_date(self) -> str:
        """The date, as ``YYYY-MM-DD``."""
        return datetime.date.today().isoformat()
