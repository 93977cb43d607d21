"""``wampy run --reload``: the apps run in a process of their own, which is replaced on a change.

The times of the source files are looked at again and again; no library is needed. What is absent:
files outside of the current directory, and files that are not Python's.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType

from wampy.cli import exits

__all__ = ["supervise"]

logger = logging.getLogger("wampy.run")

#: How often to look at the files, in seconds.
INTERVAL = 0.5
#: How many files are looked at; changes of further ones go unnoticed, which is logged.
FILES_MAX = 10_000
#: How much longer than its handlers the process may take to end, in seconds; then it is killed.
END_TIMEOUT = 5.0

#: Directories in which nobody works on sources.
_IGNORED = {"__pycache__", "node_modules", "site-packages", "target"}


def supervise(arguments: Sequence[str], grace: float) -> int:
    """Run ``wampy run`` with ``arguments``, anew after each change; returns the last exit code."""
    supervisor = _Supervisor([sys.executable, "-m", "wampy", "run", *arguments], grace)
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
    def __init__(self, command: Sequence[str], grace: float) -> None:
        self._command = command
        self._patience = grace + END_TIMEOUT
        self._process: subprocess.Popen[bytes] | None = None
        self._told = False

    def run(self) -> int:
        """Run the process until a signal has ended it."""
        known = _times(os.getcwd())
        self._begin()
        while True:
            code = self._await_end(INTERVAL)
            if self._told:
                return self._end() if code is None else code
            found = _times(os.getcwd())
            changed = sorted({path for path, _ in found.items() ^ known.items()})
            if not changed:
                continue
            known = found
            logger.info("%s changed: starting anew", os.path.relpath(changed[0]))
            self._end()
            if self._told:
                return exits.INTERRUPTED if code is None else code
            self._begin()

    def _begin(self) -> None:
        # In a group of its own it gets Ctrl-C from here alone, and once.
        self._process = subprocess.Popen(self._command, start_new_session=True)

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
    """When each source file changed last, in nanoseconds."""
    times: dict[str, int] = {}
    for path in _sources(directory):
        if len(times) >= FILES_MAX:
            logger.warning("more than %d source files: the others are not looked at", FILES_MAX)
            break
        try:
            times[path] = os.stat(path).st_mtime_ns
        except OSError:
            # It is gone, which is a change.
            continue
    return times


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
