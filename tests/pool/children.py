"""What a child process does first with what it has of its parent's, and what it says of itself."""

from __future__ import annotations

import asyncio
import gc
import os
import traceback
import warnings
from pathlib import Path
from typing import Any

import mizzle
from plugins.loops import Awaited, Waiting
from plugins.matrix import WORLDS
from plugins.worlds import World


def settle(world: World, inherited: Any) -> Any:
    """In a forked child: begin with a hub or loop of its own; the same connection or pool for use in there."""
    if world.kind == "eventlet":
        from eventlet import hubs  # noqa: PLC0415 - for those only who run in this world

        hubs.use_hub()
    if world.kind == "gevent":
        import gevent  # noqa: PLC0415 - for those only who run in this world

        gevent.reinit()
    if isinstance(world, Awaited):
        # eventlet's asyncio hub, if this process ever had one, sets its loop as the running one of every child.
        asyncio._set_running_loop(None)
        return Waiting(type(world)().wait, inherited._target)
    return inherited


def use(lending: Any) -> int:
    """Ask with a connection that a pool lends; the session's number."""
    with lending.connection() as conn:
        number: int = conn.thread_id()
        assert conn.execute("SELECT CONNECTION_ID()").fetchone() == (number,)
        return number


def sockets() -> set[str]:
    """All sockets that this process has open, by what no two have in common: their inodes."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            name = os.readlink(entry)
        except FileNotFoundError:  # the descriptor of this very listing
            continue
        if name.startswith("socket:"):
            found.add(name)
    return found


def socket_of(conn: Any) -> str:
    """The same for the socket of a connection."""
    return os.readlink(f"/proc/self/fd/{conn.fileno()}")


def of_its_own(world: World, settings: dict[str, Any]) -> set[int]:
    """Connect, and make a pool; the numbers of the sessions."""
    with world.connect(**settings) as conn:
        numbers = {conn.thread_id()}
        assert conn.execute("SELECT CONNECTION_ID()").fetchone() == (conn.thread_id(),)
        lending = world.pool(max_size=1, **settings)
        numbers.add(use(lending))
        lending.close()
    return numbers


def anew(name: str, settings: dict[str, Any], report: Any) -> None:
    """What a child of spawn or forkserver does: it has nothing of its parent's."""
    with Told(report) as told:
        world = WORLDS[name]()
        world.enter()
        told.sockets = sockets()
        told.numbers = of_its_own(world, settings)
        world.leave()
        world.close()


def forked(settings: dict[str, Any], report: Any, inherited: tuple[World, Any, Any]) -> None:
    """What a child of fork does: it tries its parent's connection, and uses its pool."""
    with Told(report) as told:
        world, conn, lending = inherited
        lending = settle(world, lending)
        if isinstance(lending, Waiting):
            world = lending._wait.__self__
            conn = Waiting(lending._wait, conn._target)
        try:
            conn.execute("SELECT 1")
        except mizzle.InterfaceError as error:
            told.refusal = str(error)
        conn.close()
        told.numbers = {use(lending)}
        lending.close()
        told.sockets = sockets()
        told.numbers |= of_its_own(world, settings)


class Told:
    """What is told the parent, by the connection that it is given."""

    def __init__(self, report: Any) -> None:
        self._report = report
        self.numbers: set[int] = set()
        self.sockets: set[str] = set()
        self.refusal: str | None = None
        self.failure: str | None = None

    def __enter__(self) -> Told:
        warnings.simplefilter("error")
        return self

    def __exit__(self, _kind: object, failure: BaseException | None, _traceback: object) -> bool:
        gc.collect()
        if failure is not None:
            self.failure = "".join(traceback.format_exception(failure))
        report, self._report = self._report, None
        report.send(vars(self))
        return True
