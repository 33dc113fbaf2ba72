"""executemany: INSERT of four columns a row, in one call, autocommit."""

from __future__ import annotations

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World


def run(task: Task, peer: Peer, world: World) -> Figures:
    rows = dataset.insert_rows(task.sizes.inserts)
    connection = world.call(peer.connect, task.settings)
    cursor = connection.cursor()
    cursor.execute(dataset.EMPTY_TARGET)
    cursor.executemany(dataset.INSERT, rows[:10])
    cursor.execute(dataset.EMPTY_TARGET)
    with Meter() as meter:
        cursor.executemany(dataset.INSERT, rows)
    cursor.execute(dataset.TARGET_CHECKSUM)
    check("rows inserted", dataset.plain(cursor.fetchone()), dataset.target_checksum(rows))
    cursor.close()
    connection.close()
    return meter.figures(len(rows))


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    rows = dataset.insert_rows(task.sizes.inserts)
    connection = await peer.connect(task.settings)
    cursor = await peer.cursor(connection)
    await cursor.execute(dataset.EMPTY_TARGET)
    await cursor.executemany(dataset.INSERT, rows[:10])
    await cursor.execute(dataset.EMPTY_TARGET)
    with Meter() as meter:
        await cursor.executemany(dataset.INSERT, rows)
    await cursor.execute(dataset.TARGET_CHECKSUM)
    check("rows inserted", dataset.plain(await cursor.fetchone()), dataset.target_checksum(rows))
    await cursor.close()
    await peer.close(connection)
    return meter.figures(len(rows))
