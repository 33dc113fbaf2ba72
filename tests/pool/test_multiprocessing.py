"""multiprocessing's ways to have children, beside a connection and a pool: the parent's sessions do not notice."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mizzle.testing import Server
from plugins.servers import families
from plugins.worlds import PATIENCE, World
from pool.children import anew, forked, socket_of, use

pytestmark = pytest.mark.filterwarnings("ignore:Using fork", "ignore:.*use of fork")


class Parent:
    """A process's connection and pool in one world, both in use; what children tell must go with that."""

    def __init__(self, world: World, settings: dict[str, Any]) -> None:
        self.world = world
        self.conn = world.connect(**settings)
        self.lending = world.pool(min_size=1, max_size=1, **settings)
        self.lending.wait()
        with self.lending.connection() as conn:
            self.sockets = {socket_of(self.conn), socket_of(conn)}
            conn.execute("SET @mine = 'pool'")
        self.conn.execute("SET @mine = 'connection'")
        self.numbers = {self.conn.thread_id(), use(self.lending)}

    def hear(self, report: Any) -> dict[str, Any]:
        assert report.poll(PATIENCE), "the child says nothing"
        told: dict[str, Any] = report.recv()
        assert told["failure"] is None, told["failure"]
        assert told["numbers"]
        assert not told["numbers"] & self.numbers
        assert not told["sockets"] & self.sockets
        return told

    def check(self) -> None:
        """Its sessions are those that it had, with what was set in them."""
        assert self.conn.execute("SELECT @mine, CONNECTION_ID()").fetchone() == ("connection", self.conn.thread_id())
        assert {self.conn.thread_id(), use(self.lending)} == self.numbers

    def close(self) -> None:
        self.lending.close()
        self.conn.close()


@pytest.fixture
def settings(shared_server: Callable[[str], Server], pytestconfig: pytest.Config) -> dict[str, Any]:
    """One family's: whose processes these are the server does not know."""
    server = shared_server(families(pytestconfig)[0])
    return server.connect_args(ssl_mode="disabled", autocommit=True, timeout=PATIENCE)


@pytest.fixture
def parents() -> Iterator[list[Parent]]:
    made: list[Parent] = []
    yield made
    for parent in made:
        parent.world.enter()
        parent.close()
        parent.world.leave()


@pytest.mark.main_worlds
def test_fork(world: World, settings: dict[str, Any], parents: list[Parent]) -> None:
    """Again and again, with the parent using what it has between."""
    parents.append(parent := Parent(world, settings))
    context: Any = multiprocessing.get_context("fork")
    for _ in range(2):
        ear, mouth = context.Pipe(duplex=False)
        child = context.Process(target=forked, args=(settings, mouth, (world, parent.conn, parent.lending)))
        child.start()
        assert "forked" in parent.hear(ear)["refusal"]
        parent.check()
        child.join(PATIENCE)
        assert child.exitcode == 0
        parent.check()
        ear.close()
        mouth.close()


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_children_that_begin_anew(
    method: str, worlds: dict[str, World], settings: dict[str, Any], parents: list[Parent]
) -> None:
    """One in each world, all at once: they are dear to start."""
    context: Any = multiprocessing.get_context(method)
    children = []
    for name, world in worlds.items():
        world.enter()
        parents.append(parent := Parent(world, settings))
        world.leave()
        ear, mouth = context.Pipe(duplex=False)
        child = context.Process(target=anew, args=(name, settings, mouth))
        child.start()
        mouth.close()
        children.append((parent, child, ear))
    for parent, child, ear in children:
        parent.world.enter()
        parent.check()
        parent.hear(ear)
        child.join(PATIENCE)
        assert child.exitcode == 0
        parent.check()
        parent.world.leave()
        ear.close()
