"""The exception of a time limit that is over, under the name of wampy 1."""

from __future__ import annotations

from wampy.errors import WampyTimeOutError

__all__ = ["WampyTimeOut"]

WampyTimeOut = WampyTimeOutError
