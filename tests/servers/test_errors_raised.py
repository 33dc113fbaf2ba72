"""What the server answers when something is wrong: class, number, text, SQLSTATE; and the connection goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.worlds import World

Connect = Callable[..., Any]
COLUMNS = "id INT PRIMARY KEY, tiny TINYINT NOT NULL, name VARCHAR(3), d DATE, e ENUM('a'), UNIQUE (name)"

# errno, class, SQLSTATE (None: it differs), what the message says, the statement
SIMPLE = [
    (1062, mizzle.IntegrityError, "23000", "Duplicate entry '1' for key", "INSERT INTO {t} (id, tiny) VALUES (1, 1)"),
    (1048, mizzle.IntegrityError, "23000", "'tiny' cannot be null", "INSERT INTO {t} (id, tiny) VALUES (2, NULL)"),
    (1146, mizzle.ProgrammingError, "42S02", "test.nope' doesn't exist", "SELECT * FROM nope"),
    (1064, mizzle.ProgrammingError, "42000", "error in your SQL syntax", "SELEKT 1"),
    (1054, mizzle.OperationalError, "42S22", "Unknown column 'nope'", "SELECT nope FROM {t}"),
    (1264, mizzle.DataError, "22003", "Out of range value", "INSERT INTO {t} (id, tiny) VALUES (2, 300)"),
    (1265, mizzle.DataError, "01000", "Data truncated", "INSERT INTO {t} (id, tiny, e) VALUES (2, 1, 'x')"),
    (1406, mizzle.DataError, "22001", "Data too long", "INSERT INTO {t} (id, tiny, name) VALUES (2, 1, 'abcd')"),
    (1366, mizzle.DataError, None, "Incorrect integer value: 'x'", "INSERT INTO {t} (id, tiny) VALUES (2, 'x')"),
    (1292, mizzle.OperationalError, "22007", "Incorrect date value", "UPDATE {t} SET d = '2024-13-01'"),
    (1364, mizzle.OperationalError, "HY000", "doesn't have a default value", "INSERT INTO {t} (id) VALUES (2)"),
    (1049, mizzle.OperationalError, "42000", "Unknown database 'nope'", "USE nope"),
    (1051, mizzle.OperationalError, "42S02", "Unknown table 'test.nope'", "DROP TABLE nope"),
    (1091, mizzle.OperationalError, "42000", "Can't DROP", "ALTER TABLE {t} DROP COLUMN nope"),
    (1305, mizzle.OperationalError, "42000", "SAVEPOINT nope does not exist", "ROLLBACK TO SAVEPOINT nope"),
    (1305, mizzle.OperationalError, "42000", "PROCEDURE test.nope does not exist", "CALL nope()"),
    (1007, mizzle.ProgrammingError, "HY000", "database exists", "CREATE DATABASE test"),
    (1050, mizzle.OperationalError, "42S01", "already exists", "CREATE TABLE {t} (id INT)"),
    (1110, mizzle.ProgrammingError, "42000", "specified twice", "INSERT INTO {t} (id, id) VALUES (1, 2)"),
]


@pytest.fixture
def filled(admin: Any, table: Callable[[str], str]) -> str:
    name = table(COLUMNS)
    admin.execute(f"INSERT INTO {name} VALUES (1, 1, 'abc', NULL, NULL)")
    return name


@pytest.fixture
def open_door(connect: Connect, server: Server) -> Any:
    """A connection in whose default database is `test`, with strict SQL."""
    assert server.database == "test"
    return connect(autocommit=True, sql_mode="STRICT_ALL_TABLES")


def test_simple_ones(open_door: Any, filled: str) -> None:
    for errno, kind, sqlstate, text, sql in SIMPLE:
        with pytest.raises(mizzle.Error) as caught:
            open_door.execute(sql.format(t=filled))
        error = caught.value
        assert (type(error), error.args[0]) == (kind, errno), sql
        assert len(error.args) == 2
        assert text in error.args[1]
        assert str(error) == str(error.args)
        assert error.sqlstate == sqlstate or sqlstate is None
        assert error.alive
        assert error.sent
        assert open_door.execute(f"SELECT id FROM {filled}").fetchall() == [(1,)]


def test_foreign_keys(conn: Any, admin: Any, table: Callable[[str], str]) -> None:
    parent = table("id INT PRIMARY KEY")
    child = table(f"id INT, FOREIGN KEY (id) REFERENCES {parent} (id)")
    conn.execute(f"INSERT INTO {parent} VALUES (1)")
    conn.execute(f"INSERT INTO {child} VALUES (1)")
    for errno, sql in ((1451, f"DELETE FROM {parent}"), (1452, f"INSERT INTO {child} VALUES (2)")):
        with pytest.raises(mizzle.IntegrityError) as caught:
            conn.execute(sql)
        assert caught.value.args[0] == errno
        assert "a foreign key constraint fails" in caught.value.args[1]
        assert caught.value.sqlstate == "23000"
    conn.ping()
    admin.execute(f"DROP TABLE {child}")


def test_lock_wait_timeout(connect: Connect, filled: str) -> None:
    holder, waiter = connect(), connect(init_command="SET innodb_lock_wait_timeout = 1")
    holder.execute(f"SELECT id FROM {filled} FOR UPDATE")
    waiter.execute(f"SELECT id FROM {filled}")
    with pytest.raises(mizzle.OperationalError) as caught:
        waiter.execute(f"SELECT id FROM {filled} FOR UPDATE")
    assert caught.value.args == (1205, "Lock wait timeout exceeded; try restarting transaction")
    assert caught.value.alive
    holder.commit()
    assert waiter.execute(f"SELECT id FROM {filled} FOR UPDATE").fetchall() == [(1,)]


def test_deadlock(connect: Connect, world: World, admin: Any, filled: str) -> None:
    admin.execute(f"INSERT INTO {filled} VALUES (2, 2, NULL, NULL, NULL)")
    first, second = connect(), connect()
    first.execute(f"UPDATE {filled} SET tiny = 9 WHERE id = 1")
    second.execute(f"UPDATE {filled} SET tiny = 9 WHERE id = 2")
    task = world.spawn(first.execute, f"UPDATE {filled} SET tiny = 8 WHERE id = 2")
    admin.until(lambda: admin.is_running(first, "tiny = 8"), world.sleep)
    failures = []
    for statement in (lambda: second.execute(f"UPDATE {filled} SET tiny = 8 WHERE id = 1"), task.result):
        try:
            statement()
        except mizzle.Error as error:
            failures.append(error)
            second.rollback()  # whoever of them it was, the other goes on
    [error] = failures
    assert type(error) is mizzle.OperationalError
    assert error.args == (1213, "Deadlock found when trying to get lock; try restarting transaction")
    assert error.sqlstate == "40001"
    for conn in (first, second):
        conn.rollback()
        assert not conn.in_transaction
        assert conn.execute(f"SELECT COUNT(*) FROM {filled}").fetchall() == [(2,)]


def test_a_deadlock_ends_the_whole_block(connect: Connect, world: World, admin: Any, filled: str) -> None:
    admin.execute(f"INSERT INTO {filled} VALUES (2, 2, NULL, NULL, NULL)")
    victim, other = connect(autocommit=True), connect()
    for n in range(10):  # the server ends the transaction that changed less
        other.execute(f"INSERT INTO {filled} VALUES ({100 + n}, 1, NULL, NULL, NULL)")
    other.execute(f"UPDATE {filled} SET tiny = 9 WHERE id = 2")
    tasks = []

    def fall_into_the_deadlock() -> None:
        with victim.transaction():
            victim.execute(f"UPDATE {filled} SET tiny = 9 WHERE id = 1")
            tasks.append(world.spawn(other.execute, f"UPDATE {filled} SET tiny = 8 WHERE id = 1"))
            admin.until(lambda: admin.is_running(other, "tiny = 8"), world.sleep)
            with victim.transaction():
                victim.execute(f"UPDATE {filled} SET tiny = 8 WHERE id = 2")

    with pytest.raises(mizzle.OperationalError, match="1213"):
        fall_into_the_deadlock()
    tasks[0].result()
    other.rollback()
    assert not victim.in_transaction
    assert victim.execute(f"SELECT tiny FROM {filled} ORDER BY id").fetchall() == [(1,), (2,)]


def test_statement_timeout(conn: Any, server: Server) -> None:
    digits = "(SELECT 0 d" + " UNION ALL SELECT 1" * 9 + ")"
    work = f"SELECT COUNT(*) FROM {', '.join(f'{digits} AS d{n}' for n in range(9))}"
    if server.is_mariadb:
        conn.execute("SET max_statement_time = 0.02")
        errno = 1969
    else:
        conn.execute("SET max_execution_time = 20")
        errno = 3024
    with pytest.raises(mizzle.OperationalError) as caught:
        conn.execute(work)
    assert caught.value.args[0] == errno
    assert caught.value.alive
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_kill_query(conn: Any, connect: Connect, world: World, admin: Any, filled: str) -> None:
    holder = connect()
    holder.execute(f"SELECT id FROM {filled} FOR UPDATE")
    task = world.spawn(conn.execute, f"SELECT id FROM {filled} FOR UPDATE")
    admin.until(lambda: admin.is_running(conn, "FOR UPDATE"), world.sleep)
    admin.execute(f"KILL QUERY {conn.thread_id()}")
    with pytest.raises(mizzle.OperationalError) as caught:
        task.result()
    assert caught.value.args[0] == 1317
    assert caught.value.alive
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_warnings(connect: Connect) -> None:
    conn = connect(autocommit=True, sql_mode="")
    conn.execute("CREATE TEMPORARY TABLE v (n TINYINT)")
    cur = conn.cursor()
    cur.execute("INSERT INTO v VALUES (300), (1), (-300)")
    assert cur.warning_count == conn.warning_count == 2
    shown = conn.show_warnings()
    assert [(level, code) for level, code, _ in shown] == [("Warning", 1264)] * 2
    assert "Out of range value" in shown[0][2]
    assert "Warnings: 2" in cur.info


def test_an_error_in_the_middle_of_rows(conn: Any) -> None:
    conn.execute("CREATE TEMPORARY TABLE v (n INT)")
    conn.execute(f"INSERT INTO v VALUES {','.join(f'({n})' for n in range(1, 2000))}")
    sql = "SELECT REPEAT('x', 100), IF(n = 1999, (SELECT 1 UNION SELECT 2), n) FROM v"
    with pytest.raises(mizzle.OperationalError, match="1242"):
        conn.execute(sql)
    cur = conn.cursor(mizzle.StreamingCursor)
    with pytest.raises(mizzle.OperationalError, match="1242") as caught:  # noqa: PT012 (either may raise)
        cur.execute(sql)
        cur.fetchall()
    assert caught.value.alive
    assert conn.execute("SELECT 1").fetchone() == (1,)
