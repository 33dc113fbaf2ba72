"""Text and binary protocol say the same: whatever is written in either is read back alike in both."""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import mizzle
from mizzle.testing import Server

FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value == 0 or abs(value) > 1e-300)
MOMENTS = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59))
LATIN1 = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30)
HIGHEST = dt.timedelta(hours=838, minutes=59, seconds=59)
HIGHEST_SECONDS = int(HIGHEST.total_seconds())
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)


def decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    limit = 10**digits - 1
    return st.integers(-limit, limit).map(lambda value: Decimal(f"{value}E-{scale}"))


# Column: what is written, and whether it is read back as it was written.
COLUMNS: dict[str, tuple[str, st.SearchStrategy[Any], bool]] = {
    "i1": ("TINYINT", st.integers(-128, 127), True),
    "u1": ("TINYINT UNSIGNED", st.integers(0, 255), True),
    "i2": ("SMALLINT", st.integers(-(2**15), 2**15 - 1), True),
    "u2": ("SMALLINT UNSIGNED", st.integers(0, 2**16 - 1), True),
    "u3": ("MEDIUMINT UNSIGNED", st.integers(0, 2**24 - 1), True),
    "i3": ("MEDIUMINT", st.integers(-(2**23), 2**23 - 1), True),
    "i4": ("INT", st.integers(-(2**31), 2**31 - 1), True),
    "u4": ("INT UNSIGNED", st.integers(0, 2**32 - 1), True),
    "i8": ("BIGINT", st.integers(-(2**63), 2**63 - 1), True),
    "u8": ("BIGINT UNSIGNED", st.integers(0, 2**64 - 1), True),
    "z": ("INT(9) ZEROFILL", st.integers(0, 2**32 - 1), True),
    "f4": ("FLOAT", SINGLES, False),
    "f8": ("DOUBLE", FLOATS, True),
    "f2": ("DOUBLE(10,2)", st.floats(-1e6, 1e6), False),
    "d": ("DECIMAL(65,30)", decimals(65, 30), True),
    "d0": ("DECIMAL(10,0)", decimals(10, 0), True),
    "t3": ("DATETIME(3)", MOMENTS.map(lambda value: value.replace(microsecond=value.microsecond // 1000 * 1000)), True),
    "clock0": ("TIME", st.integers(-HIGHEST_SECONDS, HIGHEST_SECONDS).map(lambda n: dt.timedelta(seconds=n)), True),
    "day": ("DATE", st.dates(), True),
    "t0": ("DATETIME", MOMENTS.map(lambda value: value.replace(microsecond=0)), True),
    "t6": ("DATETIME(6)", MOMENTS, True),
    "ts": ("TIMESTAMP(6) NULL", st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2038, 1, 18)), True),
    "clock": ("TIME(6)", st.timedeltas(-HIGHEST, HIGHEST), True),
    "y": ("YEAR", st.integers(1901, 2155), True),
    "bit1": ("BIT(1)", st.sampled_from([b"\0", b"\1"]), True),
    "bit": ("BIT(64)", st.binary(min_size=8, max_size=8), True),
    "c": ("CHAR(20)", st.text(max_size=20).map(lambda text: text.rstrip(" ")), True),
    "fb": ("BINARY(4)", st.binary(min_size=4, max_size=4), True),
    "tt": ("TINYTEXT", st.text(max_size=60), True),
    "mb": ("MEDIUMBLOB", st.binary(max_size=300), True),
    "s": ("VARCHAR(100)", st.text(max_size=100), True),
    "l": ("VARCHAR(100) CHARACTER SET latin1", LATIN1, True),
    "x": ("TEXT", st.text(max_size=2000), True),
    "b": ("LONGBLOB", st.binary(max_size=2000), True),
    "vb": ("VARBINARY(100)", st.binary(max_size=100), True),
    "e": ("ENUM('a','€','')", st.sampled_from(["a", "€", ""]), True),
    "se": ("SET('a','b','c')", st.sampled_from(["", "a", "a,c", "a,b,c"]), True),
    "g": ("GEOMETRY", st.tuples(FLOATS, FLOATS).map(lambda at: struct.pack("<IBIdd", 0, 1, 1, *at)), True),
    "j": ("JSON", st.dictionaries(st.text("ab", max_size=3), st.integers(0, 9)).map(json.dumps), False),
}
ROWS = st.fixed_dictionaries({name: st.none() | values for name, (_, values, _) in COLUMNS.items()})
INSERT = f"REPLACE INTO v (id, {', '.join(COLUMNS)}) VALUES (%(id)s, {', '.join(f'%({name})s' for name in COLUMNS)})"
SELECT = f"SELECT {', '.join(COLUMNS)} FROM v WHERE id = %s"


#: The least and the greatest of each, and nothing where there is such a thing: hypothesis need not find them.
POINT = struct.pack("<IBIdd", 0, 1, 1, -1.7976931348623157e308, 2.2250738585072014e-308)
LEAST = {
    "i1": -128, "u1": 0, "i2": -(2**15), "u2": 0, "u3": 0, "i3": -(2**23), "i4": -(2**31), "u4": 0, "i8": -(2**63),
    "u8": 0, "z": 0, "f4": -3.4028234663852886e38, "f8": -1.7976931348623157e308, "f2": -99999999.99,
    "d": Decimal("-" + "9" * 35 + "." + "9" * 30), "d0": Decimal("-9999999999"), "day": dt.date(1, 1, 1),
    "t0": dt.datetime(1, 1, 1), "t3": dt.datetime(1, 1, 1), "t6": dt.datetime(1, 1, 1, 0, 0, 0, 1),
    "ts": dt.datetime(1970, 1, 1, 0, 0, 1), "clock0": -HIGHEST, "clock": -HIGHEST, "y": 1901, "bit1": b"\0",
    "bit": bytes(8), "c": "", "fb": bytes(4), "tt": "", "mb": b"", "s": "", "l": "", "x": "", "b": b"", "vb": b"",
    "e": "", "se": "", "g": POINT, "j": "{}",
}  # fmt: skip
GREATEST = {
    "i1": 127, "u1": 255, "i2": 2**15 - 1, "u2": 2**16 - 1, "u3": 2**24 - 1, "i3": 2**23 - 1, "i4": 2**31 - 1,
    "u4": 2**32 - 1, "i8": 2**63 - 1, "u8": 2**64 - 1, "z": 2**32 - 1, "f4": 3.4028234663852886e38,
    "f8": 1.7976931348623157e308, "f2": 99999999.99, "d": Decimal("9" * 35 + "." + "9" * 30),
    "d0": Decimal("9999999999"), "day": dt.date(9999, 12, 31), "t0": dt.datetime(9999, 12, 31, 23, 59, 59),
    "t3": dt.datetime(9999, 12, 31, 23, 59, 59, 999000), "t6": dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
    "ts": dt.datetime(2038, 1, 19, 3, 14, 7, 499999), "clock0": HIGHEST, "clock": HIGHEST, "y": 2155, "bit1": b"\1",
    "bit": b"\xff" * 8, "c": "\U0010ffff" * 20, "fb": b"\xff" * 4, "tt": "\U0010ffff" * 63, "mb": b"\xff" * 70_000,
    "s": "\U0010ffff" * 100, "l": "ÿ" * 100, "x": "€" * 21_845, "b": bytes(range(256)) * 300, "vb": b"\0\xff" * 50,
    "e": "€", "se": "a,b,c", "g": POINT, "j": json.dumps({"a": [None, True, "€"]}),
}  # fmt: skip
LEAST_PARTS = {
    "clock": dt.timedelta(microseconds=-1), "clock0": dt.timedelta(seconds=-1),
    "t6": dt.datetime(2000, 2, 29, 0, 0, 0, 1), "f8": 2.2250738585072014e-308,
    "f4": -0.0, "d": Decimal("-1E-30"), "i8": -1, "y": 2000, "i1": 0,
}  # fmt: skip
NOTHING = dict.fromkeys(COLUMNS)


@pytest.fixture(scope="module")
def wide(server: Server) -> Iterator[Any]:
    """A connection with a table of every type."""
    with mizzle.connect(**server.connect_args(autocommit=True, sql_mode="ALLOW_INVALID_DATES")) as conn:
        conn.execute("SET time_zone = '+00:00'")
        columns = ", ".join(f"{name} {column}" for name, (column, _, _) in COLUMNS.items())
        conn.execute(f"CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
        yield conn


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(ROWS)
@example(NOTHING)
@example(LEAST)
@example(GREATEST)
@example(NOTHING | LEAST_PARTS)
@pytest.mark.feature("rows and parameters of every type, text and binary")
def test_what_is_written_is_read_back(wide: Any, row: dict[str, Any]) -> None:
    read = []
    for number, written in enumerate((False, True)):
        wide.execute(INSERT, row | {"id": number}, prepare=written)
        read += [wide.execute(SELECT, (number,), prepare=binary).fetchone() for binary in (False, True)]
    for found in read:
        for name, value in zip(COLUMNS, found, strict=True):
            if COLUMNS[name][2]:
                assert (type(value), value) == (type(row[name]), row[name]), name
        assert [(type(value), value) for value in found] == [(type(value), value) for value in read[0]]


FRAME = 0xFFFFFF


@pytest.mark.parametrize("size", [FRAME + 1])
def test_values_over_16_megabytes(server: Server, size: int) -> None:
    """As bytes and as text, each in both protocols; the value itself, and its row, are longer than a frame holds."""
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    values = (data, "é" + "x" * (size - 2))
    with mizzle.connect(**server.connect_args(autocommit=True, ssl_mode="disabled")) as conn:
        conn.execute("CREATE TEMPORARY TABLE v (id INT, b LONGBLOB, t LONGTEXT CHARACTER SET utf8mb4) ENGINE=MyISAM")
        for way in (False, True):
            conn.execute("INSERT INTO v VALUES (%s, %s, NULL)", (way, values[0]), prepare=way)
            conn.execute("INSERT INTO v VALUES (%s, NULL, %s)", (2 + way, values[1]), prepare=way)
        for way, kind in ((False, mizzle.StreamingCursor), (True, mizzle.StreamingCursor), (True, mizzle.Cursor)):
            with conn.cursor(kind) as cursor:
                cursor.execute("SELECT b, t FROM v ORDER BY id", (), prepare=way)
                for number in range(4):
                    row = cursor.fetchone()
                    assert row[number // 2] == values[number // 2]
                    assert row[1 - number // 2] is None
                assert cursor.fetchone() is None


SPECIAL = [
    "CAST(NULL AS SIGNED), NULL, 1 + 1, 1 / 3, 1e0 / 3, 1e22, 1e-20, -0e0, TRUE, PI(), 0.1 + 0.2",
    "CAST('2024-02-29' AS DATE), CAST('838:59:59' AS TIME), CAST('-00:00:00.5' AS TIME(1)), NOW(6) IS NULL",
    "MAKETIME(-838, 59, 59), TIMEDIFF('10:00:00', '34:30:15.5'), STR_TO_DATE('2024', '%%Y'), SEC_TO_TIME(1.5)",
    "REPEAT('ä', 70000), _binary X'00FF', _latin1 X'E4', CONCAT('a', 1), '', _utf8mb4'', HEX('x'), b'101'",
    "ST_GeomFromText('POINT(1 2)'), JSON_OBJECT('a', 1), SUM(1), COUNT(*), AVG(2), MAX(1.50), GROUP_CONCAT(1)",
    "ROUND(2.345e0, 2), ROUND(2.5e0), ROUND(1.05, 1), SQRT(2), FLOOR(1e20), CAST(1.1 AS DOUBLE), RAND() < 2",
]


@pytest.mark.parametrize("zero_dates", ["none", "str"])
def test_expressions(server: Server, zero_dates: str) -> None:
    with mizzle.connect(**server.connect_args(zero_dates=zero_dates, sql_mode="")) as conn:
        for expressions in SPECIAL:
            text, binary = (
                [(type(value), value) for value in conn.execute(f"SELECT {expressions}", (), prepare=way).fetchone()]
                for way in (False, True)
            )
            assert text == binary


def test_converters_get_the_same_text(server: Server) -> None:
    """Whatever a type: what a converter is given has been printed as the server prints it."""
    with mizzle.connect(**server.connect_args(autocommit=True, conv=dict.fromkeys(range(256), str))) as conn:
        conn.execute(
            "CREATE TEMPORARY TABLE v (z INT(9) ZEROFILL, f FLOAT, g DOUBLE, h FLOAT(10,3), i DOUBLE(10,2), "
            "d DECIMAL(10,3), t TIME(2), m DATETIME(3), n DATETIME, y YEAR, s VARCHAR(9), u BIGINT UNSIGNED)"
        )
        numbers = [0, 1.5, -2.25, 1e10, 123456789.125, 1e-5, 3e38, 1e14, 1e15, 1e16, 0.1, 1 / 3, -1e-15, 1e-14, 5e-324]
        for number in numbers:
            conn.execute(
                "INSERT IGNORE INTO v VALUES (42, %s, %s, %s, %s, 1.5, '-01:02:03.4', '2024-01-02 03:04:05.678', "
                "'2024-01-02', 2024, 'x', 18446744073709551615)",
                (number, number, number, number),
            )
        text, binary = (conn.execute("SELECT * FROM v", (), prepare=way).fetchall() for way in (False, True))
        assert text == binary
        assert len(text) == len(numbers)
