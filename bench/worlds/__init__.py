"""How several things run at once in one process, a file for each way.

The child imports its world before the driver: a world that patches the standard library does so when it is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, Protocol, cast


class World(Protocol):
    """What a work needs of a world. Each module here is one."""

    def run(self, count: int, work: Callable[[int], None]) -> None:
        """Run work(0) … work(count - 1) at once; return when all are done, raise what one of them raised."""

    def spawn(self, work: Callable[[], None]) -> Callable[[], object]:
        """Start something beside the caller; what is returned waits for its end."""

    def sleep(self, seconds: float) -> None: ...

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Make one blocking call to a driver in the way that this world needs."""


def load(name: str) -> World:
    return cast(World, import_module(f"bench.worlds.{name.replace('-', '_')}"))


class Loop(Protocol):
    """The same for works that are awaited."""

    def run_coroutine(self, work: Coroutine[Any, Any, Any]) -> Any: ...


LOOPS = ("asyncio", "uvloop", "trio")


def load_loop(name: str) -> Loop:
    return cast(Loop, import_module(f"bench.worlds.{name}"))


async def gather(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """Await all of them at once, in the loop that this is called in; what they return, in their order."""
    trio = sys.modules.get("trio")
    if trio is None:
        return await import_module("asyncio").gather(*works)  # type: ignore[no-any-return]
    results: list[Any] = [None] * len(works)

    async def one(number: int, work: Coroutine[Any, Any, Any]) -> None:
        results[number] = await work

    async with trio.open_nursery() as nursery:
        for number, work in enumerate(works):
            nursery.start_soon(one, number, work)
    return results
