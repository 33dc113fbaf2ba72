"""What a connection that has done something and now idles holds in the client's memory."""

from __future__ import annotations

import gc
from typing import Any

from bench import dataset
from bench.measure import Figures, resident
from bench.peers import AsyncPeer, Peer
from bench.task import Task
from bench.works.point_select import select
from bench.worlds import World

WARM_UP = 10


def run(task: Task, peer: Peer, world: World) -> Figures:
    def open_one() -> Any:
        connection = world.call(peer.connect, task.settings)
        world.call(select, connection, 1)
        return connection

    kept = [open_one() for _ in range(WARM_UP)]
    gc.collect()
    before = resident()
    kept += [open_one() for _ in range(task.sizes.idle)]
    gc.collect()
    grown = resident() - before
    for connection in kept:
        connection.close()
    return {"kb": grown / task.sizes.idle / 1e3}


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    async def open_one() -> Any:
        connection = await peer.connect(task.settings)
        cursor = await peer.cursor(connection)
        await cursor.execute(dataset.POINT_SELECT, (1,))
        await cursor.fetchone()
        await cursor.close()
        return connection

    kept = [await open_one() for _ in range(WARM_UP)]
    gc.collect()
    before = resident()
    for _ in range(task.sizes.idle):
        kept.append(await open_one())
    gc.collect()
    grown = resident() - before
    for connection in kept:
        await peer.close(connection)
    return {"kb": grown / task.sizes.idle / 1e3}
