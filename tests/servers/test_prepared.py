"""Prepared statements with real servers: asked for, and by themselves; what the server has forgotten; many at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server

pytestmark = pytest.mark.text_only

Connect = Callable[..., Any]


def counted(conn: Any, name: str) -> int:
    return int(conn.execute(f"SHOW SESSION STATUS LIKE 'Com_stmt_{name}'").fetchone()[1])


def server_knows(admin: Any, conn: Any) -> int:
    """How many statements of this session are prepared: others may still be leaving, with theirs."""
    [(count,)] = admin.execute(
        "SELECT COUNT(*) FROM performance_schema.prepared_statements_instances JOIN performance_schema.threads "
        "ON owner_thread_id = thread_id WHERE processlist_id = %s",
        [conn.thread_id()],
    )
    return int(count)


@pytest.fixture
def filled(conn: Any) -> Any:
    conn.execute("CREATE TEMPORARY TABLE v (k INT PRIMARY KEY, v VARCHAR(200), b LONGBLOB)")
    conn.cursor().executemany("INSERT INTO v (k, v) VALUES (%s, %s)", [(n, f"v{n}") for n in range(100)])
    return conn


# -- asked for ---------------------------------------------------------------------------------------------------------


@pytest.mark.feature("prepare, execute, introspection")
def test_a_statement(filled: Any, server: Server) -> None:
    with filled.prepare("SELECT k, v FROM v WHERE k > %(low)s AND k < %(low)s + 3 ORDER BY k") as statement:
        assert [column.name for column in statement.columns] == ["k", "v"]
        assert [each[0] for each in statement.description] == ["k", "v"]
        assert len(statement.parameters) == 2
        assert statement.execute({"low": 5}).fetchall() == [(6, "v6"), (7, "v7")]
        assert statement.execute({"low": 97}).fetchall() == [(98, "v98"), (99, "v99")]
        assert counted(filled, "prepare") == 1
        assert "v WHERE" in repr(statement)
    with pytest.raises(mizzle.ConnectionClosed, match="prepare it again"):
        statement.execute({"low": 1})
    statement.close()
    filled.ping()
    assert counted(filled, "close") == (1 if server.is_mariadb else counted(filled, "close"))


def test_a_statement_without_rows(filled: Any) -> None:
    with filled.prepare("UPDATE v SET v = %s WHERE k = %s") as statement:
        assert statement.columns is statement.description is None
        assert statement.execute(("new", 1)).rowcount == 1
        assert statement.executemany([("a", 2), (None, 3), ("c", 1000)]) == 2
        assert statement.executemany([("b", 2), ("x", 3)], pipeline=True) == 2
    assert filled.execute("SELECT v FROM v WHERE k IN (1, 2, 3) ORDER BY k").fetchall() == [("new",), ("b",), ("x",)]


def test_a_statement_outlives_a_reset(connect: Connect) -> None:
    conn = connect(autocommit=True)
    statement = conn.prepare("SELECT %s + 1")
    for forget in (conn.reset, lambda: conn.set_charset("latin1"), lambda: conn.set_charset("utf8mb4")):
        assert statement.execute((1,)).fetchone() == (2,)
        forget()
    assert statement.execute((1,)).fetchone() == (2,)


@pytest.mark.feature("COM_STMT_CLOSE without a round trip")
def test_closing_costs_no_command_of_its_own(admin: Any, conn: Any) -> None:
    statements = [conn.prepare("SELECT 1") for _ in range(5)]
    assert server_knows(admin, conn) == 5
    for statement in statements:
        statement.close()
    conn.ping()
    assert server_knows(admin, conn) == 0


def test_execute_with_prepare(filled: Any) -> None:
    for number in range(3):
        cur = filled.execute("SELECT v, 100 %% 7 FROM v WHERE k = %s", (number,), prepare=True)
        assert cur.fetchone() == (f"v{number}", 2)
    assert filled.execute("SELECT 100 % 7", prepare=True).fetchone() == (2,)
    assert counted(filled, "prepare") == 2
    with filled.cursor(mizzle.StreamingCursor) as cur:
        cur.execute("SELECT k FROM v WHERE k < %s", (50,), prepare=True)
        assert len(cur.fetchall()) == 50


@pytest.mark.parametrize(
    ("sql", "args", "words"),
    [
        ("SELECT '%s'", ("x",), "in quotes"),
        ("SELECT k FROM v ORDER BY %s", (1,), "ORDER BY"),
        ("SELECT k FROM v WHERE k IN %s", ([1, 2],), "more than one parameter"),
        ("SELEKT %s", (1,), "syntax"),
        ("SELECT 1; SELECT %s", (2,), "syntax"),
    ],
)
def test_what_cannot_be_prepared(filled: Any, sql: str, args: Any, words: str) -> None:
    with pytest.raises(mizzle.Error, match=words) as refused:
        filled.execute(sql, args, prepare=True)
    assert refused.value.alive
    assert filled.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.feature("COM_STMT_SEND_LONG_DATA, COM_STMT_RESET")
def test_a_file_as_a_parameter(filled: Any) -> None:
    data = bytes(range(256)) * 4096
    with filled.prepare("UPDATE v SET b = %s WHERE k = %s") as statement:
        statement.execute((io.BytesIO(data), 1))
        statement.execute((io.BytesIO(b""), 2))
        with pytest.raises(ZeroDivisionError):
            statement.execute((Failing(), 3))
        statement.execute((b"small", 3))
    found = filled.execute("SELECT b FROM v WHERE k IN (1, 2, 3) ORDER BY k").fetchall()
    assert found == [(data,), (b"",), (b"small",)]


class Failing:
    """A file that ends in an error."""

    def __init__(self) -> None:
        self._pieces = iter([b"x" * 100_000])

    def read(self, size: int) -> bytes:
        return next(self._pieces, None) or bytes(1 // (size - size))


# -- by themselves -----------------------------------------------------------------------------------------------------


@pytest.mark.feature("statements prepared by themselves")
def test_a_statement_seen_often_is_prepared(connect: Connect) -> None:
    conn = connect(autocommit=True, prepare_threshold=3)
    for number in range(6):
        assert conn.execute("SELECT %s + 1", (number,)).fetchone() == (number + 1,)
        assert conn.execute("SELECT %(a)s", {"a": "x"}, prepare=False).fetchone() == ("x",)
    assert (counted(conn, "prepare"), counted(conn, "execute")) == (1, 4)


def test_never_unless_asked_for(conn: Any) -> None:
    for number in range(20):
        conn.execute("SELECT %s", (number,))
    assert counted(conn, "prepare") == 0


def test_what_means_something_else_stays_text(connect: Connect) -> None:
    conn = connect(autocommit=True, prepare_threshold=1, cursorclass=None)
    conn.execute("CREATE TEMPORARY TABLE v (a INT, b INT)")
    conn.execute("INSERT INTO v VALUES (1, 9), (2, 8)")
    for _ in range(3):
        assert conn.execute("SELECT a FROM v ORDER BY %s", (1,)).fetchall() == [(1,), (2,)]
        assert conn.execute("SELECT 2 IN %s", ([1, 2],)).fetchone() == (1,)
        assert conn.execute("SELECT /* %s */ %s", (1, 2)).fetchone() == (2,)
        with pytest.raises(mizzle.ProgrammingError) as failed:
            conn.execute("SELEKT %s", (1,))
        assert failed.value.args[0] == 1064
    assert counted(conn, "execute") == 0


@pytest.mark.feature("statements prepared by themselves")
def test_the_cache_keeps_those_used_last(connect: Connect, admin: Any) -> None:
    conn = connect(autocommit=True, prepare_threshold=1, prepared_cache_size=3)
    for _ in range(2):
        for number in range(10):
            assert conn.execute(f"SELECT %s + {number}", (1,)).fetchone() == (1 + number,)
    conn.ping()
    assert server_knows(admin, conn) == 3
    prepared = counted(conn, "prepare")
    for number in (7, 8, 9):
        conn.execute(f"SELECT %s + {number}", (1,))
    assert counted(conn, "prepare") == prepared


def test_a_lifetime(connect: Connect) -> None:
    conn = connect(autocommit=True, prepare_threshold=1, prepared_lifetime=1e-9)
    for number in range(3):
        assert conn.execute("SELECT %s + 1", (number,)).fetchone() == (number + 1,)
    assert counted(conn, "prepare") == 3


@pytest.mark.feature("prepared again after DDL, a reset, another login, a loss")
def test_after_a_reset_and_another_login(connect: Connect, server: Server) -> None:
    conn = connect(autocommit=True, prepare_threshold=1)
    account = server.connect_args()
    for forget in (
        lambda: None,
        conn.reset,
        lambda: conn.change_user(account["user"], account["password"], account["database"]),
    ):
        forget()
        for number in range(2):
            assert conn.execute("SELECT %s, 'ä'", (number,)).fetchone() == (number, "ä")


@pytest.mark.feature("prepared again after DDL, a reset, another login, a loss")
def test_after_ddl(connect: Connect, table: Callable[[str], str]) -> None:
    conn = connect(autocommit=True, prepare_threshold=1)
    name = table("a INT")
    conn.execute(f"INSERT INTO {name} VALUES (1)")
    select = f"SELECT * FROM {name} WHERE a = %s"
    assert conn.execute(select, (1,)).fetchall() == [(1,)]
    for change, rows in (
        ("ADD b VARCHAR(10) DEFAULT 'x'", [(1, "x")]),
        ("MODIFY b TEXT, ADD c DATE", [(1, "x", None)]),
        ("DROP b", [(1, None)]),
    ):
        conn.execute(f"ALTER TABLE {name} {change}")
        assert conn.execute(select, (1,)).fetchall() == rows
        assert conn.execute(select, (1,)).fetchall() == rows


@pytest.mark.parametrize("asked", [None, True])
def test_after_another_character_set(connect: Connect, table: Callable[[str], str], asked: bool | None) -> None:
    """MySQL prepares anew by itself, but goes on turning the parameter into what the column was (3988)."""
    conn = connect(autocommit=True, prepare_threshold=1)
    name = table("a VARCHAR(20) CHARACTER SET latin1")
    insert = f"INSERT INTO {name} VALUES (%s)"
    conn.execute(insert, ("ä",), prepare=asked)
    with pytest.raises(mizzle.Error) as refused:
        conn.execute(insert, ("日本",), prepare=asked)
    assert refused.value.alive
    conn.execute(f"ALTER TABLE {name} MODIFY a VARCHAR(20) CHARACTER SET utf8mb4")
    for _ in range(2):
        conn.execute(insert, ("日本",), prepare=asked)
    assert conn.execute(f"SELECT a FROM {name} ORDER BY a").fetchall() == [("ä",), ("日本",), ("日本",)]


@pytest.mark.feature("prepared again after DDL, a reset, another login, a loss")
def test_a_statement_that_the_server_has_lost(connect: Connect) -> None:
    """As behind a proxy that leads to another server."""
    conn = connect(autocommit=True, prepare_threshold=1)
    assert conn.execute("SELECT %s + 1", (1,)).fetchone() == (2,)
    [kept] = [each for each in conn._statements.statements.values() if each is not None]
    lose(conn, kept)
    assert conn.execute("SELECT %s + 1", (2,)).fetchone() == (3,)
    assert conn.execute("SELECT %s + 1", (3,)).fetchone() == (4,)


def lose(conn: Any, statement: Any) -> None:
    """Have the server forget it, and nobody else."""
    from mizzle.engine import statements  # noqa: PLC0415

    session = statement.session
    statements.forget(conn._engine, statement)
    conn.ping()
    statement.session = session


def test_types_that_change_from_time_to_time(connect: Connect) -> None:
    conn = connect(autocommit=True, prepare_threshold=1)
    conn.execute("CREATE TEMPORARY TABLE v (n BIGINT UNSIGNED, f DOUBLE, s VARCHAR(50), b VARBINARY(50))")
    rows = [(1, 1.5, "a", b"\xff"), (None, None, None, None), (2**64 - 1, 7, 12, "x"), (2.0, 2, "b", b"")]
    for row in rows:
        conn.execute("INSERT INTO v VALUES (%s, %s, %s, %s)", row)
    assert conn.execute("SELECT * FROM v WHERE f = %s", (1.5,)).fetchall() == [rows[0]]
    assert conn.execute("SELECT * FROM v WHERE f = %s", (7,)).fetchall() == [(2**64 - 1, 7.0, "12", b"x")]
    assert conn.execute("SELECT %s", (2**64 - 1,)).fetchone() == (2**64 - 1,)
    assert conn.execute("SELECT %s", ("x",)).fetchone() == ("x",)
    assert conn.execute("SELECT %s", (1.5,)).fetchone() == (1.5,)


# -- many at once ------------------------------------------------------------------------------------------------------


def test_changes_of_many_rows(filled: Any, server: Server) -> None:
    cur = filled.cursor()
    rows = [(f"w{n}" if n % 3 else None, n) for n in range(100)]
    assert cur.executemany("UPDATE v SET v = %s WHERE k = %s", iter(rows)) == 100
    assert cur.rowcount == 100
    assert filled.execute("SELECT v, k FROM v ORDER BY k").fetchall() == rows
    assert cur.executemany("DELETE FROM v WHERE k = %(k)s", [{"k": 1}, {"k": 2.0}, {"k": "3"}, {"k": None}]) == 3
    assert cur.executemany("DELETE FROM v WHERE k IN %s", [([4, 5],), ([6],)]) == 3
    assert cur.executemany("INSERT INTO v (k) SELECT %s + k FROM (SELECT 50 AS k) AS other", [(1000,), (2000,)]) == 2
    assert server.is_mariadb == bool(filled._engine.capabilities >> 34 & 1)


def test_a_change_that_fails_leaves_the_rows_behind_it_alone(filled: Any) -> None:
    cur = filled.cursor()
    with pytest.raises(mizzle.IntegrityError) as failed:
        cur.executemany("UPDATE v SET k = %s WHERE k = %s", [(1000, 1), (5, 2), (1002, 3), (1003, 4)])
    assert failed.value.alive
    assert filled.execute("SELECT k FROM v WHERE k < 4 OR k > 999 ORDER BY k").fetchall() == [(0,), (2,), (3,), (1000,)]
    with pytest.raises(mizzle.ProgrammingError, match="parameter 1: ") as refused:
        cur.executemany("UPDATE v SET v = %s WHERE k = %s", [("a", 4), ("b", 5), (object(), 6), ("c", 7)])
    assert refused.value.row == 2
    assert filled.execute("SELECT v FROM v WHERE k IN (4, 5, 6) ORDER BY k").fetchall() == [("a",), ("b",), ("v6",)]


@pytest.mark.feature("pipelined executions")
def test_a_pipeline(filled: Any) -> None:
    cur = filled.cursor()
    rows = [("x" * (n % 200), n) for n in range(100)] * 30
    assert cur.executemany("UPDATE v SET v = %s WHERE k = %s", rows, pipeline=True) == 100
    filled.begin()
    with pytest.raises(mizzle.IntegrityError) as failed:
        cur.executemany(
            "INSERT INTO v (k) VALUES (%s)", [(n,) for n in [*range(1000, 4000), 5, *range(5000, 9000)]], pipeline=True
        )
    assert (failed.value.row, failed.value.alive) == (3000, True)
    filled.rollback()
    assert cur.executemany("DELETE FROM v WHERE k = %s", [(n,) for n in range(50)], pipeline=True) == 50
    assert filled.execute("SELECT COUNT(*) FROM v").fetchone() == (50,)


# -- cursors of the server ---------------------------------------------------------------------------------------------


@pytest.fixture
def numbers(filled: Any) -> Any:
    with filled.cursor(mizzle.ServerCursor) as made:
        made.fetch_size = 7
        yield made


@pytest.mark.feature("server cursors (COM_STMT_FETCH)")
def test_a_server_cursor_leaves_the_connection_free(filled: Any, numbers: Any) -> None:
    assert numbers.execute("SELECT k, v FROM v WHERE k < %s ORDER BY k", (50,)) == -1
    seen = []
    for number, text in numbers:
        assert filled.execute("SELECT v FROM v WHERE k = %s", (number,)).fetchone() == (text,)
        seen.append(number)
    assert seen == list(range(50))
    assert numbers.fetchone() is None
    assert numbers.rownumber == 50


def test_ways_of_fetching_from_a_server_cursor(filled: Any, numbers: Any) -> None:
    numbers.execute("SELECT k FROM v ORDER BY k")
    assert numbers.fetchone() == (0,)
    assert numbers.fetchmany(10) == [(n,) for n in range(1, 11)]
    numbers.scroll(9)
    assert numbers.fetchone() == (20,)
    with filled.cursor(mizzle.ServerDictCursor) as second:
        second.execute("SELECT k FROM v WHERE k = 3")
        assert second.fetchall() == [{"k": 3}]
    assert len(numbers.fetchall()) == 79
    numbers.execute("SELECT k FROM v WHERE k > 1000")
    assert numbers.fetchall() == []


def test_what_a_server_has_no_cursor_for(filled: Any, numbers: Any) -> None:
    assert numbers.execute("UPDATE v SET v = 'z' WHERE k = %s", (1,)) == 1
    assert numbers.description is None
    numbers.execute("SHOW COLUMNS FROM v")
    assert len(numbers.fetchall()) == 3
    with pytest.raises(mizzle.ProgrammingError):
        numbers.execute("SELEKT")
    filled.ping()


def test_a_reset_ends_a_server_cursor(filled: Any, numbers: Any) -> None:
    numbers.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
    filled.reset()
    with pytest.raises(mizzle.ProgrammingError, match="the session was reset"):
        numbers.fetchone()
    filled.ping()
