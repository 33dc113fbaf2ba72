# Generated from src/mizzle/aio/pool_members.py by tools/unasync.py: change that file, then run the tool.
"""A pool's connections one by one, those who wait for one, and where each was taken.

Knows: what is kept of one of them. Must not know: when it is lent, closed or replaced.
"""

from __future__ import annotations

import traceback
import warnings
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from mizzle.worlds.sockets import process

if TYPE_CHECKING:
    from mizzle.sync.connection import Connection
    from mizzle.sync.pool_supply import Supply


class Lent:
    """Goes with a connection that is lent and comes back with it. If it dies, so did that: nobody can return it."""

    __slots__ = ("member", "pool")

    def __init__(self, pool: Supply, member: Member) -> None:
        self.pool = pool
        self.member = member

    def __del__(self, _warn: Any = warnings.warn) -> None:
        member = self.member
        if member.taken and member.is_ours():
            self.pool._forgotten.append(member)  # no more than that: this may run in any thread, and at any moment
            _warn(
                f"a connection was forgotten and not returned to {self.pool}; it was taken at {member.place}",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


class Member:
    """One connection of a pool. What is lent is a copy of `conn`, for the session that stays."""

    __slots__ = (
        "_at", "_code", "_stack", "conn", "dirty", "expires", "idle_since", "lent", "pid", "reported", "since", "taken",
        "used",
    )  # fmt: skip

    def __init__(self, pool: Supply, conn: Connection, now: float, expires: float) -> None:
        self.conn = conn
        self.since = self.idle_since = now
        self.expires = expires
        self.pid = process.pid
        self.lent: Lent | None = Lent(pool, self)  # None while it is away with the copy
        self.taken = 0.0  # when; 0.0: it is here
        self.used = False  # by somebody whose traces are still in the session
        self.dirty = False  # a transaction was open, which ends with the first command of the next user
        self.reported = False  # as one that is held for too long
        self._code: CodeType | None = None
        self._at = 0
        self._stack: str | None = None

    def is_ours(self) -> bool:
        """Was it opened in this process? Else it is a copy of the parent's."""
        return bool(self.pid == process.pid)

    def take(self, now: float, taker: Taker) -> Connection:
        """Lend it to whoever that is: a connection of his own for the session."""
        self._code, self._at, self._stack = taker
        if self.used:
            engine = self.conn._engine
            self.dirty = engine.in_transaction or (self.dirty and engine.owes)
            self.conn._reset_later()
        self.taken = now
        lent, self.lent = self.lent, None
        return self.conn._lend(lent)

    @property
    def place(self) -> str:
        """Where it was taken last, as file:line, or as a whole stack where that was remembered."""
        if self._stack is not None:
            return f"\n{self._stack}"
        if self._code is None:
            return "an unknown place"
        return f"{self._code.co_filename}:{_line(self._code, self._at)}, in {self._code.co_name}"


#: Where somebody asked: the code that ran, the instruction in it, and the whole stack if that is wanted.
Taker = tuple[CodeType, int, "str | None"]


def taker(frame: FrameType) -> Taker:
    """Whoever runs in that frame, with the whole stack."""
    return frame.f_code, frame.f_lasti, "".join(traceback.format_stack(frame))


def _line(code: CodeType, at: int) -> int | None:
    """The line of an instruction: looked up here, since at each taking it would be dear."""
    return next((line for start, end, line in code.co_lines() if start <= at < end), None)


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
