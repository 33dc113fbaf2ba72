"""PyMySQL's and MySQLdb's names of PEP 249's constructors; those of ticks keep whole seconds, as theirs do."""

import datetime

from mizzle.types import Date, DateFromTicks, Time, Timestamp

TimeDelta = datetime.timedelta


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day, in whole seconds."""
    return TimestampFromTicks(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """Local date and time, in whole seconds."""
    return datetime.datetime.fromtimestamp(int(ticks))


__all__ = ["Date", "DateFromTicks", "Time", "TimeDelta", "TimeFromTicks", "Timestamp", "TimestampFromTicks"]
