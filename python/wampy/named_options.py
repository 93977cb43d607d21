"""The options that functions take by keyword, for type checkers: what each is called and may be.

They stand behind ``**options`` (PEP 692), so that a slip of the pen is a mistake before the program
runs. What is absent: their meaning, which is told where they are taken; private options of CALL and
PUBLISH, whose names begin with ``_`` and which no type checker can know; and any use of these
classes while a program runs. An option that there is not is refused then by ``wampy.options``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from wampy.encryption import DataKey

__all__ = ["HistoryFilters", "ProcedureOptions", "RequestOptions"]


class ProcedureOptions(TypedDict, total=False):
    """What ``wampy.roles.callee.Procedure`` takes besides URI and invocation policy."""

    invoke: str | None
    match: str
    concurrency: int | None
    details: bool
    parts: bool
    disclose_caller: bool
    force_reregister: bool
    forward_timeout: bool
    nkey: str | None
    traceback: bool


class RequestOptions(TypedDict, total=False):
    """What ``with_options`` takes: the options of CALL and of PUBLISH, and ``encrypt``."""

    disclose_me: bool
    encrypt: str | DataKey | None
    rkey: str
    ppt_scheme: str
    ppt_serializer: str
    ppt_cipher: str
    ppt_keyid: str
    # Of calls.
    progress: bool
    receive_progress: bool
    runmode: str
    timeout: int
    # Of events.
    acknowledge: bool
    exclude_me: bool
    retain: bool
    exclude: Sequence[int]
    exclude_authid: Sequence[str]
    exclude_authrole: Sequence[str]
    eligible: Sequence[int]
    eligible_authid: Sequence[str]
    eligible_authrole: Sequence[str]


class HistoryFilters(TypedDict, total=False):
    """What ``history`` takes besides the topic and how it is matched; None is as if not given."""

    limit: int | None
    reverse: bool | None
    topic: str | None
    from_time: str | None
    after_time: str | None
    before_time: str | None
    until_time: str | None
    from_publication: int | None
    after_publication: int | None
    before_publication: int | None
    until_publication: int | None
