"""Results that are read as they come."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle import rows

pytestmark = pytest.mark.protocols("zlib", "zstd")

COUNT = 20_000  # more than one batch and one socket buffer: 2 MB
DIGITS = "(SELECT 0 d" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
PLACES = ", ".join(f"{DIGITS} AS p{n}" for n in range(4))
MANY = (
    f"SELECT p3.d * 2000 + p2.d * 200 + p1.d * 20 + p0.d * 2 + b AS n, REPEAT('x', 100) AS x "
    f"FROM {PLACES}, (SELECT 0 b UNION ALL SELECT 1) AS bit"
)


@pytest.fixture
def cur(conn: Any) -> Any:
    with conn.cursor(mizzle.StreamingCursor) as made:
        yield made


@pytest.mark.feature("streamed results")
def test_all_rows(conn: Any, cur: Any) -> None:
    assert cur.execute(MANY) == -1
    assert cur.rowcount == -1
    assert sorted(n for n, _ in cur) == list(range(COUNT))
    assert cur.fetchone() is None
    conn.ping()


def test_ways_of_fetching(cur: Any) -> None:
    cur.execute(f"{MANY} ORDER BY n")
    assert cur.fetchone()[0] == 0
    assert [n for n, _ in cur.fetchmany(3)] == [1, 2, 3]
    assert cur.rownumber == 4
    for n, _ in cur:
        if n == 9999:
            break
    cur.scroll(100)
    assert cur.fetchone()[0] == 10_100
    assert [n for n, _ in cur.fetchall()] == list(range(10_101, COUNT))
    assert cur.fetchmany(5) == []


def test_half_read_and_closed(conn: Any) -> None:
    for _ in range(3):
        with conn.cursor(mizzle.StreamingCursor) as cur:
            cur.execute(MANY)
            assert len(cur.fetchmany(700)) == 700
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_half_read_and_used_again(conn: Any, cur: Any) -> None:
    cur.execute(MANY)
    cur.fetchone()
    cur.execute("SELECT 2")
    assert cur.fetchall() == [(2,)]
    conn.ping()


def test_half_read_and_forgotten(conn: Any) -> None:
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute(MANY)
    cur.fetchone()
    del cur
    assert conn.execute("SELECT 3").fetchone() == (3,)


def test_half_read_and_the_connection_closed(connect: Callable[..., Any], admin: Any) -> None:
    conn = connect()
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute(MANY)
    cur.fetchone()
    conn.close()
    admin.until(lambda: admin.sessions("id = %s", [conn.thread_id()]) == 0)
    with pytest.raises(mizzle.Error, match="closed"):
        cur.fetchall()


def test_nothing_else_until_it_is_read(conn: Any, cur: Any) -> None:
    cur.execute(MANY)
    other = conn.cursor()
    streaming = conn.cursor(mizzle.StreamingCursor)
    for use in (
        conn.ping,
        conn.commit,
        conn.stat,
        lambda: other.execute("SELECT 1"),
        lambda: streaming.execute("DO 1"),
    ):
        with pytest.raises(mizzle.InterfaceError, match="has not fetched all of its rows") as refused:
            use()
        assert not refused.value.sent
    assert len(cur.fetchall()) == COUNT
    other.execute("SELECT 1")
    assert other.fetchall() == [(1,)]


def test_no_rows(conn: Any, cur: Any) -> None:
    cur.execute("SELECT 1 FROM DUAL WHERE 1 = 0")
    assert cur.fetchone() is None
    cur.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY AUTO_INCREMENT, n INT)")
    assert cur.execute("INSERT INTO v (n) VALUES (1), (2)") == 2
    assert cur.lastrowid == 1
    assert cur.fetchall() == []
    conn.ping()


@dataclasses.dataclass
class Pair:
    n: int
    x: str


@pytest.mark.parametrize("kind", [mizzle.Cursor, mizzle.StreamingCursor])
def test_row_factories(conn: Any, kind: Any) -> None:
    def first(factory: Any) -> Any:
        with conn.cursor(kind, row_factory=factory) as cur:
            cur.execute("SELECT 1 AS n, 'a' AS x UNION ALL SELECT 2, 'b'")
            return cur.fetchall()

    assert first(rows.tuple_row) == [(1, "a"), (2, "b")]
    assert first(rows.dict_row) == [{"n": 1, "x": "a"}, {"n": 2, "x": "b"}]
    assert [(row.n, row.x) for row in first(rows.namedtuple_row)] == [(1, "a"), (2, "b")]
    assert first(rows.class_row(Pair)) == [Pair(1, "a"), Pair(2, "b")]
    assert first(rows.args_row(Pair)) == [Pair(1, "a"), Pair(2, "b")]
    assert first(rows.scalar_row) == [1, 2]


@pytest.mark.parametrize("kind", [mizzle.DictCursor, mizzle.StreamingDictCursor])
def test_dict_cursors(connect: Callable[..., Any], kind: Any) -> None:
    conn = connect(cursorclass=kind)
    with conn.cursor() as cur:
        cur.execute("SELECT a.n, b.n FROM (SELECT 1 n) a, (SELECT 2 n) b")
        assert cur.fetchall() == [{"n": 1, "b.n": 2}]


def test_batches_with_a_factory(conn: Any) -> None:
    with conn.cursor(mizzle.StreamingDictCursor) as cur:
        cur.execute(MANY)
        assert sum(row["n"] for row in cur) == COUNT * (COUNT - 1) // 2


def test_rows_longer_than_a_buffer(cur: Any) -> None:
    cur.execute(f"SELECT REPEAT('y', 300000) FROM {DIGITS} AS d")
    assert [len(value) for (value,) in cur] == [300_000] * 10
