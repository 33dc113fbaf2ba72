"""What a program has open or under way: descriptors, threads, listeners and timers of hubs, tasks of loops."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def descriptors() -> set[str]:
    """What this process has open, each by its kind and inode."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing itself
            found.add(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
    return {name for name in found if "/proc/" not in name}


def under_way(world: Any) -> list[str]:
    """What a world still has to do or to listen to."""
    return WHAT[world.name.split("-")[0]](world)


def _in_threads(_: Any) -> list[str]:
    return [thread.name for thread in threading.enumerate() if not thread.daemon]


def _in_eventlet(_: Any) -> list[str]:
    from eventlet import hubs  # noqa: PLC0415 - for those only who run in this world

    hub = hubs.get_hub()
    found = [f"{kind} {fd}" for kind, listeners in hub.listeners.items() for fd in listeners]
    return found + [repr(timer) for _, timer in (*hub.timers, *hub.next_timers) if not timer.called]


def _in_gevent(_: Any) -> list[str]:
    from gevent import get_hub  # noqa: PLC0415

    watcher = type(get_hub().loop.timer(0)).__mro__[1]
    active = [thing for thing in gc.get_objects() if isinstance(thing, watcher) and thing.active]
    return [f"{type(thing).__name__} {getattr(thing.callback, '__qualname__', thing.callback)}" for thing in active]


def _in_asyncio(world: Any) -> list[str]:
    loop = world._loop
    found = [repr(handle) for handle in loop._scheduled if not handle.cancelled()]
    return found + [repr(key.data) for key in loop._selector.get_map().values() if key.fd != loop._ssock.fileno()]


def _in_uvloop(world: Any) -> list[str]:
    return [repr(task) for task in asyncio.all_tasks(world._loop)]  # it shows nothing else


def _in_trio(world: Any) -> list[str]:
    return world.under_way()  # type: ignore[no-any-return]


WHAT: dict[str, Callable[[Any], list[str]]] = {
    "threads": _in_threads,
    "eventlet": _in_eventlet,
    "gevent": _in_gevent,
    "asyncio": _in_asyncio,
    "uvloop": _in_uvloop,
    "trio": _in_trio,
}


class Remains:
    """Takes stock at its making; `nothing()` raises if there is more now."""

    def __init__(self, world: Any) -> None:
        self._world = world
        world.sleep(0)  # a hub opens its epoll when it is first used
        self._descriptors = descriptors()
        self._under_way = under_way(world)

    def nothing(self) -> None:
        for generation in (1, 2):  # all that is alive is looked through only if something seems to be left
            gc.collect(generation)
            self._world.settle()
            for _ in range(3):  # what was cancelled is taken out in the hub's or loop's next turn
                self._world.sleep(0)
            left = descriptors() - self._descriptors
            more = [what for what in under_way(self._world) if what not in self._under_way]
            if not left and not more:
                return
        raise AssertionError(f"left open: {left}, left under way: {more}")
