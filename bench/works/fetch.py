"""Fetch every row of the big table, buffered: execute, then fetchall."""

from __future__ import annotations

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World


def run(task: Task, peer: Peer, world: World) -> Figures:
    connection = world.call(peer.connect, task.settings)
    cursor = connection.cursor()
    world.call(cursor.execute, dataset.WARM_UP)
    world.call(cursor.fetchall)
    with Meter() as meter:
        world.call(cursor.execute, dataset.SELECT_ALL)
        rows = world.call(cursor.fetchall)
    check("rows", dataset.checksum(rows), task.checksum)
    cursor.close()
    connection.close()
    return meter.figures(len(rows))


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    connection = await peer.connect(task.settings)
    cursor = await peer.cursor(connection)
    await cursor.execute(dataset.WARM_UP)
    await cursor.fetchall()
    with Meter() as meter:
        await cursor.execute(dataset.SELECT_ALL)
        rows = await cursor.fetchall()
    check("rows", dataset.checksum(rows), task.checksum)
    await cursor.close()
    await peer.close(connection)
    return meter.figures(len(rows))
