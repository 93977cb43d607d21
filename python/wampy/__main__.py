"""The ``wampy`` command, as ``python -m wampy`` and as the script that the wheel installs.

What is absent: the commands themselves, which are the same Rust code as the stand-alone binary's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with ``argv`` (without the program's name) and return its exit code."""
    from wampy import _wampy

    return _wampy.main(["wampy", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
