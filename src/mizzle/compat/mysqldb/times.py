"""MySQLdb.times: PEP 249's constructors, and what turns a column's text into a value or None.

Knows: dates and times. Must not know: connections.
"""

from __future__ import annotations

import datetime
import re
from time import localtime

from mizzle.compat.mysqldb._mysql import string_literal
from mizzle.types import Date, Time, Timestamp

TimeDelta = DateTimeDeltaType = datetime.timedelta
DateTimeType = datetime.datetime
_CLOCK = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?"
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = re.compile(_CLOCK)
_DATETIME = re.compile(_DATE.pattern + "[ T]" + _CLOCK)
_SPAN = re.compile(r"(-?)(\d+):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?")


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date."""
    return datetime.date(*localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day, in whole seconds."""
    return datetime.time(*localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """Local date and time, in whole seconds."""
    return datetime.datetime(*localtime(ticks)[:6])


def _numbers(pattern: re.Pattern[str], text: str) -> list[int]:
    """The numbers of a text, its fraction in microseconds; ValueError where it is none."""
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not {pattern.pattern}")
    *groups, last = match.groups()
    if pattern is not _DATE:
        last = (last or "0").ljust(6, "0")
    return [int(group or 0) for group in (*groups, last)]


def Date_or_None(s: str) -> datetime.date | None:
    """The date of a text, None where it is none."""
    try:
        return datetime.date(*_numbers(_DATE, s[:10]))
    except ValueError:
        return None


def Time_or_None(s: str) -> datetime.time | None:
    """The time of day of a text, None where it is none."""
    try:
        return datetime.time(*_numbers(_TIME, s))  # type: ignore[arg-type]
    except ValueError:
        return None


def DateTime_or_None(s: str) -> datetime.date | None:
    """The date and time of a text, or its date, None where it is neither."""
    if len(s) < 11:
        return Date_or_None(s)
    try:
        return datetime.datetime(*_numbers(_DATETIME, s))  # type: ignore[arg-type]
    except ValueError:
        return None


def TimeDelta_or_None(s: str) -> datetime.timedelta | None:
    """The span of a text such as "-838:59:59.5", None where it is none."""
    match = _SPAN.fullmatch(s)
    if match is None:
        return None
    sign, hours, minutes, seconds, fraction = match.groups()
    span = datetime.timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=int((fraction or "0").ljust(6, "0"))
    )
    return -span if sign else span


format_TIME = format_DATE = str


def format_TIMEDELTA(v: datetime.timedelta) -> str:
    """A span as the servers read it: days, hours, minutes and seconds behind one sign."""
    sign, v = ("-", -v) if v < datetime.timedelta() else ("", v)
    minutes, seconds = divmod(v.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{v.microseconds:06}" if v.microseconds else ""
    return f"{sign}{v.days} {hours}:{minutes}:{seconds}{fraction}"


def format_TIMESTAMP(d: datetime.datetime) -> str:
    """Date and time as the servers read them."""
    return d.replace(tzinfo=None).isoformat(" ")


def DateTime2literal(d: datetime.datetime, c: object) -> bytes:  # noqa: ARG001 (a `conv`)
    """Date and time in quotes."""
    return string_literal(format_TIMESTAMP(d))


def DateTimeDelta2literal(d: datetime.timedelta, c: object) -> bytes:  # noqa: ARG001 (a `conv`)
    """A span in quotes."""
    return string_literal(format_TIMEDELTA(d))


__all__ = [
    "Date",
    "DateFromTicks",
    "Time",
    "TimeDelta",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
]
