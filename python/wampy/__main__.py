"""The ``wampy`` command, as ``python -m wampy`` and as the script that the wheel installs.

What is absent: the commands themselves, which are the same Rust code as the stand-alone binary's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with ``argv`` (without the program's name) and return its exit code."""
    import signal

    from wampy import _wampy

    # The commands wait in Rust, where Python's own handler of Ctrl-C would never come to run.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _wampy.main(["wampy", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
