"""What a pool costs: SELECT one row by its primary key on a connection that is lent for it, beside one that is kept.

Both are measured in turns in one process, since the difference is small, and in one session of the server: on which CPU
its thread runs weighs more than a pool. And fairness: a thousand who ask at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World

TURNS = 10
WARM_UP = 50
WAITERS = 1000
SIZE = 10


def run(task: Task, peer: Peer, world: World) -> Figures:  # noqa: ARG001 - one caller
    """As the driver's pool is by default."""
    return _run(task, peer)


def run_plain(task: Task, peer: Peer, world: World) -> Figures:  # noqa: ARG001 - one caller
    """Without resetting the session between two users, which other pools do not do either."""
    return _run(task, peer, reset=False)


def _run(task: Task, peer: Peer, **options: Any) -> Figures:
    borrow, close = peer.pool(task.settings, 1, **options)

    def select(connection: Any, wanted: int) -> bool:
        cursor = connection.cursor()
        cursor.execute(dataset.POINT_SELECT, (wanted,))
        row = cursor.fetchone()
        cursor.close()
        return bool(row[0] != wanted)

    def fixed(ids: list[int]) -> int:
        with borrow() as kept:
            return sum(select(kept, wanted) for wanted in ids)

    def pooled(ids: list[int]) -> int:
        wrong = 0
        for wanted in ids:
            with borrow() as connection:
                wrong += select(connection, wanted)
        return wrong

    fixed(_ids(task, WARM_UP))
    pooled(_ids(task, WARM_UP))
    costs: dict[str, list[float]] = {"fixed": [], "pooled": []}
    for _ in range(TURNS):
        for name, part in (("fixed", fixed), ("pooled", pooled)):
            ids = _ids(task, task.sizes.selects // TURNS)
            with Meter() as meter:
                wrong = part(ids)
            check("wrong rows", wrong, 0)
            costs[name].append(meter.cpu / len(ids) * 1e6)
    close()
    return _figures(costs)


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    return await _run_async(task, peer)


async def run_plain_async(task: Task, peer: AsyncPeer) -> Figures:
    return await _run_async(task, peer, reset=False)


async def _run_async(task: Task, peer: AsyncPeer, **options: Any) -> Figures:
    borrow, close = await peer.pool(task.settings, 1, **options)

    async def select(connection: Any, wanted: int) -> bool:
        cursor = await peer.cursor(connection)
        await cursor.execute(dataset.POINT_SELECT, (wanted,))
        row = await cursor.fetchone()
        await cursor.close()
        return bool(row[0] != wanted)

    async def fixed(ids: list[int]) -> int:
        wrong = 0
        async with borrow() as kept:
            for wanted in ids:
                wrong += await select(kept, wanted)
        return wrong

    async def pooled(ids: list[int]) -> int:
        wrong = 0
        for wanted in ids:
            async with borrow() as connection:
                wrong += await select(connection, wanted)
        return wrong

    await fixed(_ids(task, WARM_UP))
    await pooled(_ids(task, WARM_UP))
    costs: dict[str, list[float]] = {"fixed": [], "pooled": []}
    for _ in range(TURNS):
        for name, part in (("fixed", fixed), ("pooled", pooled)):
            ids = _ids(task, task.sizes.selects // TURNS)
            with Meter() as meter:
                wrong = await part(ids)
            check("wrong rows", wrong, 0)
            costs[name].append(meter.cpu / len(ids) * 1e6)
    await close()
    return _figures(costs)


def _ids(task: Task, count: int) -> list[int]:
    return list(dataset.some_ids(0, count, task.sizes.rows))


def _figures(costs: dict[str, list[float]]) -> Figures:
    """The ratio is that of two turns that followed each other: what else the machine does weighs little then."""
    pairs = zip(costs["pooled"], costs["fixed"], strict=True)
    return {
        "cpu_us": median(costs["pooled"]),
        "fixed_us": median(costs["fixed"]),
        "ratio": median(pooled / fixed for pooled, fixed in pairs),
    }


# -- fairness ---------------------------------------------------------------------------------------------------------


def run_fairness(task: Task, peer: Peer, world: World) -> Figures:
    """The longest wait of a thousand on ten connections, in terms of the median one."""
    borrow, close = peer.pool(task.settings, SIZE)
    _warm(borrow)
    waits = [0.0] * WAITERS

    def work(number: int) -> None:
        asked = time.perf_counter()
        with borrow() as connection:
            waits[number] = time.perf_counter() - asked
            connection.cursor().execute(dataset.POINT_SELECT, (number,))

    world.run(WAITERS, work)
    close()
    return _fairness(waits)


def _warm(borrow: Callable[[], Any]) -> None:
    lent = [borrow() for _ in range(SIZE)]
    for one in lent:
        one.__enter__()
    for one in lent:
        one.__exit__(None, None, None)


async def run_fairness_async(task: Task, peer: AsyncPeer) -> Figures:
    borrow, close = await peer.pool(task.settings, SIZE)
    lent = [borrow() for _ in range(SIZE)]
    for one in lent:
        await one.__aenter__()
    for one in lent:
        await one.__aexit__(None, None, None)
    waits = [0.0] * WAITERS

    async def work(number: int) -> None:
        asked = time.perf_counter()
        async with borrow() as connection:
            waits[number] = time.perf_counter() - asked
            cursor = await peer.cursor(connection)
            await cursor.execute(dataset.POINT_SELECT, (number,))
            await cursor.fetchone()
            await cursor.close()

    await asyncio.gather(*(work(number) for number in range(WAITERS)))
    await close()
    return _fairness(waits)


def _fairness(waits: list[float]) -> Figures:
    middle = median(waits)
    return {"fairness": max(waits) / middle, "median_ms": middle * 1e3, "longest_ms": max(waits) * 1e3}
