"""The forms that values of a program have on the wire, where WAMP does not have them.

The encoder asks for the form of such a value when it meets one. The forms stand in
``docs/python/typed.md``. What is absent: the way back, see ``wampy.conversion``, and the choice of
a form by the program.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import operator
import uuid
from collections.abc import Callable
from typing import Any

from wampy.schema import is_pydantic

__all__ = ["plain"]

#: What becomes a list.
_SETS = (set, frozenset, collections.deque, collections.abc.Set, collections.abc.ValuesView)

_FORMS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (enum.Enum, operator.attrgetter("value")),
    ((datetime.datetime, datetime.date, datetime.time), operator.methodcaller("isoformat")),
    (datetime.timedelta, datetime.timedelta.total_seconds),
    ((uuid.UUID, decimal.Decimal), str),
    (_SETS, list),
    (collections.abc.Mapping, dict),
)


def plain(value: Any) -> Any:
    """The form of a value that WAMP does not have; ``NotImplemented`` if there is none.

    What is returned may contain values that need a form themselves.
    """
    if isinstance(value, type):
        return NotImplemented
    for classes, form in _FORMS:
        if isinstance(value, classes):
            return form(value)
    return _plain_record(value)


def _plain_record(value: Any) -> Any:
    if is_pydantic(type(value)):
        return _plain_pydantic(value)
    if dataclasses.is_dataclass(value):
        # Not ``asdict``, which copies what it finds inside.
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return NotImplemented


def _plain_pydantic(value: Any) -> Any:
    # The mode for JSON would make text of bytes, which not all bytes are.
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True)
    from pydantic import TypeAdapter

    return TypeAdapter(type(value)).dump_python(value, by_alias=True)
