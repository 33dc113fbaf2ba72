"""CPU, wall time and memory of this process, and how long its hub or loop was kept from others."""

from __future__ import annotations

import gc
import time
from pathlib import Path

CLEAR_REFS = Path("/proc/self/clear_refs")
ROLLUP = Path("/proc/self/smaps_rollup")
STATUS = Path("/proc/self/status")
TICK = 0.001

Figures = dict[str, float]


def resident() -> int:
    """Resident bytes now. smaps_rollup is exact, where statm counts in batches."""
    return _field(ROLLUP, "Rss:")


def _field(path: Path, name: str) -> int:
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(f"{path} has no line {name}")


class Meter:
    """Measures the block under it: CPU of the whole process (all threads), wall time, peak memory above the start."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0
        self.growth = 0

    def __enter__(self) -> Meter:
        gc.collect()
        CLEAR_REFS.write_text("5", encoding="ascii")  # resets VmHWM, the peak of the resident memory
        self._resident = resident()
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = time.process_time() - self._cpu
        self.wall = time.perf_counter() - self._wall
        self.growth = max(0, _field(STATUS, "VmHWM:") - self._resident)

    def figures(self, count: int) -> Figures:
        """CPU and wall microseconds for each of `count` things done; the peak in MB."""
        return {
            "cpu_us": self.cpu / count * 1e6,
            "wall_us": self.wall / count * 1e6,
            "wall_s": self.wall,
            "peak_mb": self.growth / 1e6,
        }


class Heartbeat:
    """Ticks every millisecond beside the work and keeps the longest time that it was held up."""

    def __init__(self) -> None:
        self.beating = True
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self.stall = self.cpu_stall = 0.0
        self.ticks = 0
        self._due = time.perf_counter() + TICK
        self._cpu = time.thread_time()

    def tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.ticks += 1
        self.stall = max(self.stall, now - self._due)
        self.cpu_stall = max(self.cpu_stall, cpu - self._cpu)
        self._due, self._cpu = now + TICK, cpu

    def figures(self) -> Figures:
        """`stall_ms` is what others saw; `stall_cpu_ms` leaves out what other processes took of the machine."""
        return {"stall_ms": self.stall * 1e3, "stall_cpu_ms": self.cpu_stall * 1e3, "ticks": self.ticks}
