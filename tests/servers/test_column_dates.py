"""Dates and times as literals in, and out of text rows; those that Python does not have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from test_column_numbers import same, there_and_back

import mizzle

pytestmark = pytest.mark.protocols("prepared")

MOMENT = dt.datetime(2024, 2, 29, 23, 59, 58, 987654)
HIGHEST = dt.timedelta(hours=838, minutes=59, seconds=59)
IMPOSSIBLE = ("0000-00-00", "2024-00-00", "2024-02-00", "0000-01-01", "2023-02-31")


def rounded_down(moment: dt.datetime, digits: int) -> dt.datetime:
    unit = 10 ** (6 - digits)
    return moment.replace(microsecond=moment.microsecond // unit * unit)


def test_date(conn: Any) -> None:
    values = [dt.date(1000, 1, 1), dt.date(9999, 12, 31), dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(1900, 2, 28)]
    assert same(there_and_back(conn, "DATE", values), values)


@pytest.mark.parametrize("digits", range(7))
def test_datetime(conn: Any, digits: int) -> None:
    values = [rounded_down(MOMENT, digits), dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)]
    assert same(there_and_back(conn, f"DATETIME({digits})", values), values)


@pytest.mark.parametrize("digits", [0, 3, 6])
def test_timestamp(conn: Any, digits: int) -> None:
    conn.execute("SET time_zone = '+00:00'")
    values = [rounded_down(MOMENT, digits), dt.datetime(1970, 1, 1, 0, 0, 1), dt.datetime(2038, 1, 19, 3, 14, 7)]
    assert same(there_and_back(conn, f"TIMESTAMP({digits}) NULL", values), values)


def test_time(conn: Any) -> None:
    values = [
        HIGHEST,
        -HIGHEST,
        dt.timedelta(0),
        dt.timedelta(seconds=1),
        -dt.timedelta(seconds=1),
        dt.timedelta(days=1),
    ]
    assert same(there_and_back(conn, "TIME", values), values)


@pytest.mark.parametrize("digits", [1, 3, 6])
def test_time_with_a_fraction(conn: Any, digits: int) -> None:
    unit = dt.timedelta(microseconds=10 ** (6 - digits))
    values = [unit, -unit, HIGHEST - unit, unit - HIGHEST]
    assert same(there_and_back(conn, f"TIME({digits})", values), values)


def test_time_of_day(conn: Any) -> None:
    times = [dt.time(0, 0), dt.time(23, 59, 59, 999999)]
    expected = [dt.timedelta(0), dt.timedelta(days=1) - dt.timedelta(microseconds=1)]
    assert same(there_and_back(conn, "TIME(6)", times), expected)


def test_functions(conn: Any) -> None:
    sql = "SELECT CAST(%s AS DATE), TIMESTAMP(%s), TIMEDIFF('10:00:00', '34:30:15.5'), MAKEDATE(2024, 60)"
    [row] = conn.execute(sql, [MOMENT, dt.date(2024, 5, 6)]).fetchall()
    late = -dt.timedelta(hours=24, minutes=30, seconds=15, milliseconds=500)
    assert row == (MOMENT.date(), dt.datetime(2024, 5, 6), late, dt.date(2024, 2, 29))


@pytest.fixture
def impossible(connect: Callable[..., Any]) -> Callable[..., Any]:
    """A connection with dates that Python does not have in its table."""

    def make(**options: Any) -> Any:
        conn = connect(autocommit=True, sql_mode="ALLOW_INVALID_DATES", **options)
        conn.execute("CREATE TEMPORARY TABLE v (d DATE, t DATETIME(3))")
        conn.cursor().executemany("INSERT INTO v VALUES (%s, %s)", [(day, f"{day} 00:00:00") for day in IMPOSSIBLE])
        return conn

    return make


def test_impossible_dates_are_none(impossible: Callable[..., Any]) -> None:
    assert impossible().execute("SELECT d, t FROM v").fetchall() == [(None, None)] * len(IMPOSSIBLE)


@pytest.mark.feature("impossible dates")
def test_impossible_dates_may_be_str(impossible: Callable[..., Any]) -> None:
    rows = impossible(zero_dates="str").execute("SELECT d, t FROM v").fetchall()
    assert rows == [(day, f"{day} 00:00:00.000") for day in IMPOSSIBLE]


def test_impossible_dates_may_be_refused(impossible: Callable[..., Any]) -> None:
    conn = impossible(zero_dates="raise")
    for column in "dt":
        with pytest.raises(mizzle.DataError, match="does not exist in Python's calendar") as refused:
            conn.execute(f"SELECT {column} FROM v")
        assert refused.value.alive
    assert conn.execute("SELECT COUNT(*) FROM v").fetchone() == (len(IMPOSSIBLE),)
