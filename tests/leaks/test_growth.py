"""What a program does again and again leaves nothing, each thing for itself: no objects, descriptors or timers."""

from __future__ import annotations

import gc
import tracemalloc
import warnings
from typing import Any

import pytest
from test_memory import forget_cancelled_timers

import mizzle
from faults.hostile import PATIENCE
from faults.remains import Remains
from mizzle.testing import Server
from plugins.worlds import World

pytestmark = pytest.mark.main_worlds


class Work:
    """Things that a program repeats. Each leaves the connection as it was."""

    def __init__(self, world: World, server: Server) -> None:
        self._world = world
        self._keywords = server.connect_args(ssl_mode="disabled", timeout=PATIENCE, autocommit=True)
        self.conn = self.connect()
        self.prepares = self.connect(prepare_threshold=1, prepared_cache_size=3)

    def connect(self, **changes: Any) -> Any:
        return self._world.connect(**self._keywords | changes)

    def query(self) -> None:
        cur = self.conn.execute("SELECT %s, %s, NULL, 1.5", (12345, "text"))
        assert cur.fetchall()[0][:2] == (12345, "text")

    def several_columns(self) -> None:
        """Each time other names: what is remembered of columns is bounded."""
        names = ", ".join(f"1 AS c{id(object())}_{number}" for number in range(20))
        self.conn.execute(f"SELECT {names}").fetchall()

    def error(self) -> None:
        with pytest.raises(mizzle.ProgrammingError):
            self.conn.execute("SELEKT")

    def wrong_parameters(self) -> None:
        with pytest.raises(mizzle.ProgrammingError):
            self.conn.execute("SELECT %s, %s", (1,))

    def transaction(self) -> None:
        with self.conn.transaction():
            self.conn.execute("SELECT 1").fetchall()

    def stream(self) -> None:
        with self.conn.cursor(mizzle.StreamingCursor) as cur:
            cur.execute("SELECT 1 UNION SELECT 2")
            assert cur.fetchall() == [(1,), (2,)]

    def prepared(self) -> None:
        """One more statement each time than the connection keeps."""
        for number in range(4):
            cur = self.prepares.execute(f"SELECT %s, {number}, 'text'", (12345,))
            assert cur.fetchall() == [(12345, number, "text")]

    def statement(self) -> None:
        with self.conn.prepare("SELECT %s") as statement:
            assert statement.execute(("x",)).fetchall() == [("x",)]

    def server_cursor(self) -> None:
        with self.conn.cursor(mizzle.ServerCursor) as cur:
            cur.execute("SELECT 1 UNION SELECT 2")
            assert cur.fetchone() == (1,)

    def half_read_stream(self) -> None:
        """Dropped without close(): the next statement finds the connection in order."""
        cur = self.conn.cursor(mizzle.StreamingCursor)
        cur.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
        assert cur.fetchone() == (1,)
        del cur
        self.conn.execute("SELECT 1").fetchall()

    def connects(self) -> None:
        with self.connect() as conn:
            conn.ping()

    def connects_with_tls(self) -> None:
        with self.connect(ssl_mode="required") as conn:
            conn.ping()

    def refused(self) -> None:
        with pytest.raises(mizzle.OperationalError):
            self.connect(password="wrong")

    def timeout(self) -> None:
        """What is waited for comes after the deadline, however slow this process is: by then a nap might be over."""
        conn = self.connect(on_interrupt="close")
        lock = (f"kept from {conn.thread_id()}",)
        self.conn.execute("DO GET_LOCK(%s, 0)", lock)
        with pytest.raises(mizzle.OperationalError, match="timed out"):
            conn.execute("DO GET_LOCK(%s, 60)", lock, timeout=0.001)
        self.conn.execute("DO RELEASE_LOCK(%s)", lock)


#: The work, and how often it is done.
TIMES = {
    "query": 300, "several_columns": 300, "error": 300, "wrong_parameters": 300, "transaction": 100, "stream": 300,
    "half_read_stream": 200, "prepared": 100,
    "statement": 200, "server_cursor": 200, "connects": 60, "connects_with_tls": 30, "refused": 60, "timeout": 20,
}  # fmt: skip


@pytest.mark.parametrize("name", TIMES)
def test_again_and_again(any_server: Server, world: World, name: str) -> None:
    """Objects and bytes after n times are those after 2n times, but for what interpreters keep for themselves."""
    stock = Remains(world)
    work = Work(world, any_server)
    do, times = getattr(work, name), TIMES[name]

    def measured() -> tuple[int, int]:
        for _ in range(times):
            do()
        world.settle()
        world.sleep(0)
        forget_cancelled_timers(world)
        gc.collect()
        return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        objects, size = measured()
        for _ in range(40):  # free lists (those of gevent above all) fill up and are full: a leak goes on
            before, (objects, size) = (objects, size), measured()
            if objects - before[0] < times / 4 and size - before[1] < 64 * times:
                break
    finally:
        tracemalloc.stop()
    work.conn.close()
    work.prepares.close()
    assert objects - before[0] < times / 4
    assert size - before[1] < 64 * times
    stock.nothing()


def test_without_the_collector(any_server: Server, world: World) -> None:
    """What was used and let go is freed at once: results, cursors and connections are in no cycles."""
    work = Work(world, any_server)
    for do in (work.query, work.stream, work.connects):
        do()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            work.query()
            work.stream()
        kinds = (mizzle.Cursor, mizzle.StreamingCursor, mizzle.aio.Cursor, mizzle.aio.StreamingCursor)
        assert not [thing for thing in gc.get_objects() if type(thing) in kinds]
    finally:
        gc.enable()
    work.conn.close()
    work.prepares.close()


def test_a_forgotten_connection(any_server: Server, world: World) -> None:
    """It warns, and its socket is closed, also in the middle of a result."""
    stock = Remains(world)
    work = Work(world, any_server)
    for half_read in (False, True):
        conn = work.connect()
        cur = conn.cursor(mizzle.StreamingCursor)
        cur.execute("SELECT 1 UNION SELECT 2")
        if half_read:
            cur.fetchone()
        else:
            cur.close()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del cur, conn
            gc.collect()
            for _ in range(5):
                world.sleep(0)
            gc.collect()
        assert any("unclosed connection" in str(warning.message) for warning in caught)
    work.conn.close()
    work.prepares.close()
    for _ in range(5):
        world.sleep(0)
    stock.nothing()
