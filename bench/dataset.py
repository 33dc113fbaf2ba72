"""The tables, the statements and the right answers. The data are made by the server itself, in a few seconds."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

MAX_ROWS = 1_000_000
WARM_UP_ROWS = 1000

SELECT_ALL = "SELECT id, big, name, price, ratio, created, note FROM bench_rows"
WARM_UP = f"{SELECT_ALL} WHERE id <= {WARM_UP_ROWS}"
POINT_SELECT = "SELECT id, name, price FROM bench_rows WHERE id = %s"
SLEEP = "SELECT SLEEP(0.5)"
INSERT = "INSERT INTO bench_target (id, name, amount, created) VALUES (%s, %s, %s, %s)"
EMPTY_TARGET = "TRUNCATE TABLE bench_target"
TARGET_CHECKSUM = (
    "SELECT COUNT(*), SUM(id), SUM(CHAR_LENGTH(name)), SUM(amount), MIN(created), MAX(created) FROM bench_target"
)

CREATE = (
    "DROP TABLE IF EXISTS bench_rows, bench_target",
    """CREATE TABLE bench_rows (
        id INT PRIMARY KEY, big BIGINT NOT NULL, name VARCHAR(40) NOT NULL, price DECIMAL(12,2) NOT NULL,
        ratio DOUBLE NOT NULL, created DATETIME NOT NULL, note TEXT) CHARACTER SET utf8mb4""",
    """CREATE TABLE bench_target (
        id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, amount DECIMAL(12,2) NOT NULL, created DATETIME NOT NULL)
        CHARACTER SET utf8mb4""",
)
DROP = "DROP TABLE IF EXISTS bench_rows, bench_target"
FILL = """INSERT INTO bench_rows
    WITH RECURSIVE k AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM k WHERE n < 999)
    SELECT n + 1, n * 1000000007, IF(n %% 10 = 0, CONCAT('Zoë Ångström ', n), CONCAT('customer number ', n)),
        (n %% 1000000) / 100, n / 7e0, TIMESTAMP('2024-01-01 00:00:00') + INTERVAL n SECOND,
        IF(n %% 3 = 0, NULL, CONCAT('note ', n, ', a little longer than a name'))
    FROM (SELECT a.n * 1000 + b.n AS n FROM k a JOIN k b) numbers WHERE n < %s"""
CHECKSUM = """SELECT COUNT(*), SUM(id), SUM(big), SUM(CHAR_LENGTH(name)), SUM(price), MIN(created),
    MAX(created), COUNT(note), SUM(CHAR_LENGTH(note)), SUM(ratio) FROM bench_rows"""
TYPES = ("int", "int", "str", "Decimal", "float", "datetime", "str")


def plain(values: Iterable[Any]) -> list[str]:
    """Values as text that is the same whichever numeric type the server chose for a sum."""
    return [format(Decimal(v).normalize(), "f") if isinstance(v, int | float | Decimal) else str(v) for v in values]


def checksum(rows: Sequence[Sequence[Any]]) -> list[str]:
    """What CHECKSUM says of these rows, and the types that came."""
    ids, bigs, names, prices, ratios, created, notes = zip(*rows, strict=True)
    texts = [note for note in notes if note is not None]
    sums = (len(rows), sum(ids), sum(bigs), sum(map(len, names)), sum(prices))
    types = [type(value).__name__ for value in rows[1]]
    return [
        *plain([*sums, min(created), max(created), len(texts), sum(map(len, texts))]),
        _rounded(sum(ratios)),
        *types,
    ]


def expected_checksum(row: Iterable[Any]) -> list[str]:
    *exact, ratios = row
    return [*plain(exact), _rounded(ratios), *TYPES]


def _rounded(value: float) -> str:
    """The sum of many doubles depends on the order in its last digits."""
    return f"{value:.9g}"


def some_ids(start: int, count: int, rows: int) -> list[int]:
    """`count` keys spread over the table; the same for every driver."""
    return [(start * 7919 + number * 104729) % rows + 1 for number in range(count)]


def insert_rows(count: int) -> list[tuple[int, str, Decimal, datetime.datetime]]:
    start = datetime.datetime(2024, 1, 1)
    return [
        (number, f"O'Brien number {number}", Decimal(number) / 100, start + datetime.timedelta(seconds=number))
        for number in range(1, count + 1)
    ]


def target_checksum(rows: Sequence[tuple[int, str, Decimal, datetime.datetime]]) -> list[str]:
    """What TARGET_CHECKSUM must say when these rows were inserted."""
    ids, names, amounts, created = zip(*rows, strict=True)
    return plain([len(rows), sum(ids), sum(map(len, names)), sum(amounts), min(created), max(created)])
