"""A program of its own, so that its memory is nobody else's: reads a big result in one world and says what that took.

`python reader.py WORLD MODE ROWS CONNECT_ARGS`, the last as JSON; MODE is "streamed" or "buffered". It prints JSON:
rows read, growth of the process in bytes at its peak, and how often a neighbour had its turn meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUERY = (
    "SELECT a.n * 1000 + b.n, CAST(a.n AS DOUBLE) / 7, CONCAT('name ', b.n), CAST(a.n * 1.25 AS DECIMAL(12, 2)), "
    "TIMESTAMP('2024-01-01') + INTERVAL b.n SECOND, IF(a.n % 5 = 0, NULL, 'some text'), b.n "
    "FROM leak_numbers a CROSS JOIN leak_numbers b LIMIT {rows}"
)


def peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError("VmHWM")


def restart_peak() -> int:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def in_threads(world: str, mode: str, rows: int, arguments: dict[str, Any]) -> dict[str, int]:
    import mizzle  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet discourages its use, at import
        conn = mizzle.connect(world=world, **arguments)
    turns, stop = beside(world)
    cursor = conn.cursor(mizzle.StreamingCursor if mode == "streamed" else mizzle.Cursor)
    cursor.execute(QUERY.format(rows=1))
    cursor.fetchall()
    before = restart_peak()
    turns.clear()
    cursor.execute(QUERY.format(rows=rows))
    count = sum(1 for _ in cursor)
    stop()
    growth = peak() - before
    cursor.close()
    conn.close()
    return {"rows": count, "growth": growth, "turns": len(turns)}


def beside(world: str) -> tuple[list[None], Callable[[], object]]:
    """A green neighbour that counts its turns."""
    turns: list[None] = []
    if world != "eventlet":
        return turns, turns.copy
    import eventlet  # noqa: PLC0415

    def neighbour() -> None:
        while True:
            turns.append(None)
            eventlet.sleep(0)

    return turns, eventlet.spawn(neighbour).kill


async def in_asyncio(mode: str, rows: int, arguments: dict[str, Any]) -> dict[str, int]:
    from mizzle import aio  # noqa: PLC0415

    turns: list[None] = []

    async def neighbour() -> None:
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    conn = await aio.connect(**arguments)
    cursor = conn.cursor(aio.StreamingCursor if mode == "streamed" else aio.Cursor)
    await cursor.execute(QUERY.format(rows=1))
    await cursor.fetchall()
    task = asyncio.ensure_future(neighbour())
    before = restart_peak()
    await cursor.execute(QUERY.format(rows=rows))
    count = 0
    async for _ in cursor:
        count += 1
    task.cancel()
    growth = peak() - before
    await cursor.close()
    await conn.close()
    return {"rows": count, "growth": growth, "turns": len(turns)}


if __name__ == "__main__":
    world, mode, rows, arguments = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
    if world == "asyncio":
        found = asyncio.run(in_asyncio(mode, rows, arguments))
    else:
        found = in_threads(world, mode, rows, arguments)
    print(json.dumps(found))
