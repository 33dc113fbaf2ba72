"""SELECT one row by its primary key, a new cursor each time, as programs do."""

from __future__ import annotations

from typing import Any

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World, gather

WARM_UP = 20


def select(connection: Any, wanted: int) -> int:
    cursor = connection.cursor()
    cursor.execute(dataset.POINT_SELECT, (wanted,))
    row = cursor.fetchone()
    cursor.close()
    return int(row[0])


def run(task: Task, peer: Peer, world: World) -> Figures:
    """One connection, one caller."""
    return _run(task, peer, world, 1)


def run_workers(task: Task, peer: Peer, world: World) -> Figures:
    """A hundred green threads, each with its own connection."""
    return _run(task, peer, world, task.sizes.workers)


def _run(task: Task, peer: Peer, world: World, workers: int) -> Figures:
    connections: list[Any] = [None] * workers
    each = task.sizes.selects // workers
    wrong = [0] * workers

    def connect(number: int) -> None:
        connections[number] = world.call(peer.connect, task.settings)
        for wanted in dataset.some_ids(number, WARM_UP, task.sizes.rows):
            world.call(select, connections[number], wanted)

    def work(number: int) -> None:
        connection = connections[number]
        for wanted in dataset.some_ids(number, each, task.sizes.rows):
            wrong[number] += world.call(select, connection, wanted) != wanted

    for number in range(workers):
        connect(number)
    with Meter() as meter:
        if workers == 1:
            work(0)
        else:
            world.run(workers, work)
    check("wrong rows", sum(wrong), 0)
    for connection in connections:
        connection.close()
    return meter.figures(each * workers)


async def run_workers_async(task: Task, peer: AsyncPeer) -> Figures:
    """A hundred tasks, each with its own connection."""
    workers = task.sizes.workers
    each = task.sizes.selects // workers
    wrong = [0] * workers

    async def select_one(connection: Any, wanted: int) -> int:
        cursor = await peer.cursor(connection)
        await cursor.execute(dataset.POINT_SELECT, (wanted,))
        row = await cursor.fetchone()
        await cursor.close()
        return int(row[0])

    async def work(number: int, connection: Any) -> None:
        for wanted in dataset.some_ids(number, each, task.sizes.rows):
            wrong[number] += await select_one(connection, wanted) != wanted

    connections = [await peer.connect(task.settings) for _ in range(workers)]
    for number, connection in enumerate(connections):
        for wanted in dataset.some_ids(number, WARM_UP, task.sizes.rows):
            await select_one(connection, wanted)
    with Meter() as meter:
        await gather(*(work(number, connection) for number, connection in enumerate(connections)))
    check("wrong rows", sum(wrong), 0)
    for connection in connections:
        await peer.close(connection)
    return meter.figures(each * workers)
