"""The line on the terminal while it runs: one that changes where there is a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys

from examples.booking.load import Report
from examples.booking.measure import Recorder, percentile


class Progress:
    def __init__(self, title: str) -> None:
        self.title = title
        self.live = sys.stdout.isatty()
        self.second = 0

    def say(self, text: str) -> None:
        line = f"{self.title:<14} {text}"
        if self.live:
            print(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        else:
            print(line, flush=True)

    def show(self, recorder: Recorder, report: Report) -> None:
        """Where it stands now; without a terminal, once a second."""
        now = recorder.now()
        if not self.live and int(now) == self.second:
            return
        self.second = int(now)
        recent = recorder.recent(1.0)
        p99 = percentile(recent, 99)
        self.say(
            f"{now:4.1f} s  {len(recent) / min(now, 1.0):6,.0f} op/s  "
            f"p99 {'-' if p99 is None else f'{p99 * 1000:,.0f}':>5} ms  "
            f"stall {recorder.worst_stall * 1000:5,.0f} ms  report {report.rows:7,}"
        )

    def end(self) -> None:
        if self.live:
            print(flush=True)
