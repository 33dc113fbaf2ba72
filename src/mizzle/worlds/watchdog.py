"""One clock a connection, for the worlds that have a hub or a loop.

Knows time and nothing else. A command that meets its deadline costs no timer: the one that is armed stays, and when it
goes off it looks whether a deadline has passed and arms itself anew for what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Watchdog"]


class Watchdog:
    """Calls `expired` when `deadline`, for the whole, or `silence`, put off by each sign of life, has passed.

    Either is a moment, or None: never.
    """

    __slots__ = ("_call_later", "_clock", "_due", "_expired", "_timer", "deadline", "silence")

    def __init__(self, clock: Callable[[], float], call_later: Callable[..., Any], expired: Callable[[], None]) -> None:
        self._clock = clock
        self._call_later = call_later
        self._expired = expired
        self._timer: Any = None
        self._due = 0.0
        self.deadline: float | None = None
        self.silence: float | None = None

    def start(self, timeout: float) -> None:
        """Let the deadline be that many seconds from now."""
        now = self._clock()
        self.deadline = now + timeout
        self._watch(self.deadline, timeout)

    def bear(self, silence: float) -> None:
        """Let the silence be that many seconds from now at most."""
        now = self._clock()
        self.silence = now + silence
        self._watch(self.silence, silence)

    def rest(self) -> None:
        """Nothing has to happen any more."""
        self.deadline = self.silence = None

    def cancel(self) -> None:
        """Take back the timer too: the connection ends."""
        self.rest()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self, due: float, delay: float) -> None:
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._arm(due, delay)

    def _arm(self, due: float, delay: float) -> None:
        self._due = due
        self._timer = self._call_later(max(delay, 0), self._ring)

    def _ring(self) -> None:
        self._timer = None
        due = self.deadline
        if self.silence is not None and (due is None or self.silence < due):
            due = self.silence
        if due is None:
            return
        left = due - self._clock()
        if left > 0:
            self._arm(due, left)
        else:
            self._expired()
