"""What PyMySQL does in ways of its own, and programs written for it rely on: escaping, ends, sockets, procedures."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server

Connect = Callable[..., Any]

AWKWARD = 'it\'s "so" \\ \0 \n \r \x1a \N{YEN SIGN}'


@pytest.mark.parametrize("quote", ["'", '"'])
def test_escaped_text_stands_between_quotes_of_both_kinds(connect: Connect, pymysql: ModuleType, quote: str) -> None:
    conn = connect()
    cur = conn.cursor()
    for escape in (conn.escape_string, pymysql.escape_string):
        cur.execute(f"SELECT {quote}{escape(AWKWARD)}{quote}")
        assert cur.fetchone() == (AWKWARD,)
    assert conn.escape("it's") == "'it\\'s'"


def test_escaped_text_has_no_backslashes_where_the_session_has_none(connect: Connect) -> None:
    conn = connect()
    cur = conn.cursor()
    cur.execute("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
    assert conn.escape("it's \\") == "'it''s \\'"
    cur.execute(f"SELECT {conn.escape(AWKWARD)}")
    assert cur.fetchone() == (AWKWARD,)


def test_what_is_no_number_is_refused(pymysql: ModuleType) -> None:
    assert pymysql.converters.Decimal2Literal(Decimal("1.50"), None) == "1.50"
    with pytest.raises(pymysql.ProgrammingError, match="snan can not be used with MySQL"):
        pymysql.converters.Decimal2Literal(Decimal("sNaN"), None)


def test_the_rows_of_a_stream_are_not_counted(connect: Connect, pymysql: ModuleType) -> None:
    with connect().cursor(pymysql.cursors.SSCursor) as cur:
        assert cur.execute("SELECT 1 UNION SELECT 2") == cur.rowcount == 2**64 - 1
        assert cur.fetchall() == [(1,), (2,)]
        cur.execute("DO 1")
        assert cur.rowcount == 0


def test_rows_in_hand_are_dropped_with_a_warning(connect: Connect, pymysql: ModuleType) -> None:
    with connect().cursor(pymysql.cursors.SSCursor) as cur:
        cur.execute("SELECT 1 UNION SELECT 2")
        assert cur.fetchone() == (1,)
        with pytest.warns(UserWarning, match="left incomplete"):
            cur.execute("SELECT 3")
        assert cur.fetchone() == (3,)
        assert cur.fetchone() is None
        cur.execute("SELECT 4")


def test_names_of_procedures_with_a_dot(connect: Connect, server: Server, pymysql: ModuleType) -> None:
    cur = connect().cursor()
    for name in ("`habits.dotted`", "habits"):
        cur.execute(f"CREATE OR REPLACE PROCEDURE {name} (n INT) SELECT n * 2" if server.is_mariadb else
                    f"CREATE PROCEDURE {name} (n INT) SELECT n * 2")  # fmt: skip
    try:
        for name in ("habits.dotted", f"{server.database}.habits", "habits"):
            assert cur.callproc(name, (21,)) == (21,)
            assert cur.fetchone() == (42,)
        with pytest.raises(pymysql.OperationalError, match="1305"):
            cur.callproc("habits.nowhere", (1,))
    finally:
        for name in ("`habits.dotted`", "habits"):
            cur.execute(f"DROP PROCEDURE {name}")


def test_set_charset_is_given_up(connect: Connect) -> None:
    conn = connect()
    with pytest.warns(DeprecationWarning, match="set_character_set"):
        conn.set_charset("latin1")
    assert conn.character_set_name() == "latin1"
    conn.set_character_set("utf8mb4")
    assert conn.charset == "utf8mb4"


# Ends


def test_close_says_that_it_was_called_before(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    conn.close()
    with pytest.raises(pymysql.Error, match="Already closed"):
        conn.close()
    conn.connect()
    assert conn.open


def test_a_connection_that_the_server_ended_is_lost(connect: Connect, pymysql: ModuleType) -> None:
    """Programs look for 2006 and 2013, and connect again then."""

    def use(cur: Any) -> None:
        while True:
            cur.execute("DO 1")

    conn = connect()
    connect().kill(conn.thread_id())
    with pytest.raises(pymysql.OperationalError) as caught:
        use(conn.cursor())
    assert caught.value.args[0] == 2013
    assert not caught.value.alive


def test_an_idle_connection_that_the_server_closed_is_lost(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    with conn.cursor() as cur:
        cur.execute("SET wait_timeout = 1")
        with connect().cursor() as other:
            query = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s"
            while other.execute(query, (conn.thread_id(),)) and other.fetchone() != (0,):
                other.execute("DO SLEEP(0.2)")
        with pytest.raises(pymysql.OperationalError) as caught:
            cur.execute("DO 1")
    assert caught.value.args[0] in {2006, 2013}


# A socket of the program's own


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_socket_can_be_given(pymysql: ModuleType, server: Server, kind: str) -> None:
    if kind == "tcp":
        sock = socket.create_connection((server.host, server.port))
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(server.unix_socket)
    conn = pymysql.connect(user=server.user, password=server.password, database="mysql", defer_connect=True)
    conn.connect(sock)
    with conn, conn.cursor() as cur:
        assert sock.fileno() == -1
        cur.execute("SELECT DATABASE()")
        assert cur.fetchone() == ("mysql",)
        with pytest.raises(pymysql.OperationalError, match="2013"):  # no second connection could end the statement
            cur.execute("SELECT SLEEP(5)", timeout=0.01)
        assert not conn.open


def test_a_socket_with_tls_is_refused(pymysql: ModuleType) -> None:
    conn = pymysql.connect(defer_connect=True)
    context = ssl.create_default_context()
    with (
        contextlib.closing(context.wrap_socket(socket.socket(), server_hostname="x")) as encrypted,
        pytest.raises(pymysql.NotSupportedError, match="not a SSLSocket"),
    ):
        conn.connect(encrypted)
    read, write = os.pipe()
    with open(read), open(write) as pipe, pytest.raises(pymysql.NotSupportedError, match="plain, connected socket"):
        conn.connect(pipe)


# Errors by name


def test_errors_have_the_numbers_that_the_server_gives_them(pymysql: ModuleType, server: Server) -> None:
    numbers = vars(pymysql.constants.ER)
    if server.is_mariadb:  # it has no list to ask for: an error that it alone has
        assert numbers["STATEMENT_TIMEOUT"] == 1969
        with mizzle.connect(**server.connect_args()) as conn, pytest.raises(mizzle.Error) as caught:
            conn.execute("SET STATEMENT max_statement_time = 0.01 FOR SELECT SLEEP(5)")
        assert caught.value.errno == 1969
        return
    with mizzle.connect(**server.connect_args()) as conn:
        rows = conn.execute(
            "SELECT error_name, error_number FROM performance_schema.events_errors_summary_global_by_error"
            " WHERE error_number < 5000"
        ).fetchall()
    assert len(rows) > 1000
    named = {name.removeprefix("OBSOLETE_").removeprefix("ER_"): number for name, number in rows}
    assert {name: numbers.get(name) for name in named} == named
