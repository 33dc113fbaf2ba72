"""Who gets a connection, in which order, and what those are told who get none."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
import mizzle.aio
from mizzle.testing import Server
from plugins.loops import itself
from plugins.worlds import Interrupted, World
from pool.conftest import MakePool
from pool.victims import Victim

Until = Callable[[Callable[[], Any]], None]


def test_a_block_lends_and_takes_back(pool: MakePool) -> None:
    lending = pool(max_size=2)
    with lending.connection() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
        assert lending.get_stats()["pool_available"] == 0
    assert lending.get_stats()["pool_available"] == 1


def test_the_freshest_idle_connection_comes_first(pool: MakePool) -> None:
    lending = pool(min_size=3, max_size=3)
    lending.wait()
    first, second = lending.getconn(), lending.getconn()
    number = first.thread_id()
    second.close()
    first.close()
    for _ in range(3):
        with lending.connection() as conn:
            assert conn.thread_id() == number


def test_who_asks_first_is_served_first(pool: MakePool, world: World, until: Until) -> None:
    """A thousand on ten connections, in exactly the order of asking: nobody waits longer than all before him do."""
    lending = pool(min_size=10, max_size=10, reset=False)
    lending.wait()
    held = [lending.getconn() for _ in range(10)]
    served: list[int] = []

    def work(number: int) -> None:
        conn = lending.getconn()
        served.append(number)
        conn.close()

    count = 1000 if world.one_thread else 200
    tasks = []
    for number in range(count):
        tasks.append(world.spawn(work, number))
        until(lambda number=number: lending.get_stats()["requests_waiting"] == number + 1)  # type: ignore[misc]
    held.pop().close()  # one goes round, so that the order can be seen where threads run at once
    for task in tasks:
        task.result()
    assert served == list(range(count))
    for conn in held:
        conn.close()
    stats = lending.get_stats()
    assert stats["requests_queued"] == count
    assert sum(stats["wait_histogram"].values()) == count


def test_a_waiter_is_handed_what_comes_back(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(max_size=1)
    with lending.connection() as conn:
        number = conn.thread_id()
        task = world.spawn(lending.getconn)
        until(lambda: lending.get_stats()["requests_waiting"])
    taken = task.result()
    assert taken.thread_id() == number
    taken.close()


def test_a_timeout_says_who_has_them(pool: MakePool) -> None:
    lending = pool(max_size=1, name="small")
    with lending.connection() as conn:
        with pytest.raises(
            mizzle.PoolTimeout, match=r"small> had no .* within 0\.01 s: 1 are in use of at most 1"
        ) as it:
            lending.getconn(acquire_timeout=0.01)
        with pytest.raises(mizzle.OperationalError, match="within 0 s"):
            lending.getconn(acquire_timeout=0)
        assert conn.execute("SELECT 1").fetchone() == (1,)
    assert "held longest" in str(it.value)
    assert it.value.hint is not None
    assert not it.value.sent
    with lending.connection():  # they left no trace
        assert lending.get_stats()["requests_errors"] == 2


def test_so_many_may_wait(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(max_size=1, max_waiting=1)
    conn = lending.getconn()
    task = world.spawn(lambda: lending.getconn().close())
    until(lambda: lending.get_stats()["requests_waiting"])
    with pytest.raises(mizzle.TooManyRequests, match=r"1 wait for a connection .* already, which is its max_waiting"):
        lending.getconn()
    conn.close()
    task.result()


def test_an_interrupted_waiter_leaves_the_queue(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(max_size=1)
    conn = lending.getconn()
    victim = Victim(world, lending.getconn)
    until(lambda: lending.get_stats()["requests_waiting"] == 1)
    other = world.spawn(lambda: lending.getconn().close())
    until(lambda: lending.get_stats()["requests_waiting"] == 2)
    victim.interrupt()
    if world.one_thread:
        with pytest.raises(Interrupted):
            victim.task.result()
        assert lending.get_stats()["requests_waiting"] == 1
    conn.close()
    other.result()
    with pytest.raises(Interrupted):
        victim.task.result()
    assert lending.get_stats()["pool_available"] == 1


def test_an_interrupt_at_the_moment_of_the_handover_loses_nothing(pool: MakePool, world: World, until: Until) -> None:
    """The connection is in the waiter's hands already, and he is interrupted before he runs again."""
    lending = pool(max_size=1)
    conn = lending.getconn()
    victim = Victim(world, lending.getconn)
    until(lambda: lending.get_stats()["requests_waiting"] == 1)
    other = world.spawn(lambda: lending.getconn().close())
    until(lambda: lending.get_stats()["requests_waiting"] == 2)
    if not world.one_thread:
        victim.interrupt()  # comes when it is woken
        conn.close()
    else:

        def both() -> None:
            conn.close()
            assert lending.get_stats()["requests_waiting"] == 1
            victim.interrupt()

        world.spawn(both).result()
    try:
        taken = victim.task.result()
    except Interrupted:
        pass
    else:
        assert world.kind == "trio"  # who has been told already is cancelled at his next wait only
        taken.close()
    other.result()
    until(lambda: lending.get_stats()["pool_available"] == 1)
    assert lending.get_stats()["pool_size"] == 1


