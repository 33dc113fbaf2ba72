"""The commands beside queries, and how connections end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle.constants import set_options
from mizzle.testing import Server
from plugins.worlds import World

pytestmark = pytest.mark.protocols("zlib", "zstd")

Connect = Callable[..., Any]


def test_what_is_known_of_the_connection(conn: Any, server: Server, tls: bool) -> None:
    assert conn.server_version_info == server.version
    assert conn.is_mariadb == server.is_mariadb
    version = conn.execute("SELECT VERSION()").fetchone()[0]
    assert version == conn.server_version == conn.get_server_info()
    assert conn.execute("SELECT CONNECTION_ID()").fetchone() == (conn.thread_id(),)
    assert (conn.tls is not None) == tls
    assert conn.character_set_name() == "utf8mb4"


@pytest.mark.feature("COM_PING")
def test_ping(conn: Any, admin: Any) -> None:
    conn.ping()
    conn.ping(timeout=10)
    admin.execute(f"KILL {conn.thread_id()}")
    admin.until(lambda: admin.sessions("id = %s", [conn.thread_id()]) == 0)
    with pytest.raises(mizzle.OperationalError) as caught:
        conn.ping()
    assert not caught.value.alive
    with pytest.raises(mizzle.InterfaceError, match="already closed"):
        conn.ping()


@pytest.mark.feature("COM_INIT_DB")
def test_select_db(conn: Any) -> None:
    conn.select_db("information_schema")
    assert conn.execute("SELECT DATABASE()").fetchone() == ("information_schema",)
    with pytest.raises(mizzle.OperationalError, match="Unknown database 'no`pe'") as caught:
        conn.select_db("no`pe")
    assert caught.value.args[0] == 1049
    assert conn.execute("SELECT DATABASE()").fetchone() == ("information_schema",)


@pytest.mark.feature("COM_STATISTICS")
def test_statistics(conn: Any) -> None:
    line = conn.stat()
    assert line.startswith("Uptime: ")
    assert "Threads: " in line
    conn.ping()


@pytest.mark.feature("KILL")
def test_kill(connect: Connect, admin: Any) -> None:
    conn, victim = connect(), connect()
    conn.kill(victim.thread_id())
    admin.until(lambda: admin.sessions("id = %s", [victim.thread_id()]) == 0)
    with pytest.raises(mizzle.OperationalError) as caught:
        victim.execute("SELECT 1")
    assert caught.value.args[0] in {1927, 2006, 2013}
    assert not caught.value.alive
    assert not victim.open
    with pytest.raises(mizzle.OperationalError, match="1094"):
        conn.kill(victim.thread_id())
    conn.ping()


def test_kill_of_one_that_runs(connect: Connect, world: World, admin: Any) -> None:
    conn, victim = connect(), connect()
    task = world.spawn(victim.execute, "SELECT SLEEP(30)")
    admin.until(lambda: admin.is_running(victim, "SLEEP"), world.sleep)
    conn.kill(victim.thread_id())
    with pytest.raises(mizzle.OperationalError) as caught:
        task.result()
    assert caught.value.args[0] in {1317, 1927, 2013}
    with pytest.raises(mizzle.Error):
        victim.execute("SELECT 1")
    assert not victim.open


@pytest.mark.feature("COM_RESET_CONNECTION")
def test_reset_forgets_the_session(connect: Connect, server: Server) -> None:
    conn = connect(charset="latin1", autocommit=True, sql_mode="ANSI")
    conn.execute("CREATE TEMPORARY TABLE forgotten (id INT)")
    conn.execute("SET @forgotten = 1, sql_mode = '', autocommit = 0, time_zone = '+05:00'")
    conn.set_charset("utf8mb4")
    conn.select_db("information_schema")
    conn.select_db(server.database)
    number = conn.thread_id()
    conn.reset()
    assert conn.thread_id() == number
    with pytest.raises(mizzle.ProgrammingError, match="1146"):
        conn.execute("SELECT * FROM forgotten")
    row = conn.execute("SELECT @forgotten, @@autocommit, @@character_set_client, @@time_zone, DATABASE()").fetchone()
    assert row == (None, 1, "latin1", "SYSTEM", server.database)
    assert "ANSI_QUOTES" in conn.execute("SELECT @@sql_mode").fetchone()[0]
    assert conn.get_autocommit()
    assert conn.execute("SELECT %s, HEX(%s)", ["é", "é"]).fetchone() == ("é", "E9")


def test_reset_rolls_back(connect: Connect, table: Callable[[str], str]) -> None:
    name = table("id INT")
    conn = connect()
    conn.execute(f"INSERT INTO {name} VALUES (1)")
    assert conn.in_transaction
    conn.reset()
    assert not conn.in_transaction
    assert not conn.get_autocommit()
    assert conn.execute(f"SELECT * FROM {name}").fetchall() == []


@pytest.mark.feature("COM_SET_OPTION")
def test_multi_statements_on_and_off(conn: Any) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="1064"):
        conn.execute("SELECT 1; SELECT 2")
    conn.set_server_option(set_options.MYSQL_OPTION_MULTI_STATEMENTS_ON)
    cur = conn.execute("SELECT 1; SELECT 2")
    assert cur.fetchall() == [(1,)]
    assert cur.nextset()
    assert cur.fetchall() == [(2,)]
    conn.set_server_option(set_options.MYSQL_OPTION_MULTI_STATEMENTS_OFF)
    with pytest.raises(mizzle.ProgrammingError, match="1064"):
        conn.execute("SELECT 1; SELECT 2")


@pytest.mark.parametrize("ending", ["close", "abort"])
@pytest.mark.feature("COM_QUIT")
def test_the_end_leaves_no_session(connect: Connect, admin: Any, ending: str) -> None:
    conn = connect()
    number = conn.thread_id()
    aborted = admin.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")
    getattr(conn, ending)()
    admin.until(lambda: admin.sessions("id = %s", [number]) == 0)
    if ending == "close":
        assert admin.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'") == aborted
    assert not conn.open
    assert conn.fileno() == -1
    conn.close()
    conn.abort()


def test_leaving_with_closes(connect: Connect, admin: Any) -> None:
    with connect() as conn:
        number = conn.thread_id()
        with conn.cursor() as cur:
            cur.execute("SELECT 1")
        with pytest.raises(mizzle.Error, match="cursor is already closed"):
            cur.execute("SELECT 1")
    assert not conn.open
    admin.until(lambda: admin.sessions("id = %s", [number]) == 0)
    for use in (conn.ping, conn.commit, conn.stat, conn.reset, lambda: conn.execute("SELECT 1")):
        with pytest.raises(mizzle.InterfaceError, match="already closed"):
            use()


def test_the_server_says_goodbye_to_an_idle_connection(connect: Connect, world: World, admin: Any) -> None:
    conn = connect(init_command="SET wait_timeout = 1")
    admin.until(lambda: admin.sessions("id = %s", [conn.thread_id()]) == 0, world.sleep)
    with pytest.raises(mizzle.OperationalError) as caught:
        conn.execute("SELECT 1")
    # MySQL says why before it hangs up; MariaDB just does.
    assert caught.value.args[0] in {2013, 4031}
    assert not caught.value.alive


def test_too_many_connections(connect: Connect, users: Callable[..., str], admin: Any) -> None:
    user = users("IDENTIFIED BY 'pw'")
    admin.execute(f"ALTER USER {user}@'%' WITH MAX_USER_CONNECTIONS 1")
    connect(user=user, password="pw")
    with pytest.raises(mizzle.OperationalError) as caught:
        connect(user=user, password="pw")
    assert caught.value.args[0] in {1203, 1226}
    assert not caught.value.alive
