"""PyMySQL's converters: Python values to literals, texts of columns to Python values.

mizzle's engine does all of this compiled, and these functions are not called by it: they stand here for code that calls
them, or that changes a copy of `conversions` for `conv=`. Only what is changed in such a copy is handed to the engine.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from mizzle.compat.pymysql.constants import FIELD_TYPE
from mizzle.engine.literals import Literals
from mizzle.errors import NotSupportedError, ProgrammingError

_literals = Literals()
_TIME = re.compile(r"(-?)(\d+):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6})\d*)?")
_DATETIME = re.compile(r"(\d{1,4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6})\d*)?")


def escape_item(val: object, charset: str | None = None, mapping: Mapping[Any, Any] | None = None) -> Any:
    """The literal of a value, by the encoder of its type, else by that of str; TypeError where there is neither."""
    mapping = encoders if mapping is None else mapping
    encoder = mapping.get(type(val)) or mapping.get(str)
    if encoder is None:
        raise TypeError("no default type converter defined")
    if encoder in (escape_dict, escape_sequence):
        return encoder(val, charset, mapping)
    return encoder(val, mapping)


def _literal(value: object, mapping: object = None) -> str:  # noqa: ARG001 (PyMySQL's second argument)
    return _literals.literal(value).decode("utf8", "surrogateescape")


escape_bool = escape_int = escape_float = escape_str = escape_unicode = escape_bytes = escape_None = _literal
escape_timedelta = escape_time = escape_datetime = escape_date = escape_struct_time = _literal

_BACKSLASHED = str.maketrans({char: f"\\{letter}" for char, letter in zip("\0\n\r\x1a\"'\\", "0nrZ\"'\\", strict=True)})


def Decimal2Literal(value: Decimal, mapping: object = None) -> str:
    """The digits; ProgrammingError for what is no number."""
    if not value.is_finite():
        raise ProgrammingError(0, f"{str(value).lower()} can not be used with MySQL", sent=False)
    return _literal(value, mapping)


def escape_string(value: str, mapping: object = None) -> str:  # noqa: ARG001 (PyMySQL's second argument)
    """The text as it stands between quotes, be they single or double, in a session with backslash escapes."""
    return value.translate(_BACKSLASHED)


def escape_dict(val: Mapping[str, Any], charset: Any, mapping: Any = None) -> dict[str, Any]:
    """Each value's literal."""
    return {key: escape_item(value, charset, mapping) for key, value in val.items()}


def escape_sequence(val: Iterable[Any], charset: Any, mapping: Any = None) -> str:
    """`(a,b,c)`, as after IN."""
    return "(" + ",".join(escape_item(item, charset, mapping) for item in val) + ")"


def escape_set(val: Iterable[Any], charset: Any, mapping: Any = None) -> str:
    """`a,b,c`"""
    return ",".join(escape_item(item, charset, mapping) for item in val)


def through(x: Any) -> Any:
    """As it is."""
    return x


convert_bit = through


def _text(obj: str | bytes) -> str:
    return obj.decode("ascii") if isinstance(obj, (bytes, bytearray)) else obj


def _microseconds(digits: str | None) -> int:
    return int((digits or "0").ljust(6, "0"))


def convert_datetime(obj: str | bytes) -> Any:
    """A datetime; a date or the text itself where it is none."""
    match = _DATETIME.match(_text(obj))
    if match is None:
        return convert_date(obj)
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    try:
        return datetime.datetime(year, month, day, hour, minute, second, _microseconds(match[7]))
    except ValueError:
        return convert_date(obj)


def convert_date(obj: str | bytes) -> Any:
    """A date; the text itself where it is none."""
    try:
        return datetime.date(*map(int, _text(obj).split("-", 2)))
    except ValueError:
        return _text(obj)


def convert_timedelta(obj: str | bytes) -> Any:
    """A timedelta; the text itself where it is none."""
    match = _TIME.match(_text(obj))
    if match is None:
        return _text(obj)
    sign, hours, minutes, seconds, fraction = match.groups()
    span = datetime.timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=_microseconds(fraction)
    )
    return -span if sign else span


