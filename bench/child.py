"""One run, in a process of its own: reads a task from the standard input, prints its figures as JSON."""

from __future__ import annotations

import json
import sys
import traceback
from importlib import import_module

from bench import peers, worlds
from bench.catalog import CONTESTANTS, WORKS
from bench.measure import Figures
from bench.task import Task


def measure(task: Task) -> Figures:
    """Import the world, then the driver, then do the work."""
    contestant = CONTESTANTS[task.contestant]
    module, function = WORKS[task.work].entry.split(":")
    if contestant.world in worlds.LOOPS:
        loop = worlds.load_loop(contestant.world)
        work = getattr(import_module(f"bench.works.{module}"), f"{function}_async")
        figures: Figures = loop.run_coroutine(work(task, peers.load_async(contestant.peer)))
    else:
        world = worlds.load(contestant.world)
        work = getattr(import_module(f"bench.works.{module}"), function)
        figures = work(task, peers.load(contestant.peer), world)
    return figures


def main() -> int:
    task = Task.load(sys.stdin.read())
    try:
        print(json.dumps(measure(task)))
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is its result
        traceback.print_exc()
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