def test_close_returns_and_twice_is_fine(pool: MakePool) -> None:
    lending = pool(max_size=1)
    with lending.connection() as conn:
        conn.close()
        assert lending.get_stats()["pool_available"] == 1
        conn.close()
        lending.putconn(conn)
    with lending.getconn() as conn:
        conn.execute("SELECT 1")
    assert lending.get_stats()["pool_size"] == 1


def test_what_was_returned_is_of_no_use_any_more(pool: MakePool) -> None:
    """Also while the session has its next user: neither the connection, nor its cursors and blocks reach it."""
    lending = pool(max_size=1)
    conn = lending.getconn()
    cursor = conn.cursor()
    block = conn.transaction()
    lending.putconn(conn)
    with lending.connection() as following:
        for use in (lambda: conn.execute("SELECT 1"), lambda: cursor.execute("SELECT 1"), block.__enter__, conn.ping):
            with pytest.raises(mizzle.ConnectionClosed, match="returned to its pool"):
                use()
        assert not conn.open
        assert following.execute("SELECT 1").fetchone() == (1,)
        conn.abort()
        assert following.open


def test_what_somebody_looks_at_is_not_lent_again(pool: MakePool) -> None:
    """Neither who has a weak reference nor who has the object itself sees it come to life again."""
    lending = pool(max_size=1)

    def take() -> weakref.ref[Any]:
        with lending.connection() as conn:
            return weakref.ref(itself(conn))

    watched = take()
    seen: list[Any] = []
    for _ in range(5):
        with lending.connection() as conn:
            assert watched() is not itself(conn)
        assert not conn.open
        assert [kept.open for kept in seen] == [False] * len(seen)
        seen.append(conn)


def test_a_stream_that_was_not_read_ends_with_an_error(pool: MakePool, server: Server) -> None:
    del server
    lending = pool(max_size=1)
    with lending.connection() as conn:
        cursor = conn.cursor(mizzle.StreamingCursor)
        cursor.execute("SELECT REPEAT('x', 100000) UNION ALL " * 99 + "SELECT 1")
        cursor.fetchone()
    with pytest.raises(mizzle.ConnectionClosed):
        cursor.fetchall()
    with lending.connection() as conn:
        assert conn.execute("SELECT 1").fetchall() == [(1,)]
    assert lending.get_stats()["pool_size"] == 1


def test_only_its_own_connections_come_back(pool: MakePool, world: World, server: Server) -> None:
    one, two = pool(), pool()
    with one.connection() as conn, pytest.raises(mizzle.InterfaceError, match="is not of <"):
        two.putconn(conn)
    stranger = world.connect(**server.connect_args())
    with stranger, pytest.raises(mizzle.InterfaceError, match=r"close\(\) it"):
        one.putconn(stranger)


def test_connections_are_of_the_class_that_was_asked_for(pool: MakePool) -> None:
    class Mine(mizzle.Connection):
        def double(self, number: int) -> int:
            return 2 * number

    if type(pool(min_size=0)).__name__ == "Waiting":

        class Mine(mizzle.aio.Connection):  # type: ignore[no-redef]
            def double(self, number: int) -> int:
                return 2 * number

    with pool(connection_class=Mine).connection() as conn:
        assert conn.double(21) == 42


def test_a_null_pool_keeps_nothing(pool: MakePool, world: World, until: Until) -> None:
    lending = pool("NullPool", max_size=2)
    assert lending.min_size == 0
    first, second = lending.getconn(), lending.getconn()
    number = first.thread_id()
    task = world.spawn(lending.getconn)
    until(lambda: lending.get_stats()["requests_waiting"])
    first.close()
    third = task.result()  # it was waited for: no reason to open another
    assert third.thread_id() == number
    third.close()
    second.close()
    assert lending.get_stats()["pool_size"] == 0
    with lending.connection() as conn:
        assert conn.thread_id() != number


def test_a_block_is_not_awaited(some_server: Server) -> None:
    async def await_it() -> None:
        lending = mizzle.aio.Pool(**some_server.connect_args())
        with pytest.raises(TypeError, match="getconn"):
            await lending.connection()  # type: ignore[misc]
        async with lending.connection() as conn:
            assert await (await conn.execute("SELECT 1")).fetchone() == (1,)
        await lending.close()

    asyncio.run(await_it())
