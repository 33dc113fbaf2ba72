"""Fetch every row of the big table through an unbuffered cursor, a thousand at a time, keeping none."""

from __future__ import annotations

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World

BATCH = 1000


def run(task: Task, peer: Peer, world: World) -> Figures:
    connection = world.call(peer.connect, task.settings)
    for _ in range(2):
        warm_up = peer.stream(connection)
        warm_up.execute(dataset.WARM_UP)
        check("rows of the warm-up", len(list(warm_up.fetchall())), dataset.WARM_UP_ROWS)
        warm_up.close()
    cursor = peer.stream(connection)
    count = total = 0
    with Meter() as meter:
        cursor.execute(dataset.SELECT_ALL)
        while rows := cursor.fetchmany(BATCH):
            count += len(rows)
            total += rows[-1][0]
    check("rows", (count, total), expected(task))
    cursor.close()
    connection.close()
    return meter.figures(count)


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    connection = await peer.connect(task.settings)
    for _ in range(2):
        warm_up = await peer.cursor(connection, streamed=True)
        await warm_up.execute(dataset.WARM_UP)
        check("rows of the warm-up", len(list(await warm_up.fetchall())), dataset.WARM_UP_ROWS)
        await warm_up.close()
    cursor = await peer.cursor(connection, streamed=True)
    count = total = 0
    with Meter() as meter:
        await cursor.execute(dataset.SELECT_ALL)
        while rows := await cursor.fetchmany(BATCH):
            count += len(rows)
            total += rows[-1][0]
    check("rows", (count, total), expected(task))
    await cursor.close()
    await peer.close(connection)
    return meter.figures(count)


def expected(task: Task) -> tuple[int, int]:
    """How many rows, and the sum of the last id of each batch; the ids are 1, 2, 3, …"""
    rows = task.sizes.rows
    ends = [*range(BATCH, rows + 1, BATCH), *([rows] if rows % BATCH else [])]
    return rows, sum(ends)
