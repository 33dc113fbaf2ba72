"""How long a heartbeat is kept waiting while one green thread (or task) fetches the big table in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bench import dataset
from bench.measure import TICK, Figures, Heartbeat, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.works import fetch_streamed
from bench.worlds import World


def run(task: Task, peer: Peer, world: World) -> Figures:
    """Buffered: execute, fetchall."""

    def fetch() -> Any:
        world.call(cursor.execute, dataset.SELECT_ALL)
        return world.call(cursor.fetchall)

    connection = world.call(peer.connect, task.settings)
    cursor = connection.cursor()
    rows, figures = _beside(world, fetch, task.sizes.rows)
    check("rows", len(rows), task.sizes.rows)
    connection.close()
    return figures


def run_streamed(task: Task, peer: Peer, world: World) -> Figures:
    """Unbuffered: fetchmany until there is nothing more."""

    def fetch() -> Any:
        count = 0
        world.call(cursor.execute, dataset.SELECT_ALL)
        while rows := world.call(cursor.fetchmany, fetch_streamed.BATCH):
            count += len(rows)
        return count

    connection = world.call(peer.connect, task.settings)
    cursor = peer.stream(connection)
    count, figures = _beside(world, fetch, task.sizes.rows)
    check("rows", count, task.sizes.rows)
    connection.close()
    return figures


def _beside(world: World, fetch: Callable[[], Any], rows: int) -> tuple[Any, Figures]:
    def beat() -> None:
        while heart.beating:
            world.sleep(TICK)
            heart.tick()

    heart = Heartbeat()
    join = world.spawn(beat)
    world.sleep(0.05)
    with Meter() as meter:
        heart.restart()
        result = fetch()  # kept until the end: dropping half a million rows is not the driver's time
        world.sleep(0.005)  # the tick that is late by now must still be counted
    heart.beating = False
    join()
    return result, {**meter.figures(rows), **heart.figures()}


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    connection = await peer.connect(task.settings)
    cursor = await peer.cursor(connection)
    heart = Heartbeat()

    async def beat() -> None:
        while heart.beating:
            await asyncio.sleep(TICK)
            heart.tick()

    heartbeat = asyncio.ensure_future(beat())
    await asyncio.sleep(0.05)
    with Meter() as meter:
        heart.restart()
        await cursor.execute(dataset.SELECT_ALL)
        rows = await cursor.fetchall()
        await asyncio.sleep(0.005)
    heart.beating = False
    await heartbeat
    check("rows", len(rows), task.sizes.rows)
    await peer.close(connection)
    return {**meter.figures(len(rows)), **heart.figures()}
