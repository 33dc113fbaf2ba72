"""Connect and close, one after another."""

from __future__ import annotations

from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task
from bench.worlds import World

WARM_UP = 3


def run(task: Task, peer: Peer, world: World) -> Figures:
    """Without TLS."""
    return _run(task, peer, world, own_defaults=False)


def run_defaults(task: Task, peer: Peer, world: World) -> Figures:
    """With what the driver does about TLS when nobody says anything."""
    return _run(task, peer, world, own_defaults=True)


def _run(task: Task, peer: Peer, world: World, *, own_defaults: bool) -> Figures:
    def once() -> None:
        world.call(lambda: peer.connect(task.settings, own_defaults=own_defaults).close())

    for _ in range(WARM_UP):
        once()
    with Meter() as meter:
        for _ in range(task.sizes.connects):
            once()
    return meter.figures(task.sizes.connects)


async def run_async(task: Task, peer: AsyncPeer) -> Figures:
    return await _run_async(task, peer, own_defaults=False)


async def run_defaults_async(task: Task, peer: AsyncPeer) -> Figures:
    return await _run_async(task, peer, own_defaults=True)


async def _run_async(task: Task, peer: AsyncPeer, *, own_defaults: bool) -> Figures:
    async def once() -> None:
        await peer.close(await peer.connect(task.settings, own_defaults=own_defaults))

    for _ in range(WARM_UP):
        await once()
    with Meter() as meter:
        for _ in range(task.sizes.connects):
            await once()
    return meter.figures(task.sizes.connects)
