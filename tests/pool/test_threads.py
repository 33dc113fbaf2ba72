"""One pool, many OS threads; and pools that belong to one hub or loop."""

from __future__ import annotations

import asyncio
import functools
import random
import threading
from collections.abc import Callable
from typing import Any

import trio

import mizzle
from mizzle.testing import Server
from plugins.loops import Awaited
from plugins.worlds import PATIENCE, World


def in_thread(function: Callable[[], Any]) -> BaseException | None:
    """Call it in another OS thread; what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as failure:  # noqa: BLE001 - returned
            raised.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    return raised[0] if raised else None


def test_many_threads(server: Server) -> None:
    """Each gets answers to its own questions only, none is lent twice at a time, none is lost."""
    lent: set[int] = set()
    problems: list[str] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for turn in range(60):
            try:
                with pool.connection(acquire_timeout=dice.choice([0.0005, PATIENCE])) as conn:
                    number = conn.thread_id()
                    if number in lent:
                        problems.append(f"{number} was lent twice")
                    lent.add(number)
                    row = conn.execute("SELECT %s, %s, @mine", [seed, turn]).fetchone()
                    if row != (seed, turn, None):
                        problems.append(f"{row} in turn {turn} of {seed}")
                    conn.execute("SET @mine = 1")
                    lent.discard(number)
                    if dice.random() < 0.05:
                        conn.abort()
            except mizzle.PoolTimeout:
                pass
            except mizzle.Error as error:
                problems.append(repr(error))

    with mizzle.Pool(max_size=5, **server.connect_args(autocommit=True)) as pool:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        stats = pool.get_stats()
        assert not pool.leaks(older_than=-1)
        assert stats["requests_waiting"] == 0
        assert stats["requests_num"] == 24 * 60
    assert not problems


def test_a_pool_of_a_hub_or_loop_is_not_for_other_threads(server: Server, world: World) -> None:
    lending = world.pool(max_size=2, **server.connect_args())
    conn = lending.getconn()
    inner = getattr(lending, "_target", lending)
    uses: list[Callable[[], Any]] = [lambda: inner.putconn(getattr(conn, "_target", conn)), inner.wait, inner.close]
    for use in uses:
        call = use
        if isinstance(world, Awaited):
            call = functools.partial(trio.run, use) if world.kind == "trio" else (lambda use=use: asyncio.run(use()))
        failure = in_thread(call)
        if world.one_thread:
            assert isinstance(failure, mizzle.InterfaceError), failure
            assert "belongs to the hub or event loop" in str(failure)
        else:
            assert failure is None
    if world.one_thread:
        assert conn.execute("SELECT 1").fetchone() == (1,)
        conn.close()
        assert lending.get_stats()["pool_available"] == 1
    lending.close()


def test_eventlet_and_threads_side_by_side(server: Server, worlds: dict[str, World]) -> None:
    if "eventlet" not in worlds:
        return
    args = server.connect_args(autocommit=True)
    with mizzle.Pool(world="eventlet", **args) as green, mizzle.Pool(world="threads", **args) as native:  # noqa: SIM117
        with green.connection() as one, native.connection() as two:
            assert one.execute("SELECT 1").fetchone() == two.execute("SELECT 1").fetchone()


def test_every_loop_its_own(server: Server) -> None:
    async def use(pool: Any) -> None:
        async with pool.connection() as conn:
            await conn.execute("SELECT 1")

    async def whole() -> None:
        async with mizzle.aio.Pool(**server.connect_args()) as pool:
            await use(pool)

    asyncio.run(whole())
    asyncio.run(whole())
