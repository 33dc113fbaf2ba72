"""mizzle with a server that neither MySQL nor MariaDB wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mizzle

pytestmark = pytest.mark.main_worlds

Connect = Callable[..., Any]
ROWS = [(n, f"nömber {n}", None if n % 2 else n / 2) for n in range(1, 1001)]


@pytest.mark.feature("another implementation of the server (mysql-mimic)")
def test_logging_in(connect: Connect) -> None:
    for user, password in (("ann", "secret"), ("bob", "пароль")):
        connect(user=user, password=password).ping()
        with pytest.raises(mizzle.OperationalError, match=r"1045|Access denied"):
            connect(user=user, password="wrong")
    with pytest.raises(mizzle.OperationalError, match=r"mysql_clear_password.*nothing was sent"):
        connect(user="ann_ldap")


@pytest.mark.feature("another implementation of the server (mysql-mimic)")
def test_queries(connect: Connect) -> None:
    conn = connect()
    cur = conn.execute("SELECT n, name, half FROM numbers")
    assert cur.fetchall() == ROWS
    assert [column[0] for column in cur.description] == ["n", "name", "half"]
    assert conn.execute("SELECT * FROM numbers WHERE n = %s", [7]).fetchall() == [ROWS[6]]
    with conn.cursor(mizzle.StreamingCursor) as stream:
        stream.execute("SELECT * FROM numbers")
        assert stream.fetchmany(10) == ROWS[:10]
        assert stream.fetchall() == ROWS[10:]


def test_errors_leave_the_connection(connect: Connect) -> None:
    conn = connect()
    for prepare in (False, True):
        with pytest.raises(mizzle.ProgrammingError, match="doesn't exist") as caught:
            conn.execute("SELECT * FROM missing", prepare=prepare)
        assert caught.value.args[0] == 1064
        assert caught.value.alive
    assert conn.execute("SELECT * FROM numbers WHERE n = 1").fetchall() == ROWS[:1]


@pytest.mark.feature("another implementation of the server (mysql-mimic)")
def test_prepared_statements(connect: Connect) -> None:
    conn = connect()
    assert conn.execute("SELECT * FROM numbers", prepare=True).fetchall() == ROWS
    with conn.prepare("SELECT * FROM numbers WHERE n = %s") as statement:
        for n in (1, 500, 1000, 2000):
            assert statement.execute([n]).fetchall() == ROWS[n - 1 : n]


def test_server_cursors(connect: Connect) -> None:
    conn = connect()
    with conn.cursor(mizzle.ServerCursor) as cur:
        cur.execute("SELECT * FROM numbers")
        assert cur.fetchmany(3) == ROWS[:3]
        assert conn.execute("SELECT * FROM numbers WHERE n = 9").fetchall() == [ROWS[8]]
        assert cur.fetchall() == ROWS[3:]


def test_the_session(connect: Connect) -> None:
    conn = connect(autocommit=True)
    conn.execute("SET @@sql_mode = 'ANSI'")
    conn.reset()
    conn.change_user("bob", "пароль")
    assert conn.execute("SELECT * FROM numbers WHERE n = 2").fetchall() == [ROWS[1]]
    conn.ping()
