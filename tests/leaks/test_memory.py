"""What must not grow: the process while a result is streamed, the heap over many commands, errors and connections."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.worlds import World

pytestmark = pytest.mark.main_worlds

READER = Path(__file__).with_name("reader.py")
ROWS = 200_000
CHUNK = 128 * 1024  # what one receive brings at the most
ROW = 60  # bytes of one on the wire, at the least


@pytest.fixture(scope="module")
def numbers(server: Server) -> Server:
    """A server with a table of a thousand numbers."""
    with closing(mizzle.connect(**server.connect_args(autocommit=True))) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS leak_numbers (n INT PRIMARY KEY)")
        conn.cursor().executemany("INSERT IGNORE INTO leak_numbers VALUES (%s)", [(n,) for n in range(1000)])
    return server


def read(server: Server, world: str, mode: str, rows: int = ROWS) -> dict[str, int]:
    arguments = server.connect_args(ssl_mode="disabled", autocommit=True)
    done = subprocess.run(
        [sys.executable, str(READER), world, mode, str(rows), json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=120 + rows / 10_000,
        check=True,
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_streamed_result_does_not_grow_the_process(numbers: Server, world: World) -> None:
    found = read(numbers, world.kind, "streamed")
    assert found["rows"] == ROWS
    assert found["growth"] < 3_000_000


@pytest.mark.parametrize("mode", ["text", "binary", "server"])
def test_millions_of_rows_do_not_grow_it(numbers: Server, mode: str, request: pytest.FixtureRequest) -> None:
    """`--rows=10000000` is the measure by hand: docs/protocol.md has what came of it."""
    rows = request.config.getoption("rows")
    found = read(numbers, "threads", "streamed" if mode == "text" else mode, rows)
    print(f"{numbers.family}, {mode}: {found['rows']} rows, {found['growth']} bytes")
    assert found["rows"] == rows
    assert found["growth"] < 3_000_000


@pytest.mark.parametrize("mode", ["streamed", "buffered"])
def test_a_big_result_leaves_its_neighbours_their_turns(numbers: Server, worlds: dict[str, World], mode: str) -> None:
    """Each receive is one turn of the hub or loop: a neighbour has as many turns as there are chunks, at least."""
    for name in worlds:
        if name != "threads":
            assert read(numbers, name, mode)["turns"] >= ROWS * ROW // CHUNK


def once(world: World, conn: Any, arguments: dict[str, Any]) -> None:
    """A little of everything that makes and drops objects."""
    with conn.cursor() as cursor:
        cursor.execute("SELECT %s, %s, %s", (1, "text", None))
        cursor.fetchall()
        with suppress(mizzle.ProgrammingError):
            cursor.execute("SELEC 1")
    with conn.cursor(mizzle.StreamingCursor) as cursor:
        cursor.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
        cursor.fetchone()
    with suppress(mizzle.DataError), conn.transaction():
        raise mizzle.DataError(1, "rolled back")
    other = world.connect(**arguments)
    other.ping()
    other.close()
    with suppress(mizzle.OperationalError):
        world.connect(**{**arguments, "password": "wrong"})


def forget_cancelled_timers(world: World) -> None:
    """Hubs and loops keep those for a while, to take them out many at a time."""
    if world.name == "eventlet":
        from eventlet import hubs  # noqa: PLC0415 - for those only who run in this world

        hub = hubs.get_hub()
        hub.timers = sorted(entry for entry in hub.timers if not entry[1].called)
        hub.timers_canceled = 0
    elif world.name == "asyncio":
        loop: Any = world._loop  # type: ignore[attr-defined]
        loop._scheduled = sorted(handle for handle in loop._scheduled if not handle.cancelled())
        loop._timer_cancelled_count = 0
    elif world.name == "trio":
        world._of_the_run["runner"].deadlines._prune()  # type: ignore[attr-defined]


@pytest.fixture
def blocks(world: World) -> Iterator[Callable[[], int]]:
    """How many blocks of memory Python has in use, without cycles and what is over."""

    def count() -> int:
        world.settle()
        world.sleep(0)
        forget_cancelled_timers(world)
        gc.collect()
        return sys.getallocatedblocks()

    gc.collect()
    gc.freeze()  # what other tests left is none of ours
    yield count
    gc.unfreeze()


@pytest.mark.parametrize("ssl_mode", ["disabled", "required"])
def test_nothing_is_left_over(server: Server, world: World, blocks: Callable[[], int], ssl_mode: str) -> None:
    arguments = server.connect_args(ssl_mode=ssl_mode, autocommit=True)
    with closing(world.connect(**arguments)) as conn:
        rounds = 25
        counts = []
        for _ in range(12):  # free lists fill up and are full, as gevent's in a few hundred connections: a leak goes on
            for _ in range(rounds):
                once(world, conn, arguments)
            counts.append(blocks())
            if len(counts) > 1 and counts[-1] - counts[-2] < rounds:
                break
    grown = counts[-1] - counts[-2]
    assert grown < rounds, f"{grown} blocks more after {rounds} rounds"  # one object a round would show
