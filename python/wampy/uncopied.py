"""What belongs to connections of this process, and so can be neither copied nor pickled.

What is absent: forks, which copy it all the same; see ``wampy.process``.
"""

from __future__ import annotations

from typing import NoReturn

__all__ = ["Uncopied"]


class Uncopied:
    """Says so to whoever tries, as ``multiprocessing`` does with what it is to send."""

    __slots__ = ()

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} can be neither copied nor pickled, because its connections "
            "belong to this process: make another one where it is needed"
        )
