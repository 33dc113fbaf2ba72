"""PyMySQL's and MySQLdb's names of PEP 249's constructors."""

import datetime

from mizzle.types import Date, DateFromTicks, Time, TimeFromTicks, Timestamp, TimestampFromTicks

TimeDelta = datetime.timedelta

__all__ = ["Date", "DateFromTicks", "Time", "TimeDelta", "TimeFromTicks", "Timestamp", "TimestampFromTicks"]
