"""Interrupted statements on real servers: ended there too, and the connection goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

import mizzle
from plugins.worlds import World

Connect = Callable[..., Any]
pytestmark = pytest.mark.main_worlds

LONG = "SELECT SLEEP(50), 'long'"
TIMED_OUT = r"COM_(QUERY|STMT_EXECUTE) timed out: no answer within 0\.05 s"


def late(conn: Any, sql: str = LONG) -> mizzle.OperationalError:
    """The error of a statement that takes too long."""
    with pytest.raises(mizzle.OperationalError, match=TIMED_OUT) as caught:
        conn.execute(sql, timeout=0.05)
    return caught.value


@pytest.mark.feature("KILL QUERY of an interrupted statement")
def test_a_late_statement_is_killed(connect: Connect, admin: Any) -> None:
    conn = connect()
    error = late(conn)
    assert (error.errno, error.sent, error.alive, conn.open) == (3024, True, True, True)
    assert conn.execute("SELECT 'next'").fetchall() == [("next",)]
    assert not admin.is_running(conn, "long")


def test_again_and_again_on_one_connection(connect: Connect) -> None:
    """Not one kill hits a later statement. Without SLEEP(): see docs/architecture.md on that and MariaDB."""
    conn = connect()
    number = conn.thread_id()
    for n in range(30):
        with suppress(mizzle.OperationalError):
            conn.execute("SELECT BENCHMARK(%s, MD5('brief'))", [n % 3 * 5000], timeout=0.0001 + n % 5 * 0.001)
        assert conn.execute("SELECT %s", [n]).fetchall() == [(n,)]
    assert conn.thread_id() == number


def test_an_interrupt(connect: Connect, world: World, admin: Any) -> None:
    if not world.interrupts:
        return  # a blocked thread has deadlines only
    conn = connect()
    task = world.spawn(conn.execute, LONG)
    admin.until(lambda: admin.is_running(conn, "long"), world.sleep)
    task.interrupt()
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - each world has its own
        task.result()
    assert not isinstance(caught.value, Exception)
    assert conn.execute("SELECT 'next'").fetchall() == [("next",)]
    assert not admin.is_running(conn, "long")


def test_a_transaction_stays_open_and_is_reported(connect: Connect, table: Callable[[str], str]) -> None:
    name = table("n INT PRIMARY KEY")
    conn = connect()
    conn.begin()
    conn.execute(f"INSERT INTO {name} VALUES (1)")
    assert "still open" in (late(conn).hint or "")
    assert conn.execute(f"SELECT n FROM {name}").fetchall() == [(1,)]
    assert conn.in_transaction
    conn.rollback()
    assert late(conn).hint is None
    assert conn.execute(f"SELECT n FROM {name}").fetchall() == []


def test_a_transaction_block_rolls_back(connect: Connect, table: Callable[[str], str]) -> None:
    name = table("n INT PRIMARY KEY")
    conn = connect()

    def fail() -> None:
        with conn.transaction():
            conn.execute(f"INSERT INTO {name} VALUES (1)")
            conn.execute(LONG, timeout=0.05)

    with pytest.raises(mizzle.OperationalError, match="timed out"):
        fail()
    assert not conn.in_transaction
    assert conn.execute(f"SELECT COUNT(*) FROM {name}").fetchall() == [(0,)]


def test_a_streamed_result(connect: Connect) -> None:
    conn = connect()
    cursor = conn.cursor(mizzle.StreamingCursor)

    def read() -> None:
        cursor.execute("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT SLEEP(50)", timeout=0.05)
        cursor.fetchall()

    with pytest.raises(mizzle.OperationalError, match="timed out"):
        read()
    assert conn.execute("SELECT 'next'").fetchall() == [("next",)]


def test_drained_and_not_killed(connect: Connect, admin: Any) -> None:
    conn = connect(on_interrupt="drain", interrupt_timeout=30)
    lock = f"'drained {conn.thread_id()}'"
    admin.execute(f"DO GET_LOCK({lock}, 0)")
    late(conn, f"DO GET_LOCK({lock}, 60)")
    admin.execute(f"DO RELEASE_LOCK({lock})")
    assert conn.execute("SELECT 'next'").fetchall() == [("next",)]


def test_drained_for_so_long_only(connect: Connect, admin: Any) -> None:
    conn = connect(on_interrupt="drain", interrupt_timeout=0.05)
    late(conn)
    with pytest.raises(mizzle.Error) as caught:
        conn.execute("SELECT 'next'")
    assert not caught.value.alive
    admin.execute("KILL %s", [conn.thread_id()])


def test_closing_in_the_middle_ends_the_statement(connect: Connect, world: World, admin: Any) -> None:
    for end in ("close", "abort"):
        conn = connect()
        task = world.spawn(conn.execute, LONG)
        admin.until(lambda conn=conn: admin.is_running(conn, "long"), world.sleep)
        getattr(conn, end)()
        with pytest.raises(mizzle.Error):
            task.result()
        admin.until(lambda conn=conn: admin.sessions("id = %s", [conn.thread_id()]) == 0, world.sleep)


def test_another_server_s_statement_is_not_killed(
    connect: Connect, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A load balancer may lead the second connection elsewhere: there the number is somebody else's."""
    conn = connect(interrupt_timeout=0.3)
    conn._engine.identity = ("elsewhere", 3306, 1)
    with caplog.at_level(logging.WARNING, "mizzle"):
        late(conn)
        with pytest.raises(mizzle.Error):
            conn.execute("SELECT 'next'")
    assert "leads to another server now" in caplog.text
    admin.execute("KILL %s", [conn.thread_id()])
