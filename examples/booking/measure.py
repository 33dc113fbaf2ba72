"""What is measured and what is made of it: latencies, heartbeats, processor time. Knows no driver and no SQL."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import active_count
from typing import NamedTuple

BIN = 0.1  # seconds of a point in the picture

clock = time.perf_counter


class Bin(NamedTuple):
    """A tenth of a second. Latencies in seconds, None where no operation ended."""

    at: float
    operations: int
    p50: float | None
    p99: float | None
    stall: float


class Measurement(NamedTuple):
    """What a load came to; times in seconds."""

    seconds: float
    operations: int
    p50: float
    p99: float
    slowest: float
    worst_stall: float
    threads: int
    processor: float
    counts: dict[str, int]
    bins: list[Bin]


class Recorder:
    """Collects during the load, which begin() and end() bound; times are seconds since begin()."""

    def __init__(self) -> None:
        self.ended = array("d")  # when an operation ended, ascending
        self.latencies = array("d")
        self.beats: list[tuple[float, float]] = []  # when a heartbeat was due, and how late it came
        self.worst_stall = 0.0
        self.counts: Counter[str] = Counter()
        self.begin()

    def begin(self) -> None:
        self.start = clock()
        self.processor = -time.process_time()
        self.seconds = 0.0

    def end(self) -> None:
        """The load is over; what is under way is still waited for and measured."""
        self.seconds = self.now()
        self.processor += time.process_time()

    def now(self) -> float:
        return clock() - self.start

    def count(self, what: str) -> None:
        self.counts[what] += 1

    @contextmanager
    def operation(self) -> Iterator[None]:
        began = self.now()
        yield
        ended = self.now()
        self.ended.append(ended)
        self.latencies.append(ended - began)

    def beat(self, due: float) -> None:
        """A heartbeat that was due then comes now. What it is late is how long somebody held the hub: a stall."""
        late = self.now() - due
        self.beats.append((due, late))
        self.worst_stall = max(self.worst_stall, late)

    def recent(self, seconds: float) -> array[float]:
        """Latencies of the operations that ended in the last `seconds`."""
        return self.latencies[bisect_right(self.ended, self.now() - seconds) :]

    def measurement(self) -> Measurement:
        """Throughput counts what ended within the load; latency and stall also what had begun by then."""
        return Measurement(
            seconds=self.seconds,
            operations=bisect_right(self.ended, self.seconds),
            p50=percentile(self.latencies, 50) or 0.0,
            p99=percentile(self.latencies, 99) or 0.0,
            slowest=max(self.latencies, default=0.0),
            worst_stall=self.worst_stall,
            threads=os_threads(),
            processor=self.processor,
            counts=dict(self.counts),
            bins=self.bins(self.seconds),
        )

    def bins(self, until: float) -> list[Bin]:
        count = max(1, int(until / BIN))
        latencies: list[list[float]] = [[] for _ in range(count)]
        for ended, latency in zip(self.ended, self.latencies, strict=True):
            if ended < until:
                latencies[min(int(ended / BIN), count - 1)].append(latency)
        stalls = [0.0] * count
        for due, late in self.beats:  # a stall belongs to every bin that it lasted through
            for place in range(int(due / BIN), min(int((due + late) / BIN), count - 1) + 1):
                stalls[place] = max(stalls[place], late)
        return [
            Bin(round(place * BIN, 3), len(inside), percentile(inside, 50), percentile(inside, 99), stall)
            for place, (inside, stall) in enumerate(zip(latencies, stalls, strict=True))
        ]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def os_threads() -> int:
    """Threads of this process, counted by the kernel where it tells, else by Python."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else active_count()
