"""What an idle connection holds: so little that ten thousand of them are nothing to speak of."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.worlds import PATIENCE, World

ROOT = Path(__file__).resolve().parents[2]
COUNT = 300
#: Bytes of Python's memory for each, with all that a hub or loop keeps for it: 2,800 (threads) to 5,500 (asyncio) when
#: this was written, with Python 3.11.
BOUND = 7000


@pytest.fixture(scope="module")
def crowd() -> Iterator[int]:
    """The port of a server that lets everybody in, in a process of its own."""
    command = [sys.executable, "-m", "bench.crowd"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.stdin.close()


@pytest.mark.main_worlds
def test_an_idle_connection_is_small(crowd: int, world: World) -> None:
    def open_one() -> Any:
        conn = world.connect(
            host="127.0.0.1", port=crowd, user="ann", password="secret", ssl_mode="disabled", timeout=PATIENCE
        )
        assert conn.execute("SELECT id, name, price FROM t WHERE id = %s", (1,)).fetchone()[1] == "customer number 0"
        return conn

    kept = [open_one() for _ in range(10)]
    gc.collect()
    tracemalloc.start()
    try:
        kept += [open_one() for _ in range(COUNT)]
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] / COUNT
    finally:
        tracemalloc.stop()
    for conn in kept:
        conn.close()
    world.settle()
    assert size < BOUND
