"""StreamingCursor: one batch in memory, and the connection in order whatever becomes of the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mizzle

Connect = Callable[..., mizzle.Connection]
COUNT = 20000
DIGITS = "(SELECT 0 d" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
MANY = (
    "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n, REPEAT('x', 50) "
    f"FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} d, (SELECT 0 d UNION ALL SELECT 1) e"
)


@pytest.fixture
def cur(conn: mizzle.Connection) -> mizzle.StreamingCursor:
    return conn.cursor(mizzle.StreamingCursor)


def test_all_ways_of_fetching(cur: mizzle.StreamingCursor) -> None:
    assert cur.execute(MANY) == cur.rowcount == -1
    assert [column[0] for column in cur.description] == ["n", "REPEAT('x', 50)"]
    seen = {cur.fetchone()[0] for _ in range(1000)}
    assert cur.rownumber == 1000
    seen |= {row[0] for row in cur.fetchmany(5000)}
    for row in cur:
        seen.add(row[0])
        if len(seen) == 9000:
            break
    assert cur.rownumber == 9000
    seen.add(next(cur)[0])
    seen |= {row[0] for row in cur.fetchall()}
    assert len(seen) == COUNT
    assert cur.rownumber == COUNT
    assert cur.fetchone() is None
    assert cur.fetchmany(3) == []
    assert cur.fetchall() == []
    with pytest.raises(StopIteration):
        next(cur)


def test_only_a_batch_is_in_memory(cur: mizzle.StreamingCursor) -> None:
    cur.execute(MANY)
    cur.fetchone()
    assert len(cur._batch) < COUNT / 2
    assert len(cur._result.rows or ()) == 0


def test_the_connection_is_free_at_the_end(conn: mizzle.Connection, cur: mizzle.StreamingCursor) -> None:
    cur.execute(MANY)
    cur.fetchall()
    assert conn.execute("SELECT 1").fetchone() == (1,)
    cur.execute("SELECT 1")
    assert list(cur) == [(1,)]
    conn.ping()


def test_everything_else_is_refused_meanwhile(conn: mizzle.Connection, cur: mizzle.StreamingCursor) -> None:
    cur.execute(MANY)
    cur.fetchone()
    other = conn.cursor()
    for use in (conn.ping, conn.commit, lambda: other.execute("SELECT 1"), lambda: conn.execute("SELECT 1")):
        with pytest.raises(mizzle.InterfaceError, match="StreamingCursor") as caught:
            use()
        assert caught.value.alive
        assert not caught.value.sent
    assert len(cur.fetchall()) == COUNT - 1
    conn.ping()


def test_closing_early(conn: mizzle.Connection) -> None:
    with conn.cursor(mizzle.StreamingCursor) as cur:
        cur.execute(MANY)
        cur.fetchone()
    assert conn.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(mizzle.ProgrammingError, match="closed"):
        cur.fetchone()


def test_executing_again_drops_the_rest(conn: mizzle.Connection, cur: mizzle.StreamingCursor) -> None:
    cur.execute(MANY)
    cur.fetchone()
    cur.execute("SELECT 5")
    assert cur.fetchall() == [(5,)]
    conn.ping()


def test_a_cursor_that_is_gone_does_not_block_the_connection(conn: mizzle.Connection) -> None:
    conn.cursor(mizzle.StreamingCursor).execute(MANY)
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_closing_the_connection_meanwhile(conn: mizzle.Connection, cur: mizzle.StreamingCursor) -> None:
    cur.execute(MANY)
    cur.fetchone()
    conn.close()
    with pytest.raises(mizzle.InterfaceError, match="closed"):
        cur.fetchall()
    cur.close()


def test_results_of_many_statements(connect: Connect) -> None:
    conn = connect(client_flag=1 << 16)
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute(f"SELECT 1; {MANY}; DO 1; SELECT 2")
    assert cur.fetchall() == [(1,)]
    with pytest.raises(mizzle.InterfaceError):
        conn.ping()
    assert cur.nextset() is True
    cur.fetchone()
    assert cur.nextset() is True
    assert cur.description is None
    assert cur.fetchone() is None
    assert cur.nextset() is True
    assert list(cur) == [(2,)]
    assert cur.nextset() is None
    conn.ping()


def test_closing_with_results_left(connect: Connect) -> None:
    conn = connect(client_flag=1 << 16)
    with conn.cursor(mizzle.StreamingCursor) as cur:
        cur.execute(f"SELECT 1; {MANY}; SELECT 2")
    conn.ping()


def test_a_later_statements_error(connect: Connect) -> None:
    conn = connect(client_flag=1 << 16)
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute("SELECT 1; SELEKT")
    with pytest.raises(mizzle.ProgrammingError, match="SELEKT"):
        cur.nextset()
    conn.ping()
    cur.execute("SELECT 1; SELEKT")
    with pytest.raises(mizzle.ProgrammingError, match="SELEKT"):
        cur.close()
    conn.ping()


def test_an_error_at_once(conn: mizzle.Connection, cur: mizzle.StreamingCursor) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="SELEKT"):
        cur.execute("SELEKT")
    with pytest.raises(mizzle.ProgrammingError, match="execute"):
        cur.fetchone()
    conn.ping()


def test_an_error_among_the_rows(conn: mizzle.Connection, cur: mizzle.StreamingCursor) -> None:
    cur.execute(f"SELECT n, (SELECT 1 UNION SELECT IF(n = 15000, 2, 1)) FROM ({MANY}) AS many")
    with pytest.raises(mizzle.Error, match="more than 1 row") as caught:
        cur.fetchall()
    assert caught.value.alive
    conn.ping()


def test_a_statement_without_rows(conn: mizzle.Connection, cur: mizzle.StreamingCursor, booze: str) -> None:
    assert cur.execute(f"INSERT INTO {booze} (name) VALUES ('gin')") == 1
    assert cur.lastrowid == 1
    assert cur.fetchone() is None
    conn.ping()


def test_scroll_goes_forward_only(cur: mizzle.StreamingCursor) -> None:
    cur.execute(MANY)
    cur.scroll(15000)
    assert cur.rownumber == 15000
    with pytest.raises(mizzle.NotSupportedError):
        cur.scroll(-1)
    cur.scroll(COUNT - 1, mode="absolute")
    assert cur.fetchone() is not None
    assert cur.fetchone() is None
    with pytest.raises(IndexError):
        cur.scroll(1)


def test_dict_rows(conn: mizzle.Connection) -> None:
    cur = conn.cursor(mizzle.StreamingDictCursor)
    cur.execute("SELECT 1 AS a UNION ALL SELECT 2")
    assert cur.fetchall() == [{"a": 1}, {"a": 2}]


def test_null_scalars_are_not_the_end(conn: mizzle.Connection) -> None:
    cur = conn.cursor(mizzle.StreamingCursor, row_factory=mizzle.rows.scalar_row)
    cur.execute("SELECT 1 UNION ALL SELECT NULL UNION ALL SELECT 3")
    assert [cur.fetchone(), cur.fetchone(), cur.fetchone()] == [1, None, 3]
