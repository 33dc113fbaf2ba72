"""SELECT SLEEP(0.5) on 200 green threads at once, each with its own connection: does one wait for another?"""

from __future__ import annotations

from typing import Any

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World, gather


def sleep(connection: Any) -> int:
    cursor = connection.cursor()
    cursor.execute(dataset.SLEEP)
    row = cursor.fetchone()
    cursor.close()
    return int(row[0])


def run(task: Task, peer: Peer, world: World) -> Figures:
    count = task.sizes.sleepers
    connections = [world.call(peer.connect, task.settings) for _ in range(count)]
    answers: list[int] = []

    def work(number: int) -> None:
        answers.append(world.call(sleep, connections[number]))

    with Meter() as meter:
        world.run(count, work)
    check("answers", answers, [0] * count)
    for connection in connections:
        connection.close()
    return meter.figures(count)


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    connections = [await peer.connect(task.settings) for _ in range(task.sizes.sleepers)]

    async def work(connection: Any) -> int:
        cursor = await peer.cursor(connection)
        await cursor.execute(dataset.SLEEP)
        row = await cursor.fetchone()
        await cursor.close()
        return int(row[0])

    with Meter() as meter:
        answers = await gather(*map(work, connections))
    check("answers", answers, [0] * len(connections))
    for connection in connections:
        await peer.close(connection)
    return meter.figures(len(connections))
