"""One clock a connection, for the worlds that have a hub or a loop.

Knows time and nothing else. A command that meets its deadline costs no timer: the one that is armed stays, and when it
goes off it looks whether a deadline has passed and arms itself anew for what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Watchdog"]


class Watchdog:
    """Calls `expired` when `deadline` passes, unless that was taken back by setting it to None."""

    __slots__ = ("_call_later", "_clock", "_due", "_expired", "_timer", "deadline")

    def __init__(self, clock: Callable[[], float], call_later: Callable[..., Any], expired: Callable[[], None]) -> None:
        self._clock = clock
        self._call_later = call_later
        self._expired = expired
        self._timer: Any = None
        self._due = 0.0
        self.deadline: float | None = None

    def start(self, timeout: float) -> None:
        """Let the deadline be that many seconds from now."""
        now = self._clock()
        self.deadline = deadline = now + timeout
        if self._timer is not None:
            if self._due <= deadline:
                return
            self._timer.cancel()
        self._arm(deadline, timeout)

    def cancel(self) -> None:
        """Take back the deadline and the timer too: the connection ends."""
        self.deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float, delay: float) -> None:
        self._due = due
        self._timer = self._call_later(max(delay, 0), self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self.deadline is None:
            return
        left = self.deadline - self._clock()
        if left > 0:
            self._arm(self.deadline, left)
        else:
            self.deadline = None
            self._expired()
