"""Nothing that a user does to a session, or to his connection, reaches the next user."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.loops import itself
from plugins.worlds import World
from pool.conftest import Admin, MakePool

pytestmark = pytest.mark.main_worlds

Until = Callable[[Callable[[], Any]], None]

HAS_GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
LEFT_BEHIND = {
    "user variable": ("SET @left = 1", "SELECT @left"),
    "session variable": ("SET SESSION group_concat_max_len = 4321", "SELECT @@group_concat_max_len = 4321"),
    "time zone": ("SET time_zone = '+05:00'", "SELECT @@time_zone"),
    "sql_mode": ("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "SELECT @@sql_mode"),
    "prepared statement": ("PREPARE left_behind FROM 'SELECT 1'", "EXECUTE left_behind"),
    "temporary table": ("CREATE TEMPORARY TABLE left_behind (n INT)", "SELECT * FROM left_behind"),
    "autocommit": ("SET autocommit = 0", "SELECT @@autocommit"),
    "user lock": ("SELECT GET_LOCK('left_behind', 0)", "SELECT IS_USED_LOCK('left_behind')"),
    "last insert id": ("SELECT LAST_INSERT_ID(77)", "SELECT LAST_INSERT_ID()"),
    "character set": ("SET NAMES latin1", "SELECT @@character_set_client, @@character_set_results"),
}


def answer(conn: Any, query: str) -> Any:
    try:
        return conn.execute(query).fetchall()
    except mizzle.Error as error:
        return error.errno


@pytest.mark.parametrize("what", LEFT_BEHIND)
def test_what_a_session_has_is_reset(pool: MakePool, what: str) -> None:
    deed, question = LEFT_BEHIND[what]
    lending = pool(max_size=1)
    with lending.connection() as conn:
        number, before = conn.thread_id(), answer(conn, question)
        conn.execute(deed)
        assert answer(conn, question) != before
    with lending.connection() as conn:
        assert conn.thread_id() == number
        assert answer(conn, question) == before


def test_without_reset_the_session_stays_as_it_is(pool: MakePool) -> None:
    lending = pool(max_size=1, reset=False)
    with lending.connection() as conn:
        conn.execute("SET @left = 1")
        conn.set_charset("latin1")
    with lending.connection() as conn:
        assert conn.execute("SELECT @left, CHARSET('é'), %s", ["é"]).fetchall() == [(1, "latin1", "é")]


def test_the_database_and_the_init_command_are_as_after_connecting(pool: MakePool, server: Server) -> None:
    lending = pool(max_size=1, init_command="SET @greeting = 'hello'", sql_mode="ANSI_QUOTES")
    for _ in range(3):
        with lending.connection() as conn:
            row = conn.execute("SELECT DATABASE(), @greeting, @@sql_mode").fetchone()
            assert row == (server.database, "hello", "ANSI_QUOTES")
            conn.select_db("mysql")
            conn.execute("SET @greeting = 'farewell', sql_mode = ''")


def test_what_was_set_on_the_connection_is_its_holders(pool: MakePool) -> None:
    """Also where the next holder gets the same object, since nobody has it any more: always from the third on."""
    lending = pool(max_size=1, timeout=60)
    objects = set()
    for _ in range(6):
        with lending.connection() as conn:
            objects.add(id(itself(conn)))
            conn.timeout = 0.5
            conn.row_factory = mizzle.rows.dict_row
            conn.cursorclass = mizzle.DictCursor
            conn.set_charset("latin1")
            conn.note = "mine"
            assert conn.execute("SELECT 'é' AS e").fetchall() == [{"e": "é"}]
        with lending.connection() as conn:
            objects.add(id(itself(conn)))
            assert conn.timeout == 60
            assert not hasattr(conn, "note")
            assert conn.character_set_name() == "utf8mb4"
            assert conn.execute("SELECT 'é☂'").fetchall() == [("é☂",)]
    assert len(objects) == 2 or not HAS_GIL


def test_prepared_statements_are_prepared_again(pool: MakePool) -> None:
    """Whoever asked for them, and in whatever character set: the server forgets them with the session."""
    lending = pool(max_size=1, prepare_threshold=2)
    kept = []
    for charset in ("utf8mb4", "latin1", "utf8mb4"):
        with lending.connection() as conn:
            conn.set_charset(charset)
            for _ in range(4):
                assert conn.execute("SELECT CONCAT(%s, 'ä')", ["ö"]).fetchall() == [("öä",)]
            kept.append(conn.prepare("SELECT CONCAT(%s, 'ü')"))
            assert kept[-1].execute(["ß"]).fetchall() == [("ßü",)]
    with lending.connection():
        for statement in kept:
            with pytest.raises(mizzle.ConnectionClosed):
                statement.execute(["ß"])
            statement.close()


def test_an_open_transaction_is_rolled_back_at_once(
    pool: MakePool, table: str, admin: Admin, until: Until, server: Server
) -> None:
    """Nobody takes the connection again, and yet its locks are gone."""
    del server
    lending = pool(max_size=1)
    with lending.connection() as conn:
        conn.begin()
        conn.execute(f"INSERT INTO {table} VALUES (1)")
    until(lambda: lending.get_stats()["pool_available"] == 1)
    admin.execute("SET innodb_lock_wait_timeout = 1")
    admin.execute(f"INSERT INTO {table} VALUES (1)")
    assert lending.get_stats()["returns_bad"] == 0


@pytest.mark.parametrize("reset", [True, False])
def test_an_open_transaction_is_not_inherited(
    pool: MakePool, world: World, until: Until, table: str, reset: bool
) -> None:
    """Also where the next user waits already, who gets the connection as it is."""
    lending = pool(max_size=1, reset=reset, autocommit=False)
    conn = lending.getconn()
    conn.execute(f"INSERT INTO {table} VALUES (1)")
    assert conn.in_transaction

    def look() -> Any:
        with lending.connection() as following:
            assert not following.in_transaction
            return following.execute(f"SELECT COUNT(*) FROM {table}").fetchall()

    task = world.spawn(look)
    until(lambda: lending.get_stats()["requests_waiting"])
    conn.close()
    assert task.result() == [(0,)]
    until(lambda: lending.get_stats()["pool_available"] == 1)  # its locks are gone, too


def test_a_stream_is_finished_in_the_background(pool: MakePool, until: Until) -> None:
    lending = pool(max_size=1)
    with lending.connection() as conn:
        number = conn.thread_id()
        cursor = conn.cursor(mizzle.StreamingCursor)
        cursor.execute("SELECT 1 UNION ALL " * 999 + "SELECT 1")
        assert cursor.fetchone() == (1,)
        cursor = None
    until(lambda: lending.get_stats()["pool_available"] == 1)
    with lending.connection() as conn:
        assert conn.thread_id() == number


def test_a_connection_that_is_busy_when_it_is_returned_is_not_lent_again(
    pool: MakePool, world: World, until: Until, admin: Admin
) -> None:
    """Somebody else still waits for an answer on it: he gets an error, nobody gets his answer."""
    lending = pool(max_size=1)
    conn = lending.getconn()
    number = conn.thread_id()
    task = world.spawn(lambda: conn.execute("SELECT SLEEP(30)"))
    seen = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s AND info LIKE '%%SLEEP(30)%%'"
    until(lambda: admin.execute(seen, [number]) == [(1,)])
    conn.close()
    with lending.connection() as following:
        assert following.thread_id() != number
        assert following.execute("SELECT 2").fetchall() == [(2,)]
    with pytest.raises(mizzle.Error):
        task.result()


def test_transaction_blocks_do_not_outlive_the_loan(pool: MakePool, table: str) -> None:
    lending = pool(max_size=1)
    with lending.connection() as conn:
        block = conn.transaction()
        block.__enter__()
        conn.execute(f"INSERT INTO {table} VALUES (1)")
        conn.close()
    with lending.connection() as conn:
        with conn.transaction():
            conn.execute(f"INSERT INTO {table} VALUES (2)")
        assert conn.execute(f"SELECT n FROM {table}").fetchall() == [(2,)]


def prepared(admin: Admin) -> int:
    """How many statements the server has prepared, of all sessions: a reset is the end of its session's."""
    (row,) = admin.execute("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
    return int(row[1])


def test_nothing_is_reset_where_nothing_was_left(pool: MakePool, admin: Admin, table: str) -> None:
    """Plain SELECTs leave no trace; what one has prepared the next may use."""
    lending = pool(max_size=1, autocommit=True, prepare_threshold=1)
    before = prepared(admin)
    for number in range(5):
        with lending.connection() as conn:
            conn.ping()
            assert prepared(admin) == before + (number > 0)
            assert conn.execute(f"SELECT COUNT(*) FROM {table} WHERE n = %s", [number]).fetchall() == [(0,)]
    with lending.connection() as conn:
        conn.execute("SET @left = 1")
        assert prepared(admin) == before + 1
    with lending.connection() as conn:
        assert conn.execute("SELECT @left").fetchall() == [(None,)]
        assert prepared(admin) == before


def test_a_transaction_that_only_read_is_rolled_back(pool: MakePool, table: str, until: Until, admin: Admin) -> None:
    lending = pool(max_size=1, autocommit=False)
    with lending.connection() as conn:
        conn.execute(f"SELECT * FROM {table} WHERE n = 1 FOR UPDATE")
        assert conn.in_transaction
    until(lambda: lending.get_stats()["pool_available"] == 1)
    admin.execute("SET innodb_lock_wait_timeout = 1")
    admin.execute(f"INSERT INTO {table} VALUES (1)")
    with lending.connection() as conn:
        assert not conn.in_transaction
        assert conn.execute(f"SELECT n FROM {table}").fetchall() == [(1,)]
    until(lambda: lending.get_stats()["pool_available"] == 1)  # its locks are gone, too


def test_another_user_is_not_inherited(pool: MakePool, server: Server, until: Until) -> None:
    """A reset leaves the session to whom it belongs: after change_user() the connection is closed."""
    lending = pool(max_size=1)
    with lending.connection() as conn:
        number = conn.thread_id()
        conn.change_user(server.user, server.password, "mysql")
    until(lambda: lending.get_stats()["pool_available"] == 1 or not lending.get_stats()["pool_size"])
    with lending.connection() as conn:
        assert conn.thread_id() != number
        assert conn.execute("SELECT DATABASE()").fetchall() == [(server.database,)]
