"""Any value of a type, written into a column of it and read again; by hypothesis, on every server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mizzle
from mizzle.testing import Server

few = settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

COLUMNS = (
    "i BIGINT, u BIGINT UNSIGNED, f DOUBLE, n DECIMAL(65,30), s LONGTEXT, b LONGBLOB, d DATE, t DATETIME(6), "
    "c TIME(6), y BIT(64)"
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59))
longest = dt.timedelta(hours=838, minutes=59, seconds=58)
rows = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    st.decimals(-(10**34), 10**34, allow_nan=False, places=30),
    texts,
    st.binary(max_size=60),
    moments.map(dt.datetime.date),
    moments,
    st.timedeltas(-longest, longest),
    st.binary(min_size=8, max_size=8),
)


@pytest.fixture
def conn(server: Server, sql_mode: str) -> Iterator[mizzle.Connection]:
    args = server.connect_args(autocommit=True, sql_mode=sql_mode, ssl_mode="disabled")
    with mizzle.connect(**args) as made:
        made.execute(f"CREATE TEMPORARY TABLE v ({COLUMNS}) CHARACTER SET utf8mb4")
        yield made


@pytest.fixture(params=["STRICT_ALL_TABLES", "STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES"], ids=["", "no_backslash"])
def sql_mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(conn: mizzle.Connection, values: tuple[Any, ...]) -> Any:
    conn.execute("TRUNCATE TABLE v")
    conn.execute(f"INSERT INTO v VALUES ({', '.join(['%s'] * len(values))})", values)
    return conn.execute("SELECT * FROM v").fetchall()


@few
@given(rows)
def test_values_come_back(conn: mizzle.Connection, values: tuple[Any, ...]) -> None:
    [found] = read(conn, values)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@few
@given(st.lists(st.one_of(st.integers(-(2**63), 2**64 - 1), texts, st.binary(max_size=30), st.none()), min_size=1))
def test_values_of_mixed_types_stand_side_by_side(conn: mizzle.Connection, values: list[Any]) -> None:
    expected = tuple(values)
    placeholders = ", ".join(f"%s AS c{number}" for number in range(len(values)))
    assert conn.execute(f"SELECT {placeholders}", values).fetchall() == [expected]


@few
@given(st.lists(st.tuples(texts, st.binary(max_size=30)), max_size=30))
def test_many_rows_come_back_in_order(conn: mizzle.Connection, values: list[Any]) -> None:
    conn.execute("TRUNCATE TABLE v")
    cur = conn.cursor()
    cur.max_stmt_length = 200  # type: ignore[misc] - several statements
    cur.executemany("INSERT INTO v (i, s, b) VALUES (%s, %s, %s)", [(n, *row) for n, row in enumerate(values)])
    assert conn.execute("SELECT s, b FROM v ORDER BY i").fetchall() == values


@few
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_to_the_last_bit(conn: mizzle.Connection, value: float) -> None:
    [(found,)] = conn.execute("SELECT %s", [value]).fetchall()
    assert found == value  # of -0.0 older servers keep the 0 only
    assert isinstance(found, float)


@few
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=20))
def test_decimals_keep_their_places(conn: mizzle.Connection, value: Decimal) -> None:
    [(found,)] = conn.execute("SELECT %s", [value]).fetchall()
    assert found == value
    assert found.as_tuple().exponent == -20
