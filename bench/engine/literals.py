"""What it costs to write values into statements, beside PyMySQL: `python bench/engine/literals.py`.

Nothing is sent. CPU time of this process, the best of several rounds, in nanoseconds for one call (or one row).
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import time
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace

from mizzle.engine.insert_values import fold, fold_insert
from mizzle.engine.literals import Literals

try:
    from pymysql.converters import encoders, escape_item
    from pymysql.cursors import Cursor
except ImportError:
    Cursor = None

ROUNDS = 7
ROWS = 20_000
SELECT = "SELECT id, name FROM instances WHERE id = %s AND name = %s AND created < %s"
NAMED = "SELECT id, name FROM instances WHERE id = %(id)s AND name = %(name)s AND created < %(created)s"
INSERT = "INSERT INTO instances (id, name, load_average, created) VALUES (%s, %s, %s, %s)"
VALUES = (12345, "it's a name", dt.datetime(2024, 5, 6, 7, 8, 9, 123456))


def best(call: Callable[[], object], number: int) -> float:
    """Nanoseconds of CPU for one of `number` things done by a call, or for one call of `number`."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.process_time_ns()
        call()
        rounds.append((time.process_time_ns() - begin) / number)
    return min(rounds)


def many(call: Callable[[], object], number: int = 20_000) -> float:
    def loop() -> None:
        for _ in range(number):
            call()

    return best(loop, number)


def pymysql_cursor() -> Cursor | None:
    """PyMySQL's cursor over no connection: it asks its connection for nothing but escape()."""
    if Cursor is None:
        return None
    connection = SimpleNamespace(encoding="utf8", escape=lambda value: escape_item(value, "utf8mb4", encoders))
    return Cursor(connection)


def insert_rows(short: bool) -> list[tuple[int, str, float, dt.datetime]]:
    chance = random.Random(1)
    start = dt.datetime(2024, 1, 1)
    return [
        (number, f"name {number}", number * 0.25 if short else chance.random(), start + dt.timedelta(seconds=number))
        for number in range(ROWS)
    ]


def report(name: str, ours: float, theirs: float | None) -> None:
    beside = "" if theirs is None else f"{theirs:12,.0f}{theirs / ours:9.1f} x"
    print(f"{name:44}{ours:10,.0f}{beside}")


def statements(literals: Literals, cursor: Cursor | None) -> None:
    parameters = dict(zip(("id", "name", "created"), VALUES, strict=True))
    for name, sql, args in (
        ("3 parameters (int, str, datetime)", SELECT, VALUES),
        ("3 named parameters", NAMED, parameters),
        ("IN with 100 numbers", "SELECT 1 WHERE id IN %s", (tuple(range(100)),)),
    ):
        theirs = None
        if cursor is not None and name[:2] != "IN":  # PyMySQL warns that sequences are deprecated
            theirs = many(lambda sql=sql, args=args: cursor.mogrify(sql, args).encode())
        report(name, many(lambda sql=sql, args=args: literals.assemble(sql, args)), theirs)


def values(literals: Literals, cursor: Cursor | None) -> None:
    for name, value in (
        ("None", None),
        ("int", 1234567),
        ("float of few digits", 1234.5),
        ("float of 17 digits", 0.7364528734652345),
        ("Decimal", Decimal("1234.50")),
        ("str, 20 ASCII characters", "x" * 20),
        ("str, 20 Chinese characters", "你" * 20),
        ("str, 100,000 ASCII characters", "x" * 100_000),
        ("bytes, 100,000", b"x" * 100_000),
        ("datetime", VALUES[2]),
        ("timedelta", dt.timedelta(hours=-30, microseconds=5)),
    ):
        number = 200 if name.endswith(("100,000", "100,000 ASCII characters")) else 20_000
        theirs = None
        if cursor is not None:
            escape = cursor.connection.escape
            theirs = many(lambda value=value, escape=escape: escape(value).encode(), number)
        report(name, many(lambda value=value: literals.literal(value), number), theirs)


def folding(literals: Literals, cursor: Cursor | None) -> None:
    folded = fold_insert(INSERT)
    assert folded is not None
    for name, short in (("a row of 4 folded, floats of few digits", True), ("a row of 4 folded, random floats", False)):
        rows = insert_rows(short)
        theirs = None
        if cursor is not None:
            cursor.execute = len
            theirs = best(lambda rows=rows: cursor.executemany(INSERT, rows), ROWS)
        report(name, best(lambda rows=rows: sum(map(len, fold(literals, folded, rows, 1_024_000))), ROWS), theirs)
    fresh = itertools.count()
    report("an INSERT taken apart the first time", many(lambda: fold_insert(f"{INSERT} -- {next(fresh)}"), 500), None)


def main() -> None:
    literals, cursor = Literals(), pymysql_cursor()
    print(
        f"{'nanoseconds of CPU':44}{'mizzle':>10}{'PyMySQL':>12}"
        if cursor
        else "mizzle alone: PyMySQL is not installed"
    )
    statements(literals, cursor)
    values(literals, cursor)
    folding(literals, cursor)


if __name__ == "__main__":
    main()
