# Generated from src/mizzle/aio/pool_lending.py by tools/unasync.py: change that file, then run the tool.
"""How a pool lends its connections: to whom, what is done before and after, and what those are told who get none.

Knows: takers, waiters, hooks and resets. Must not know: how connections are opened and looked after
(`mizzle.sync.pool_supply`), sockets, how the world waits.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mizzle import errors
from mizzle.sync.pool_members import Waiter
from mizzle.sync.pool_settings import demand_seconds
from mizzle.sync.pool_supply import Supply

if TYPE_CHECKING:
    from mizzle.sync.connection import Connection
    from mizzle.loans import Member, Taker

_log = logging.getLogger("mizzle")

#: How long cleaning up behind a user may take, in seconds; the connection is closed then.
CLEANING_TIMEOUT = 5.0


class Lending(Supply):
    """What every pool does with its connections; programs use `Pool` and `NullPool`."""

    def _take(self, timeout: float | None, taker: Taker) -> Connection:
        """A connection, for the caller; who has to wait for it gets it in the order of asking."""
        began = self._clock()
        member = self._take_idle(began)
        if timeout is None:
            timeout = self._settings.acquire_timeout
        else:
            demand_seconds("acquire_timeout", timeout)
        while True:
            if member is None:
                member = self._wait_for_one(began, timeout)
            conn = None if member is None else self._hand_out(member, taker)
            if conn is not None:
                return conn
            member = self._take_idle(self._clock())

    def _hand_out(self, member: Member, taker: Taker) -> Connection | None:
        """Lend this one, after what is to be done before; None if it turns out to be no good."""
        settings = self._settings
        conn: Connection | None = None
        try:
            conn = member.take(self._clock(), taker)
            assert conn is not None
            if settings.check:
                (conn.ping() if settings.check is True else settings.check(conn))
        except Exception as failure:  # noqa: BLE001 - whatever it is that makes it no good
            _log.warning("%s discards a connection that is no good any more: %r", self, failure)
            self._lose(self._returned(conn) or member)
            return None
        except BaseException:
            self._drop(self._returned(conn) or member)
            raise
        try:
            if settings.setup is not None:
                settings.setup(conn)
        except BaseException:
            _log.exception("%s discards a connection, for setup() failed", self)
            self._drop(self._returned(conn) or member)
            raise
        return conn

    def _wait_for_one(self, began: float, timeout: float | None) -> Member | None:
        """Queue up. None: try again, something is idle."""
        waiter = self._line_up(began)
        if waiter is None:
            return None
        rest = 1.0
        try:
            while waiter.member is None and waiter.failure is None:
                left = rest if timeout is None else timeout - (self._clock() - began)
                if left <= 0:
                    break
                waiter.signal.wait(min(left, rest))
                rest *= 2
                self._reclaim()  # what was forgotten had nobody to hand it over
        except BaseException:
            self._withdraw(waiter)
            raise
        with self._lock:
            if waiter.member is not None:
                self._stats.waits.add(self._clock() - began)
                return waiter.member
            self._queue.pop(waiter, None)
            self._stats.errors += 1
        raise waiter.failure or self._timeout_error(timeout)

    def _line_up(self, began: float) -> Waiter | None:
        """A place at the end of the queue, if waiting makes sense."""
        assert self._world is not None
        self._reclaim()
        settings = self._settings
        with self._lock:
            if self._closed:
                raise self._closed_error()
            if self._idle:
                return None
            if settings.max_waiting and len(self._queue) >= settings.max_waiting:
                self._stats.errors += 1
                raise errors.TooManyRequests(
                    0,
                    f"{len(self._queue)} wait for a connection of {self} already, which is its max_waiting; "
                    f"{self._held_longest()}",
                    sent=False,
                    alive=False,
                    hint="Raise max_size, hold connections for a shorter time, or let fewer ask at once.",
                )
            outage = self._outage
            lost = not self._members and not self._opening and outage.is_hopeless(began, settings.outage_grace)
            if lost and outage.is_fresh(began):
                self._stats.errors += 1
                raise outage.refusal(self)
            waiter = Waiter(self._world.Signal(), began)
            self._queue[waiter] = None
            self._stats.queued += 1
        self._fill(at_once=not self._members and not outage.is_fresh(began))
        return waiter

    def _withdraw(self, waiter: Waiter) -> None:
        """He was interrupted. What was handed to him at that very moment goes to the next."""
        with self._lock:
            self._queue.pop(waiter, None)
            self._stats.errors += 1
            member = waiter.member
            kept = member is None or self._settle(member)
        if member is not None and not kept:
            self._drop(member)

    def _timeout_error(self, timeout: float | None) -> errors.PoolTimeout:
        with self._lock:
            held, waiting = len(self._members) - len(self._idle), len(self._queue)
        error = errors.PoolTimeout(
            0,
            f"{self} had no connection to give within {timeout or 0:g} s: {held} are in use of at most "
            f"{self._max_size}, {waiting} others wait; {self._held_longest()}",
            sent=False,
            alive=False,
            hint="Raise max_size, hold connections for a shorter time, or look at leaks().",
        )
        error.__cause__ = self._outage.error
        return error

    def _held_longest(self) -> str:
        held = [member for member in self._members.copy() if member.taken]
        if not held:
            return "nobody holds one"
        longest = min(held, key=lambda member: member.taken)
        return f"the one held longest, for {self._clock() - longest.taken:.1f} s, was taken at {longest.place}"

    # Coming back

    def _put_away(self, member: Member, clean: bool) -> None:
        """It came back, and cannot be lent again as it is. `clean`: nothing was left open, but it is to go."""
        if member.channel.closed:
            with self._lock:
                self._stats.returns_bad += 1
        elif not clean and self._background(self._clean, member):
            return
        self._drop(member)

    def _clean(self, member: Member) -> None:
        """Undo at once what its user left open; it is nobody's meanwhile."""
        conn, hook = member.conn, self._reset_hook
        timeout, conn.timeout = conn.timeout, CLEANING_TIMEOUT
        try:
            conn._finish_stream()
            if hook is not None:
                hook(conn)
            elif self._resets and not member.engine.pristine:
                conn.reset()
                member.used = member.dirty = False
            if conn.in_transaction:
                conn.rollback()
        except Exception as failure:  # noqa: BLE001 - a hook may raise anything
            _log.warning("%s closes a connection that could not be reset", self, exc_info=failure)
            with self._lock:
                self._stats.returns_bad += 1
            self._drop(member)
            return
        except BaseException:
            conn.abort()
            self._drop(member)
            raise
        conn.timeout = timeout
        with self._lock:
            kept = self._settle(member)
        if not kept:
            self._drop(member)
