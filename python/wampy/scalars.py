"""Values without parts: what makes a date, a number or bytes of what came over the wire.

What is absent: values with parts, see ``wampy.converters``.
"""

from __future__ import annotations

import datetime
import decimal
import re
import reprlib
import typing
import uuid
from collections.abc import Callable
from typing import Any

__all__ = ["SCALARS", "Converter", "Mismatch", "name_of", "shown", "wrong"]

#: Makes a value of what came, or raises ``Mismatch``.
Converter = Callable[[Any], Any]

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"(\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE)


class Mismatch(Exception):
    """A value is not what is expected; ``path`` leads to it, from the outside to the inside."""

    def __init__(self, problem: str, is_inside: bool = False) -> None:
        super().__init__(problem)
        #: whether the value is of the expected kind, and only what is in it does not fit
        self.is_inside = is_inside
        self.path: list[str | int] = []

    def told(self, name: str) -> str:
        """The problem and its place in ``name``."""
        place = "".join(
            f'["{step}"]' if isinstance(step, str) else f"[{step}]" for step in self.path
        )
        return f"{name}{place}: {self.args[0]}"


def wrong(expected: str, value: Any) -> Mismatch:
    """The mismatch of a value that is of another kind."""
    return Mismatch(f"expected {expected}, not {shown(value)}")


def shown(value: Any) -> str:
    """The type of a value, and the value as far as a line has room."""
    return "None" if value is None else f"{type(value).__name__} {reprlib.repr(value)}"


def name_of(annotation: Any) -> str:
    """What people call a type."""
    if annotation is type(None):
        return "None"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _exactly(cls: type) -> Converter:
    def check(value: Any) -> Any:
        if type(value) is cls:
            return value
        raise wrong(name_of(cls), value)

    return check


def _int(value: Any) -> Any:
    if type(value) is int:
        return value
    # Peers that know one kind of number send whole ones so.
    if type(value) is float and value.is_integer():
        return int(value)
    raise wrong("int", value)


def _float(value: Any) -> Any:
    if type(value) in (float, int):
        return float(value)
    raise wrong("float", value)


def _bytes_like(cls: type) -> Converter:
    def check(value: Any) -> Any:
        if isinstance(value, (bytes, bytearray)):
            return cls(value)
        raise wrong(cls.__name__, value)

    return check


def _text(cls: type, expected: str, parse: Callable[[str], Any]) -> Converter:
    def parsed(value: Any) -> Any:
        if type(value) is str:
            try:
                return parse(value)
            except (ValueError, ArithmeticError):
                pass
        raise wrong(f"{cls.__name__} ({expected})", value)

    return parsed


def _date(text: str) -> datetime.date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def _time(text: str) -> datetime.time:
    """RFC 3339, also with digits or a Z that ``fromisoformat`` of Python 3.10 does not know."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    clock, fraction, offset = found.groups()
    fraction = f".{fraction[:6]:0<6}" if fraction else ""
    offset = "+00:00" if offset in ("Z", "z") else offset or ""
    return datetime.time.fromisoformat(clock + fraction + offset)


def _datetime(text: str) -> datetime.datetime:
    if text[10:11] not in ("T", "t", " "):
        raise ValueError(text)
    return datetime.datetime.combine(_date(text[:10]), _time(text[11:]))


def _timedelta(value: Any) -> Any:
    if type(value) in (int, float):
        try:
            return datetime.timedelta(seconds=value)
        except (OverflowError, ValueError):
            pass
    raise wrong("timedelta (seconds)", value)


def _decimal(value: Any) -> Any:
    if type(value) in (int, float, str):
        try:
            return decimal.Decimal(str(value))
        except decimal.InvalidOperation:
            pass
    raise wrong("Decimal (a number as text)", value)


SCALARS: dict[Any, Converter] = {
    type(None): _exactly(type(None)),
    bool: _exactly(bool),
    int: _int,
    float: _float,
    str: _exactly(str),
    bytes: _bytes_like(bytes),
    bytearray: _bytes_like(bytearray),
    memoryview: _bytes_like(memoryview),
    datetime.datetime: _text(datetime.datetime, "RFC 3339", _datetime),
    datetime.date: _text(datetime.date, "RFC 3339", _date),
    datetime.time: _text(datetime.time, "RFC 3339", _time),
    datetime.timedelta: _timedelta,
    uuid.UUID: _text(uuid.UUID, "text", uuid.UUID),
    decimal.Decimal: _decimal,
}
