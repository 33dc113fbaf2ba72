"""A program of its own, so that its memory is nobody else's: reads a big result in one world and says what that took.

`python reader.py WORLD MODE ROWS CONNECT_ARGS`, the last as JSON; MODE is "streamed", "buffered", or in threads and
green threads "binary" (streamed from a prepared statement) or "server" (a server cursor). It prints JSON: rows read,
growth of the process in bytes at its peak, and how often a neighbour had its turn meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUERY = (
    "SELECT a.n * 1000 + b.n, CAST(a.n AS DOUBLE) / 7, CONCAT('name ', b.n), CAST(a.n * 1.25 AS DECIMAL(12, 2)), "
    "TIMESTAMP('2024-01-01') + INTERVAL b.n SECOND, IF(a.n % 5 = 0, NULL, 'some text'), b.n "
    "FROM leak_numbers c CROSS JOIN leak_numbers a CROSS JOIN leak_numbers b LIMIT {rows}"
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
    kinds = {"buffered": mizzle.Cursor, "server": mizzle.ServerCursor}
    cursor: Any = conn.cursor(kinds.get(mode, mizzle.StreamingCursor))
    options = {"prepare": True} if mode == "binary" else {}
    cursor.execute(QUERY.format(rows=1), **options)
    cursor.fetchall()
    before = restart_peak()
    turns[0] = 0
    cursor.execute(QUERY.format(rows=rows), **options)
    count = sum(1 for _ in cursor)
    stop()
    growth = peak() - before
    cursor.close()
    conn.close()
    return {"rows": count, "growth": growth, "turns": turns[0]}


def beside(world: str) -> tuple[list[int], Callable[[], object]]:
    """A green neighbour that counts its turns."""
    turns = [0]
    if world == "threads":
        return turns, turns.copy
    library: Any = importlib.import_module(world)

    def neighbour() -> None:
        while True:
            turns[0] += 1
            library.sleep(0)

    return turns, library.spawn(neighbour).kill


async def in_a_loop(mode: str, rows: int, arguments: dict[str, Any], turns: list[int]) -> dict[str, int]:
    from mizzle import aio  # noqa: PLC0415

    conn = await aio.connect(**arguments)
    cursor = conn.cursor(aio.StreamingCursor if mode == "streamed" else aio.Cursor)
    await cursor.execute(QUERY.format(rows=1))
    await cursor.fetchall()
    before = restart_peak()
    turns[0] = 0
    await cursor.execute(QUERY.format(rows=rows))
    count = 0
    async for _ in cursor:
        count += 1
    found = {"rows": count, "growth": peak() - before, "turns": turns[0]}
    await cursor.close()
    await conn.close()
    return found


async def in_asyncio(*work: Any) -> dict[str, int]:
    turns = [0]

    async def neighbour() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(neighbour())
    found = await in_a_loop(*work, turns)
    task.cancel()
    return found


async def in_trio(*work: Any) -> dict[str, int]:
    import trio  # noqa: PLC0415

    turns = [0]

    async def neighbour() -> None:
        while True:
            turns[0] += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(neighbour)
        found = await in_a_loop(*work, turns)
        nursery.cancel_scope.cancel()
    return found


def main(world: str, *work: Any) -> dict[str, int]:
    if world == "asyncio":
        return asyncio.run(in_asyncio(*work))
    if world == "trio":
        import trio  # noqa: PLC0415

        return trio.run(in_trio, *work)
    return in_threads(world, *work)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4]))))
