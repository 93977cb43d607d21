"""``wampy run --reload``: the apps run in a process of their own, which is replaced on a change.

The times of the source files, and of the configuration file if there is one, are looked at again
and again; no library is needed. What is absent: source files outside of the current directory, and
files that a configuration names; those with users are looked at by the router.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from wampy import errors
from wampy.cli import exits

__all__ = ["supervise"]

logger: logging.Logger = logging.getLogger("wampy.run")

#: How often to look at the files, in seconds.
INTERVAL = 0.5
#: How many files are looked at; changes of further ones go unnoticed, which is logged.
FILES_MAX = 10_000
#: How much longer than its handlers the process may take to end, in seconds; then it is killed.
END_TIMEOUT = 5.0

#: Directories in which nobody works on sources.
_IGNORED = {"__pycache__", "node_modules", "site-packages", "target"}


def supervise(
    arguments: Callable[[], Sequence[str]],
    grace: float,
    config: str | None = None,
    reconfigure: Callable[[], None] | None = None,
) -> int:
    """Run ``wampy run``, anew after each change; returns the last exit code.

    Args:
        arguments: its arguments, asked for at the start and when ``config`` has changed.
        grace: how long handlers may go on when it ends, in seconds.
        config: a file that is looked at, too; it may be missing.
        reconfigure: what to do first when ``config`` has changed.
    """
    supervisor = _Supervisor(arguments, grace, config, reconfigure)
    before = {
        number: signal.signal(number, supervisor.forward)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        return supervisor.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Supervisor:
    def __init__(
        self,
        arguments: Callable[[], Sequence[str]],
        grace: float,
        config: str | None,
        reconfigure: Callable[[], None] | None,
    ) -> None:
        self._arguments_now = arguments
        self._arguments = arguments()
        self._config = None if config is None else os.path.abspath(config)
        self._reconfigure = reconfigure
        self._patience = grace + END_TIMEOUT
        self._process: subprocess.Popen[bytes] | None = None
        self._told = False

    def run(self) -> int:
        """Run the process until a signal has ended it."""
        known = self._times()
        self._begin()
        while True:
            code = self._await_end(INTERVAL)
            if self._told:
                return self._end() if code is None else code
            found = self._times()
            changed = sorted({path for path, _ in found.items() ^ known.items()})
            known = found
            if not changed or not self._accepts(changed):
                continue
            logger.info("%s changed: starting anew", os.path.relpath(changed[0]))
            self._end()
            if self._told:
                return exits.INTERRUPTED if code is None else code
            self._begin()

    def _times(self) -> dict[str, int]:
        """When each file that matters changed last, in nanoseconds."""
        times = _times(os.getcwd())
        if self._config is not None:
            _note_time(times, self._config)
        return times

    def _accepts(self, changed: Sequence[str]) -> bool:
        """Read the configuration again if it has changed; false if nothing is to start anew."""
        if self._config not in changed:
            return True
        try:
            if self._reconfigure is not None:
                self._reconfigure()
            self._arguments = self._arguments_now()
        except (exits.Failure, errors.WampyError) as error:
            logger.error("the configuration stays as it was: %s", error)
            return changed != [self._config]
        return True

    def _begin(self) -> None:
        # In a group of its own it gets Ctrl-C from here alone, and once.
        command = [sys.executable, "-m", "wampy", "run", *self._arguments]
        self._process = subprocess.Popen(command, start_new_session=True)

    def _await_end(self, timeout: float) -> int | None:
        """The exit code of the process; None if it still runs after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        process = self._process
        # A process that has failed stays so until something changes.
        while not self._told and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        return process.poll() if process is not None else None

    def _end(self) -> int:
        """Let the process end; returns its exit code."""
        process = self._process
        if process is None:
            return 0
        if process.poll() is None and not self._told:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(self._patience)
        except subprocess.TimeoutExpired:
            logger.warning("the apps do not end within %g seconds: killed", self._patience)
            process.kill()
            return process.wait()

    def forward(self, number: int, frame: FrameType | None) -> None:
        """Hand a signal on."""
        self._told = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def _times(directory: str) -> dict[str, int]:
    """When each source file changed last."""
    times: dict[str, int] = {}
    for path in _sources(directory):
        if len(times) >= FILES_MAX:
            logger.warning("more than %d source files: the others are not looked at", FILES_MAX)
            break
        _note_time(times, path)
    return times


def _note_time(times: dict[str, int], path: str) -> None:
    # One that is gone is not noted, which is a change.
    with contextlib.suppress(OSError):
        times[path] = os.stat(path).st_mtime_ns


def _sources(directory: str) -> Iterator[str]:
    for place, directories, files in os.walk(directory):
        directories[:] = [
            name
            for name in directories
            if not name.startswith(".")
            and name not in _IGNORED
            and not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
        ]
        for name in files:
            if name.endswith(".py"):
                yield os.path.join(place, name)
