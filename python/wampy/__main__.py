"""The ``wampy`` command, as ``python -m wampy`` and as the script that the wheel installs.

``wampy run`` is Python's own. What is absent: the other commands, which are the same Rust code as
the stand-alone binary's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with ``argv`` (without the program's name) and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["run"] or given[:2] == ["help", "run"]:
        from wampy.cli import run

        return run.main(given[1:] if given[0] == "run" else ["--help"])

    import signal

    from wampy import _wampy

    # The commands wait in Rust, where Python's own handler of Ctrl-C would never come to run.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _wampy.main(["wampy", *given])


if __name__ == "__main__":
    sys.exit(main())
