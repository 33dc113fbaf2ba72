"""executemany: UPDATE of single rows by their key, in one call, in one transaction."""

from __future__ import annotations

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.worlds import World

UPDATE = "UPDATE bench_target SET amount = %s WHERE id = %s"
SUM = "SELECT SUM(amount) FROM bench_target"


def run(task: Task, peer: Peer, world: World) -> Figures:
    rows = dataset.insert_rows(task.sizes.inserts // 5)
    changes = [(row[2] + 1, row[0]) for row in rows]
    connection = world.call(peer.connect, task.settings)
    cursor = connection.cursor()
    cursor.execute(dataset.EMPTY_TARGET)
    cursor.executemany(dataset.INSERT, rows)
    cursor.execute("BEGIN")
    with Meter() as meter:
        cursor.executemany(UPDATE, changes)
    cursor.execute("COMMIT")
    cursor.execute(SUM)
    check("sum", dataset.plain(cursor.fetchone()), dataset.plain([sum(amount for amount, _ in changes)]))
    cursor.close()
    connection.close()
    return meter.figures(len(rows))


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    rows = dataset.insert_rows(task.sizes.inserts // 5)
    changes = [(row[2] + 1, row[0]) for row in rows]
    connection = await peer.connect(task.settings)
    cursor = await peer.cursor(connection)
    await cursor.execute(dataset.EMPTY_TARGET)
    await cursor.executemany(dataset.INSERT, rows)
    await cursor.execute("BEGIN")
    with Meter() as meter:
        await cursor.executemany(UPDATE, changes)
    await cursor.execute("COMMIT")
    await cursor.execute(SUM)
    check("sum", dataset.plain(await cursor.fetchone()), dataset.plain([sum(amount for amount, _ in changes)]))
    await cursor.close()
    await peer.close(connection)
    return meter.figures(len(rows))
