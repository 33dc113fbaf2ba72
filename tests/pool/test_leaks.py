"""Connections that do not come back: where they were taken, and what becomes of their place. And what a pool counts."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.loops import Awaited
from plugins.worlds import World
from pool.conftest import Clock, MakePool, ahead

pytestmark = pytest.mark.main_worlds

Until = Callable[[Callable[[], Any]], None]

OF_PSYCOPG = {
    "pool_min", "pool_max", "pool_size", "pool_available", "requests_waiting", "usage_ms", "requests_num",
    "requests_queued", "requests_wait_ms", "requests_errors", "returns_bad", "connections_num", "connections_ms",
    "connections_errors", "connections_lost",
}  # fmt: skip


def test_what_is_held_for_long(pool: MakePool, world: World, clock: Clock) -> None:
    lending = ahead(pool(max_size=3), clock)
    first = lending.getconn()
    clock.ahead = 100
    second = lending.getconn()
    assert lending.leaks(older_than=200) == []
    [leak] = lending.leaks()
    assert leak.thread_id == first.thread_id()
    assert 100 <= leak.seconds < 150
    if not isinstance(world, Awaited):  # where the loop takes it for the text: see below
        assert f"{__file__}:{test_what_is_held_for_long.__code__.co_firstlineno + 2}, in test_what_is" in leak.place
        assert leak.place in str(leak)
    assert [one.thread_id for one in lending.leaks(older_than=-1)] == [first.thread_id(), second.thread_id()]
    first.close()
    second.close()
    assert lending.leaks(older_than=-1) == []


def test_the_place_of_a_task(server: Server) -> None:
    async def holds(pool: Any) -> list[Any]:
        async with pool.connection():
            conn = await pool.getconn()
            leaks: list[Any] = pool.leaks(older_than=-1)
            await conn.close()
        return leaks

    async def main() -> list[Any]:
        async with mizzle.aio.Pool(max_size=2, **server.connect_args()) as pool:
            await pool.wait()
            return await holds(pool)

    first = holds.__code__.co_firstlineno
    places = [leak.place for leak in asyncio.run(main())]
    assert places == [f"{__file__}:{first + line}, in holds" for line in (1, 2)]


def test_the_whole_stack(pool: MakePool, world: World) -> None:
    lending = pool(debug=True)
    with lending.connection():
        [leak] = lending.leaks(older_than=-1)
        assert "Traceback" not in leak.place
        if not isinstance(world, Awaited):
            assert "in test_the_whole_stack\n    with lending.connection():" in leak.place


def test_a_warning_in_the_log_once(pool: MakePool, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    lending = ahead(pool(leak_timeout=60), clock)
    conn = lending.getconn()
    clock.ahead = 61
    for _ in range(3):
        lending._look_around()
    conn.close()
    told = [record.getMessage() for record in caplog.records if "has not come back" in record.getMessage()]
    assert len(told) == 1
    assert "lent a connection 61 s ago" in told[0]


def forget(world: World, held: list[Any]) -> None:
    world.sleep(0)  # whoever awaited it for the test has something else in hand now
    held.clear()
    gc.collect()


def test_a_forgotten_connection_gives_back_its_place(pool: MakePool, world: World) -> None:
    lending = pool(max_size=1)
    held = [lending.getconn()]
    number = held[0].thread_id()
    with pytest.warns(ResourceWarning, match=r"forgotten and not returned to <Pool .*; it was taken at .*:\d+, in "):
        forget(world, held)
    with lending.connection() as conn:
        assert conn.thread_id() != number
    assert lending.get_stats()["pool_size"] == 1


def test_also_if_somebody_waits_for_it(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(max_size=1)
    held = [lending.getconn()]
    task = world.spawn(lambda: lending.getconn().close())
    until(lambda: lending.get_stats()["requests_waiting"])
    with pytest.warns(ResourceWarning, match="forgotten"):
        forget(world, held)
    task.result()


def test_what_is_counted(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(min_size=1, max_size=2)
    lending.wait()
    first, second = lending.getconn(), lending.getconn()
    task = world.spawn(lambda: lending.getconn().close())
    until(lambda: lending.get_stats()["requests_waiting"])
    stats = lending.get_stats()
    assert stats.keys() == OF_PSYCOPG | {"usage_histogram", "wait_histogram"}
    assert (stats["pool_min"], stats["pool_max"], stats["pool_size"], stats["pool_available"]) == (1, 2, 2, 0)
    assert stats["requests_num"] == 3
    first.close()
    task.result()
    second.abort()
    second.close()
    stats = lending.pop_stats()
    assert stats["requests_num"] == 3
    assert stats["requests_queued"] in {1, 2}  # the second waited for its connection to be opened
    assert stats["connections_num"] == 2
    assert stats["returns_bad"] == 1
    assert sum(stats["usage_histogram"].values()) == 3
    assert sum(stats["wait_histogram"].values()) == stats["requests_queued"]
    stats = lending.get_stats()
    assert stats["requests_num"] == stats["returns_bad"] == 0
    assert stats["usage_histogram"] == {}
