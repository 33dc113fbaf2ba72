"""Runs every work with every contestant, round after round, one process a run, and says on the terminal where it is."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from bench.catalog import CONTESTANTS, WORKS, Contestant
from bench.measure import Figures
from bench.task import Settings, Sizes, Task

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 300


@dataclass
class Outcome:
    """What one contestant did in one work: the figures of each round, or why there are none."""

    rounds: list[Figures] = field(default_factory=list)
    error: str | None = None

    def median(self, metric: str) -> float:
        return statistics.median(figures[metric] for figures in self.rounds)

    def spread(self, metric: str) -> tuple[float, float]:
        values = [figures[metric] for figures in self.rounds]
        return min(values), max(values)


Outcomes = dict[str, dict[str, Outcome]]


def missing(contestant: Contestant) -> str | None:
    """Why this contestant cannot take part, if it cannot."""
    try:
        metadata.version(contestant.distribution)
    except metadata.PackageNotFoundError:
        if contestant.driver != "mizzle":
            return f"{contestant.distribution} is not installed (python -m bench.install_peers)"
    library = contestant.world.split("-")[0]
    if library in {"eventlet", "gevent", "trio", "uvloop"} and find_spec(library) is None:
        return f"{library} is not installed (python -m bench.install_peers)"
    return None


def plan(works: list[str], drivers: list[str] | None, rounds: int) -> Iterator[tuple[str, str, int]]:
    """Work by work; within a work A B C A B C …, so that whatever the machine does meanwhile meets all of them."""
    for work in works:
        for number in range(1, rounds + 1):
            for name in WORKS[work].contestants:
                if drivers is None or CONTESTANTS[name].driver in drivers:
                    yield work, name, number


def run_all(
    steps: list[tuple[str, str, int]], settings: Settings, sizes: Sizes, checksum: list[str], progress: Progress
) -> Outcomes:
    outcomes: Outcomes = {}
    for done, (work, name, number) in enumerate(steps, 1):
        outcome = outcomes.setdefault(work, {}).setdefault(name, Outcome())
        if number == 1:
            outcome.error = missing(CONTESTANTS[name])
        if outcome.error is None:
            progress.starts(done, work, name, number)
            run_once(Task(work, name, settings, sizes, checksum), outcome)
        progress.ends(done, work, name, number, outcome)
    return outcomes


def run_once(task: Task, outcome: Outcome) -> None:
    """One run in its own process; adds its figures to the outcome, or the error that ends this contestant's part."""
    command = [sys.executable, "-m", "bench.child"]
    try:
        done = subprocess.run(
            command, input=task.dump(), cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        outcome.error = f"not done after {TIMEOUT} s"
        return
    lines = done.stdout.strip().splitlines()
    if not lines:
        outcome.error = (
            f"died with status {done.returncode}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
        )
        return
    answer = json.loads(lines[-1])
    if "error" in answer:
        outcome.error = answer["error"][:300]
    else:
        outcome.rounds.append(answer)


class Progress:
    """One line that is written over on a terminal; one line a run elsewhere."""

    def __init__(self, steps: int, rounds: int, stream: TextIO = sys.stderr) -> None:
        self.steps, self.rounds, self.stream = steps, rounds, stream
        self.live = stream.isatty()
        self.began = time.monotonic()

    def _head(self, done: int, work: str, name: str, number: int) -> str:
        return f"[{done:>3}/{self.steps}] {work:<16} {CONTESTANTS[name].label:<28} round {number}/{self.rounds}"

    def starts(self, done: int, work: str, name: str, number: int) -> None:
        if self.live:
            self.stream.write(f"\r\033[K{self._head(done, work, name, number)} {self._left(done)}")
            self.stream.flush()

    def ends(self, done: int, work: str, name: str, number: int, outcome: Outcome) -> None:
        metric, unit = WORKS[work].metric, WORKS[work].unit
        if outcome.error is not None:
            if outcome.rounds or number == 1:
                self._line(f"{self._head(done, work, name, number)}   {outcome.error}")
        elif not self.live:
            self._line(f"{self._head(done, work, name, number)} {outcome.rounds[-1][metric]:>12,.2f} {unit}")
        if self.live and done == self.steps:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def _line(self, text: str) -> None:
        self.stream.write(f"\r\033[K{text}\n" if self.live else f"{text}\n")
        self.stream.flush()

    def _left(self, done: int) -> str:
        passed = time.monotonic() - self.began
        return f"  {passed / (done - 1) * (self.steps - done + 1):.0f} s left" if done > 5 else ""
