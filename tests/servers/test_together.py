"""Many at a time: nobody waits for another's statement, except where the database itself makes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from plugins.worlds import World

Connect = Callable[..., Any]


def test_two_hundred_statements_run_at_the_same_time(connect: Connect, world: World, admin: Any, table: Any) -> None:
    name = table("id INT PRIMARY KEY")
    connections = [connect(autocommit=True) for _ in range(200)]
    threads: set[int] = set()

    def wait_at_the_gate(conn: Any) -> Any:
        threads.add(threading.get_ident())
        return conn.execute(f"SELECT COUNT(*) FROM {name}").fetchall()

    admin.execute(f"LOCK TABLES {name} WRITE")
    tasks = [world.spawn(wait_at_the_gate, conn) for conn in connections]
    admin.until(lambda: admin.sessions("info LIKE %s", [f"%FROM {name}%"]) == 200, world.sleep)
    admin.execute("UNLOCK TABLES")
    assert [task.result() for task in tasks] == [[(0,)]] * 200
    assert (threads == {threading.get_ident()}) == world.one_thread


def test_who_waits_for_a_row_lock_gets_it_when_the_holder_commits(
    connect: Connect, world: World, admin: Any, table: Any
) -> None:
    """The deadlock of the old days: the holder yields, the one who waits blocks the process, nobody can commit."""
    name = table("id INT PRIMARY KEY, n INT")
    admin.execute(f"INSERT INTO {name} VALUES (1, 0)")
    holder, waiter = connect(), connect()
    locked, waiting = world.event(), world.event()

    def hold() -> None:
        with holder.transaction():
            holder.execute(f"SELECT n FROM {name} WHERE id = 1 FOR UPDATE")
            locked.set()
            waiting.wait()
            holder.execute(f"UPDATE {name} SET n = 1 WHERE id = 1")

    def wait() -> Any:
        locked.wait()
        with waiter.transaction():
            rows = waiter.execute(f"SELECT n FROM {name} WHERE id = 1 FOR UPDATE").fetchall()
            waiter.execute(f"UPDATE {name} SET n = n + 1 WHERE id = 1")
        return rows

    first, second = world.spawn(hold), world.spawn(wait)
    admin.until(lambda: admin.is_running(waiter, "FOR UPDATE"), world.sleep)
    waiting.set()
    first.result()
    assert second.result() == [(1,)]
    assert admin.execute(f"SELECT n FROM {name}") == [(2,)]


@pytest.mark.text_only
def test_a_connection_is_for_one_at_a_time(connect: Connect, world: World, admin: Any) -> None:
    conn = connect()
    task = world.spawn(lambda: conn.execute("SELECT SLEEP(0.2)").fetchall())
    admin.until(lambda: admin.is_running(conn, "SLEEP"), world.sleep)
    with pytest.raises(mizzle.InterfaceError, match="waits for COM_QUERY on this connection") as refused:
        conn.execute("SELECT 2")
    assert not refused.value.sent
    assert refused.value.alive
    assert task.result() == [(0,)]
    assert conn.execute("SELECT 2").fetchall() == [(2,)]


def test_a_timeout_ends_the_wait_and_not_the_connection(connect: Connect, world: World, admin: Any) -> None:
    conn, other = connect(), connect()
    task = world.spawn(conn.execute, "SELECT SLEEP(30)", None)
    admin.until(lambda: admin.is_running(conn, "SLEEP"), world.sleep)
    with pytest.raises(mizzle.OperationalError, match="timed out") as late:
        other.execute("SELECT SLEEP(30)", timeout=0.05)
    assert late.value.alive
    assert other.execute("SELECT 1").fetchall() == [(1,)]
    conn.abort()
    with pytest.raises(mizzle.OperationalError, match="Lost connection"):
        task.result()
    admin.until(lambda: admin.sessions("id = %s", [conn.thread_id()]) == 0, world.sleep)


def test_closing_wakes_who_waits(connect: Connect, world: World, admin: Any) -> None:
    conn = connect()
    task = world.spawn(conn.execute, "SELECT SLEEP(30)")
    admin.until(lambda: admin.is_running(conn, "SLEEP"), world.sleep)
    conn.close()
    with pytest.raises(mizzle.Error):
        task.result()
    admin.until(lambda: admin.sessions("id = %s", [conn.thread_id()]) == 0, world.sleep)


def test_readers_and_writers_at_once_see_their_own_rows(connect: Connect, world: World, table: Any) -> None:
    name = table("worker INT, n INT")

    def work(worker: int) -> list[Any]:
        conn = connect(autocommit=True)
        for n in range(20):
            conn.execute(f"INSERT INTO {name} VALUES (%s, %s)", [worker, n])
        return conn.execute(f"SELECT n FROM {name} WHERE worker = %s ORDER BY n", [worker]).fetchall()

    tasks = [world.spawn(work, worker) for worker in range(8)]
    assert [task.result() for task in tasks] == [[(n,) for n in range(20)]] * 8
