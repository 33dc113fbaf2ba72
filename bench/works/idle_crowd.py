"""What each of very many connections that have done something and now idle holds in the client's memory.

The figure is what the whole process has grown by, so all that a hub, loop or driver keeps for a connection is in it.
The server is bench.crowd's, since no real one holds so many.
"""

from __future__ import annotations

from dataclasses import replace

from bench import crowd
from bench.measure import Figures
from bench.peers import AsyncPeer, Peer
from bench.task import Task
from bench.works import idle_memory
from bench.worlds import World


def run(task: Task, peer: Peer, world: World) -> Figures:
    with crowd.running(task.settings, task.sizes.crowd) as settings:
        return idle_memory.run(
            replace(task, settings=settings, sizes=replace(task.sizes, idle=task.sizes.crowd)), peer, world
        )


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    with crowd.running(task.settings, task.sizes.crowd) as settings:
        return await idle_memory.run_async(
            replace(task, settings=settings, sizes=replace(task.sizes, idle=task.sizes.crowd)), peer
        )
