"""Numbers as literals in, and out of text rows."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.protocols("prepared")

INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
DOUBLES = [0.1, 1 / 3, -2.5, 1e15, 123456789.123456789, 1.7976931348623157e308, 2.2250738585072014e-308, 1e22, 1e23]
DECIMALS = [Decimal(f"{'9' * 35}.{'9' * 30}"), Decimal("-0." + "0" * 29 + "1"), Decimal(0), Decimal("1E+5")]


def there_and_back(conn: Any, column: str, values: list[Any]) -> list[Any]:
    """Write values into a column of that type and read them."""
    conn.execute(f"CREATE TEMPORARY TABLE v (id INT PRIMARY KEY AUTO_INCREMENT, v {column})")
    conn.cursor().executemany("INSERT INTO v (v) VALUES (%s)", [[value] for value in [*values, None]])
    rows = conn.execute("SELECT v FROM v ORDER BY id").fetchall()
    assert rows.pop() == (None,)
    return [value for (value,) in rows]


def same(found: list[Any], expected: list[Any]) -> bool:
    """Are they equal, also in type?"""
    return [(type(value), value) for value in found] == [(type(value), value) for value in expected]


@pytest.mark.parametrize("name", INTEGERS)
def test_signed(conn: Any, name: str) -> None:
    limit = 1 << (INTEGERS[name] - 1)
    values = [-limit, -1, 0, 1, 9, 10, limit - 1]
    assert same(there_and_back(conn, name, values), values)


@pytest.mark.parametrize("name", INTEGERS)
def test_unsigned(conn: Any, name: str) -> None:
    values = [0, 1, (1 << (INTEGERS[name] - 1)), (1 << INTEGERS[name]) - 1]
    assert same(there_and_back(conn, f"{name} UNSIGNED", values), values)


def test_zerofill(conn: Any) -> None:
    assert same(there_and_back(conn, "INT(6) ZEROFILL", [42]), [42])


def test_integers_longer_than_64_bits_are_decimals(conn: Any) -> None:
    [row] = conn.execute("SELECT %s, %s", [10**30, -(10**64)]).fetchall()
    assert same(list(row), [Decimal(10**30), Decimal(-(10**64))])


def test_decimal(conn: Any) -> None:
    assert same(there_and_back(conn, "DECIMAL(65,30)", DECIMALS), DECIMALS)
    [row] = conn.execute("SELECT CAST(1.5 AS DECIMAL(10,4)), CAST(7 AS DECIMAL(5,0))").fetchall()
    assert [str(value) for value in row] == ["1.5000", "7"]


def test_double(conn: Any) -> None:
    values = [*DOUBLES, *(-value for value in DOUBLES), 0.0]
    assert same(there_and_back(conn, "DOUBLE", values), values)


def test_float_has_the_six_digits_that_the_server_prints(conn: Any) -> None:
    assert same(there_and_back(conn, "FLOAT", [1.5, -0.25, 0.1, 1e-30, 3.4e38]), [1.5, -0.25, 0.1, 1e-30, 3.4e38])
    conn.execute("INSERT INTO v (v) VALUES (%s)", [16777217])
    assert same(list(conn.execute("SELECT v FROM v ORDER BY id DESC LIMIT 1").fetchone()), [16777200.0])


def test_arithmetic_gives_the_types_of_the_server(conn: Any) -> None:
    [row] = conn.execute("SELECT 1 + 1, 1 / 4, 1e0 / 4, 10 DIV 3, 1 = 1, TRUE, COUNT(*), AVG(1), SUM(2)").fetchall()
    expected = [2, Decimal("0.2500"), 0.25, 3, 1, 1, 1, Decimal("1.0000"), Decimal(2)]
    assert same(list(row), expected)


def test_year(conn: Any) -> None:
    assert same(there_and_back(conn, "YEAR", [1901, 2026, 2155, 0]), [1901, 2026, 2155, 0])


@pytest.mark.parametrize("width", [1, 7, 8, 9, 33, 64])
def test_bit_is_bytes(conn: Any, width: int) -> None:
    values = [0, 1, (1 << width) - 1, 1 << (width - 1)]
    size = (width + 7) // 8
    expected = [value.to_bytes(size, "big") for value in values]
    assert same(there_and_back(conn, f"BIT({width})", values), expected)
    conn.execute("DELETE FROM v")
    conn.cursor().executemany("INSERT INTO v (v) VALUES (%s)", [[value] for value in expected])
    assert [value for (value,) in conn.execute("SELECT v FROM v ORDER BY id")] == expected


def test_bool(conn: Any) -> None:
    assert same(there_and_back(conn, "BOOL", [True, False]), [1, 0])
    assert conn.execute("SELECT %s IS TRUE, %s IS FALSE", [True, False]).fetchone() == (1, 1)


def test_enum_members_are_their_values(conn: Any) -> None:
    class Colour(enum.Enum):
        RED = "r"
        NUMBER = 7

    class Level(enum.IntEnum):
        HIGH = 3

    assert conn.execute("SELECT %s, %s, %s", [Colour.RED, Colour.NUMBER, Level.HIGH]).fetchone() == ("r", 7, 3)
