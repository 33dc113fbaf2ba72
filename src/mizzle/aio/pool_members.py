"""Those who wait for a connection of a pool, and what is said of those who have one."""

from __future__ import annotations

from typing import Any, NamedTuple

from mizzle.loans import Member


class Waiter:
    """Someone who waits, and what he is given: a member, or the reason why there will be none."""

    __slots__ = ("failure", "member", "signal", "since")

    def __init__(self, signal: Any, now: float) -> None:
        self.signal = signal
        self.since = now
        self.member: Member | None = None
        self.failure: BaseException | None = None


class Held(NamedTuple):
    """A connection that somebody has: its number on the server, for how many seconds, and where it was taken."""

    thread_id: int
    seconds: float
    place: str

    def __str__(self) -> str:
        return f"connection {self.thread_id}, taken {self.seconds:.1f} s ago at {self.place}"
