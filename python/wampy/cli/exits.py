"""How ``wampy run`` can end: its exit codes, which are those of the other commands.

What is absent: the end by a signal, which is none of these: 0.
"""

from __future__ import annotations

import sys

from wampy import errors

__all__ = ["Failure"]

#: an app failed
FAILED = 1
#: the arguments make no sense
USAGE = 2
#: no session could be had, or it was lost for good
NO_SESSION = 3
#: time ran out
TIMED_OUT = 4
#: Ctrl-C before the apps had started, or twice
INTERRUPTED = 130


class Failure(Exception):
    """Why the command ends, in words for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, error: errors.WampyError, what: str = "") -> Failure:
        """The failure that an exception of wampy is."""
        notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        message = f"{what}: {error}{notes}" if what else f"{error}{notes}"
        if isinstance(error, errors.Error):
            return cls(FAILED, message)
        if isinstance(error, errors.WampyTimeOutError):
            return cls(TIMED_OUT, message)
        if isinstance(error, (errors.ConnectionError, errors.SessionError)):
            return cls(NO_SESSION, message)
        return cls(USAGE if isinstance(error, errors.ConfigurationError) else FAILED, message)

    def tell(self) -> int:
        """Print it to standard error; returns the exit code."""
        print(f"wampy run: {self}", file=sys.stderr)
        return self.code
