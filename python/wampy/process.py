"""What wampy does once per process: prepare for its end, for its forks, and for greenlets.

The first session or router asks for it, so that an import has no effects. What is absent: the
threads themselves, which the extension starts when they are needed.
"""

from __future__ import annotations

import atexit
import os

from wampy import _wampy, greenlets

#: How long the end of the process waits for sessions to say GOODBYE, in seconds.
EXIT_TIMEOUT = 2.0

_prepared = False


def prepare() -> None:
    """Make sure that the interpreter can exit, and that a fork notices what it cannot use.

    And that waits let other greenlets run, if the program has been patched by now.
    """
    greenlets.cooperate()
    global _prepared  # noqa: PLW0603 - one process has one state
    if _prepared:
        return
    _prepared = True
    atexit.register(_wampy.shut_down, EXIT_TIMEOUT)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_wampy.forked)
