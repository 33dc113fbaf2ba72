"""A pool and its process's children: each has connections of its own, and the parent's live on, in every order."""

from __future__ import annotations

import gc
import os
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from plugins.loops import Awaited, Waiting
from plugins.worlds import World
from pool.children import settle, use
from pool.conftest import MakePool

pytestmark = [
    pytest.mark.main_worlds,
    pytest.mark.filterwarnings("ignore:Using fork", "ignore:.*use of fork"),
]

Until = Callable[[Callable[[], Any]], None]


def in_child(world: World, lending: Any, part: Callable[[Any], None]) -> None:
    """Fork, play this part in the child with a hub or loop of its own, and wait for its end: it must not raise."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            warnings.simplefilter("error")
            part(settle(world, lending))
            gc.collect()
            status = 0
        except BaseException:  # noqa: BLE001 - the test is told by the status
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_a_pool_that_was_not_used_yet(pool: MakePool, world: World) -> None:
    lending = pool(max_size=2)
    in_child(world, lending, use)
    use(lending)


@pytest.mark.parametrize("parent_first", [True, False])
def test_idle_connections(pool: MakePool, world: World, parent_first: bool) -> None:
    lending = pool(min_size=2, max_size=2)
    lending.wait()
    number = use(lending)

    def part(copy: Any) -> None:
        assert use(copy) != number
        assert copy.get_stats()["pool_available"] >= 1
        copy.close()

    if parent_first:
        assert use(lending) == number
    in_child(world, lending, part)
    assert use(lending) == number
    in_child(world, lending, part)
    assert use(lending) == number


def test_lent_connections(pool: MakePool, world: World) -> None:
    """The child may return its copies, forget them, or close the pool: the parent's sessions do not notice."""
    lending = pool(min_size=3, max_size=3)
    lending.wait()
    returned, forgotten, kept = (lending.getconn() for _ in range(3))
    mine = [returned, forgotten, kept]
    for conn in mine:
        conn.execute("SET @mine = CONNECTION_ID()")
    if isinstance(world, Awaited):
        mine = [conn._target for conn in mine]
    copies = [mine[0], mine[1]]

    def part(copy: Any) -> None:
        one, two = (Waiting(copy._wait, each) if isinstance(world, Awaited) else each for each in copies)
        one.close()
        copy.putconn(one)
        assert not one.open
        use(copy)
        two.abort()
        two.close()
        assert copy.get_stats()["pool_size"] <= 3
        copy.close()

    in_child(world, lending, part)
    for conn in (returned, forgotten, kept):
        assert conn.execute("SELECT @mine = CONNECTION_ID()").fetchone() == (1,)
        conn.close()
    assert lending.get_stats()["pool_available"] == 3


def test_a_closed_pool_stays_closed(pool: MakePool, world: World) -> None:
    lending = pool()
    use(lending)
    lending.close()

    def part(copy: Any) -> None:
        with pytest.raises(Exception, match="is closed"):
            use(copy)

    in_child(world, lending, part)


def test_with_the_lock_held_and_others_waiting(pool: MakePool, world: World, until: Until) -> None:
    """The child has none of the threads that hold or wait for something."""
    lending = pool(max_size=1)
    conn = lending.getconn()
    tasks = [world.spawn(lambda: lending.getconn().close()) for _ in range(3)]
    until(lambda: lending.get_stats()["requests_waiting"] == 3)
    inner = getattr(lending, "_target", lending)
    with inner._lock:
        in_child(world, lending, use)
    conn.close()
    for task in tasks:
        task.result()