def convert_time(obj: str | bytes) -> Any:
    """A time of day; the text itself where it is none."""
    span = convert_timedelta(obj)
    if not isinstance(span, datetime.timedelta) or not datetime.timedelta() <= span < datetime.timedelta(days=1):
        return _text(obj)
    return (datetime.datetime.min + span).time()


encoders: dict[Any, Callable[..., Any]] = {
    bool: escape_bool,
    int: escape_int,
    float: escape_float,
    str: escape_str,
    bytes: escape_bytes,
    tuple: escape_sequence,
    list: escape_sequence,
    set: escape_sequence,
    frozenset: escape_sequence,
    dict: escape_dict,
    type(None): escape_None,
    datetime.date: escape_date,
    datetime.datetime: escape_datetime,
    datetime.timedelta: escape_timedelta,
    datetime.time: escape_time,
    time.struct_time: escape_struct_time,
    Decimal: Decimal2Literal,
}
decoders: dict[Any, Callable[..., Any]] = {
    FIELD_TYPE.BIT: convert_bit,
    FIELD_TYPE.TINY: int,
    FIELD_TYPE.SHORT: int,
    FIELD_TYPE.LONG: int,
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
    FIELD_TYPE.LONGLONG: int,
    FIELD_TYPE.INT24: int,
    FIELD_TYPE.YEAR: int,
    FIELD_TYPE.TIMESTAMP: convert_datetime,
    FIELD_TYPE.DATETIME: convert_datetime,
    FIELD_TYPE.TIME: convert_timedelta,
    FIELD_TYPE.DATE: convert_date,
    FIELD_TYPE.BLOB: through,
    FIELD_TYPE.TINY_BLOB: through,
    FIELD_TYPE.MEDIUM_BLOB: through,
    FIELD_TYPE.LONG_BLOB: through,
    FIELD_TYPE.STRING: through,
    FIELD_TYPE.VAR_STRING: through,
    FIELD_TYPE.VARCHAR: through,
    FIELD_TYPE.DECIMAL: Decimal,
    FIELD_TYPE.NEWDECIMAL: Decimal,
}
conversions: dict[Any, Callable[..., Any]] = {**encoders, **decoders}
Thing2Literal = escape_str


_ORIGINAL = dict(conversions)
_NUMBER = re.compile(r"[+-]?(?:\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_QUOTED = re.compile(r"(_binary)?\s*'((?:[^'\\]|\\.|'')*)'", re.DOTALL | re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\032"}
_WORDS = {"null": None, "true": True, "false": False}


def changes(conv: Mapping[Any, Any] | None = None) -> dict[Any, Callable[..., Any]]:
    """What a `conv=` (else `conversions`, should a program have changed that) says otherwise, as mizzle takes it."""
    conv = conversions if conv is None else conv
    changed: dict[Any, Callable[..., Any]] = {}
    for key, function in conv.items():
        if _ORIGINAL.get(key) is not function:
            changed[key] = function if isinstance(key, int) else _of_one(function, conv)
    # A column type that has no entry stays text.
    changed.update({key: through for key in decoders if key not in conv and decoders[key] is not through})
    return changed


def _of_one(encoder: Callable[..., Any], conv: Mapping[Any, Any]) -> Callable[[Any], Any]:
    return lambda value: value_of(encoder(value, conv))


def value_of(literal: str | bytes) -> Any:
    """The value that a literal stands for: mizzle writes values, and lets no encoder write SQL in their place."""
    text = literal if isinstance(literal, str) else literal.decode("utf8", "surrogateescape")
    if (match := _NUMBER.fullmatch(text)) is not None:
        if match[2]:
            return float(text)
        return int(text) if "." not in text else Decimal(text)
    if (match := _QUOTED.fullmatch(text)) is not None:
        plain = _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]) if found[1] else "'", match[2])
        return plain.encode("utf8", "surrogateescape") if match[1] else plain
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    raise NotSupportedError(
        0,
        f"an encoder of conv= gave {text!r}, which is no text in quotes, number, NULL, TRUE or FALSE",
        sent=False,
        hint="mizzle puts nothing else in the place of a value: write such SQL into the statement itself.",
    )
