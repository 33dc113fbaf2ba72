"""What a pool counts.

Knows: numbers. Must not know: connections, waiting, clocks.
"""

from __future__ import annotations

from typing import Any

from mizzle.loans import Histogram


class Stats:
    """A pool's counters. All but those of the histograms' owners are changed with the pool's lock held."""

    def __init__(self, usage: Histogram) -> None:
        self.usage = usage  # from being lent to being returned
        self.waits = Histogram()  # of those who got a connection after waiting
        self.queued = 0
        self.errors = 0
        self.returns_bad = 0
        self.opened = 0
        self.opening_seconds = 0.0
        self.open_errors = 0
        self.lost = 0
        self._popped: dict[str, Any] = {}

    def shown(self, held: int, waiting: int, *, pop: bool) -> dict[str, Any]:
        """The counters since they were popped last, by psycopg_pool's names; times in whole milliseconds.

        `held` connections are lent just now, `waiting` callers wait: they have asked, too.
        """
        usage, waits = self.usage.counts, self.waits.counts
        totals: dict[str, Any] = {
            "usage_ms": self.usage.seconds * 1e3,
            "requests_num": sum(usage) + held + waiting + self.errors,
            "requests_queued": self.queued,
            "requests_wait_ms": self.waits.seconds * 1e3,
            "requests_errors": self.errors,
            "returns_bad": self.returns_bad,
            "connections_num": self.opened + self.open_errors,
            "connections_ms": self.opening_seconds * 1e3,
            "connections_errors": self.open_errors,
            "connections_lost": self.lost,
            "usage_histogram": usage,
            "wait_histogram": waits,
        }
        shown = {name: _difference(total, self._popped.get(name)) for name, total in totals.items()}
        if pop:
            self._popped = totals
        return shown


def _difference(total: Any, before: Any) -> Any:
    if isinstance(total, list):
        counts = [now - then for now, then in zip(total, before or [0] * len(total), strict=True)]
        return {2**power / 1e3: count for power, count in enumerate(counts) if count}
    return int(total - (before or 0))
