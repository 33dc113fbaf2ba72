"""What a pool has: its connections and those who wait for one, and how connections come, are handed over, and go.

Knows: how many there are to be, and the jobs that open and close them beside the callers. Must not know: sockets, how
the world waits; how connections are lent (`mizzle.aio.pool_lending`).
"""

from __future__ import annotations

import collections
import functools
import logging
import random
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mizzle import errors, worlds
from mizzle.aio.connecting import establish, world_name
from mizzle.aio.pool_members import Waiter
from mizzle.aio.pool_outage import Outage
from mizzle.aio.pool_stats import Stats
from mizzle.loans import Lock, Member, Shelf, thread_number
from mizzle.worlds.sockets import process

if TYPE_CHECKING:
    from mizzle.aio.connection import Connection
    from mizzle.aio.pool_settings import PoolSettings
    from mizzle.options import ConnectOptions
    from mizzle.worlds import AsyncWorld, Signal

_log = logging.getLogger("mizzle")

#: At the latest after so many seconds the keeper looks around.
LONGEST_REST = 30.0


class Supply(Shelf):
    """The connections of a pool, and who looks after them."""

    def __init__(self, settings: PoolSettings, options: ConnectOptions, *, keeps_idle: bool) -> None:
        super().__init__()
        world_name(options.world)  # raises if it is one for the other face
        self._settings = settings
        # Told of each change, a pool need not guess what a view over a function may have set.
        self._options = replace(options, session_track_state_change=True) if settings.reset is True else options
        self._min_size = settings.min_size
        self._max_size = settings.min_size if settings.max_size is None else settings.max_size
        # What a loan has to look at, settled once.
        self._keeps_idle = keeps_idle
        self._plain = settings.setup is None and not settings.check and not settings.debug
        self._resets = settings.reset is True
        self._reset_hook = settings.reset if callable(settings.reset) else None
        self._stats = Stats(self._usage)
        self._may_open = settings.open is not False
        self._begin()

    def _begin(self) -> None:
        """As before the first use: in a new pool, and in a forked child, whose parent has the connections."""
        self._pid = process.pid
        self._lock = Lock()
        self._world: AsyncWorld | None = None  # from the first use on
        self._where = self._place = None
        self._members = set()
        self._idle = []
        self._queue: collections.OrderedDict[Waiter, None] = collections.OrderedDict()
        self._forgotten = collections.deque()
        self._outage = Outage()
        self._opening = 0
        self._jobs = 0
        self._done: Signal | None = None  # for who waits until there are no jobs left
        self._progress: Signal | None = None  # for who waits until connections have been opened
        self._nudge: Signal | None = None  # wakes the keeper

    def __repr__(self) -> str:
        options = self._options
        name = self._settings.name or f"{options.user}@{options.unix_socket or f'{options.host}:{options.port}'}"
        return f"<{type(self).__name__} {name}>"

    # Its world

    def _begin_use(self) -> None:
        """See to it that the pool may be used here and now: open it if this is the first time."""
        self._refuse_elsewhere()
        if self._closed:
            raise self._closed_error()
        if self._world is None:
            if not self._may_open:
                raise errors.PoolClosed(0, f"{self} is not open yet: call its open()", sent=False, alive=False)
            self._open_up()

    def _refuse_elsewhere(self) -> None:
        """The pool may be used here: in this process, hub or loop."""
        if self._pid != process.pid:
            self._forked()
        elif self._world is not None and self._world.place() is not self._place:
            raise errors.InterfaceError(
                0,
                f"{self} belongs to the hub or event loop in which it was first used, and cannot be used in another",
                sent=False,
                hint="Make a pool in each thread or loop that has one of its own.",
            )

    def _open_up(self) -> None:
        """Settle in the world of the caller, and start what runs beside."""
        world: Any = worlds.resolve_async(world_name(self._options.world))
        if not hasattr(world, "look"):
            raise errors.NotSupportedError(0, f"world={self._options.world!r} has no pools", sent=False)
        with self._lock:
            if self._world is not None:
                return
            self._place = world.place()
            self._thread = thread_number()
            self._nudge = world.Signal()
            self._look = world.look
            self._jobs += 1
            self._world = world
            self._where = world.place
        world.spawn(functools.partial(_keep, weakref.ref(self), self._pid), f"{self} keeper")
        self._fill()

    def _forked(self) -> None:
        """This is a child of the process that opened the connections: they are the parent's, and only copied here."""
        copies = self._idle
        self._begin()
        for member in copies:
            member.conn.abort()

    def _closed_error(self) -> errors.PoolClosed:
        return errors.PoolClosed(0, f"{self} is closed", sent=False, alive=False)

    def _background(self, work: Callable[..., Any], *args: Any) -> bool:
        """Run it beside the caller. False if that cannot be done (no more threads), which is in the log then."""
        assert self._world is not None
        pid = self._pid
        with self._lock:
            self._jobs += 1

        async def job() -> None:
            try:
                await work(*args)
            finally:
                self._job_done(pid)

        try:
            self._world.spawn(job, f"{self} {work.__name__.strip('_')}")
        except RuntimeError:
            self._job_done(pid)
            _log.exception("%s cannot work in the background", self)
            return False
        return True

    def _job_done(self, pid: int) -> None:
        if pid != self._pid:
            return  # a green thread of the parent's that goes on in the child
        with self._lock:
            self._jobs -= 1
            if self._jobs == 0 and self._done is not None:
                self._done.set()

    # Ends

    def _drop(self, *members: Member) -> None:
        """These are the pool's no more; they are closed in the background, and replaced if there is need."""
        with self._lock:
            self._members.difference_update(members)
        living = [member for member in members if not member.channel.closed]
        for member in members:
            member.taken, member.lent = 0.0, None
        if living and not self._background(self._close_all, living):
            for member in living:
                member.conn.abort()
        self._fill()

    def _lose(self, member: Member) -> None:
        """An idle connection has ended by itself, or is no good."""
        with self._lock:
            self._stats.lost += 1
        _log.info("%s lost an idle connection: %r", self, member.conn.broken)
        self._drop(member)

    async def _close_all(self, members: list[Member]) -> None:
        """Say goodbye for each."""
        for member in members:
            try:
                await member.conn.close()
            finally:
                member.conn.abort()

    def _reclaim(self) -> None:
        """Close what was forgotten, so that others can be opened in its place."""
        while self._forgotten:
            try:
                member = self._forgotten.popleft()
            except IndexError:  # another thread was faster
                return
            self._drop(member)

    def _shut(self) -> list[Member]:
        """Let nobody in any more; the idle connections, for the caller to close."""
        with self._lock:
            self._closed = True
            for waiter in self._queue:
                waiter.failure = self._closed_error()
                waiter.signal.set()
            self._queue.clear()
            idle = list(self._idle)
            self._idle.clear()
            self._members.difference_update(idle)
            if self._jobs and self._world is not None and (self._done is None or self._done.is_set):
                self._done = self._world.Signal()
            if self._nudge is not None:
                self._nudge.set()
            self._tell_progress()
        return idle

    # Opening

    def _fill(self, *, at_once: bool = False) -> None:
        """Open what is missing. In an outage one is tried at a time, and not before its time unless `at_once`."""
        now = self._clock()
        with self._lock:
            if self._world is None or self._closed:
                return
            count = self._missing()
            if self._outage.error is not None:
                due = at_once or now >= self._outage.retry_at
                count = min(count, 1 - self._opening) if due else 0
            if count <= 0:
                return
            self._opening += count
        for _ in range(count):
            if not self._background(self._open_one):
                with self._lock:
                    self._opening -= 1

    def _missing(self) -> int:
        """How many more there should be for those who wait, and for min_size. With the lock held."""
        here = len(self._members) + self._opening
        missing = max(len(self._queue) - self._opening, self._min_size - here)
        return min(missing, self._max_size - here)

    async def _open_one(self) -> None:
        began, pid = self._clock(), self._pid
        conn: Any = None
        try:
            conn = await establish(self._options, self._settings.connection_class)
            conn._engine.pristine = True
            if self._settings.init is not None:
                await self._settings.init(conn)
        except Exception as failure:  # noqa: BLE001 - a hook may raise anything, and so may a password's callable
            if conn is not None:
                conn.abort()
            self._open_failed(failure, began)
        except BaseException:
            if pid == self._pid:
                with self._lock:
                    self._opening -= 1
            if conn is not None:
                conn.abort()
            raise
        else:
            self._opened(conn, began)

    def _opened(self, conn: Connection, began: float) -> None:
        now, lifetime = self._clock(), self._settings.max_lifetime
        expires = float("inf") if lifetime is None else now + lifetime * random.uniform(0.9, 1.0)
        member = Member(self, conn, now, expires)
        with self._lock:
            self._opening -= 1
            self._stats.opened += 1
            self._stats.opening_seconds += now - began
            self._outage = Outage()
            self._members.add(member)
            kept = self._settle(member)
            self._tell_progress()
        if kept:
            self._fill()  # what an outage held back
        else:
            self._drop(member)

    def _open_failed(self, failure: Exception, began: float) -> None:
        now, settings = self._clock(), self._settings
        failure.__traceback__ = None  # it is kept, and would keep all that its frames hold
        with self._lock:
            self._opening -= 1
            self._stats.open_errors += 1
            outage = self._outage
            delay = outage.failed(failure, began, now)
            given_up = not outage.told and outage.lasts(now) >= settings.reconnect_timeout
            outage.told |= given_up
        _log.warning("%s cannot open a connection, and tries again in %.1f s: %r", self, delay, failure)
        if given_up:
            self._give_up(now)
        with self._lock:
            if not self._members and not self._opening and outage.is_hopeless(now, settings.outage_grace):
                for waiter in self._queue:
                    waiter.failure = outage.refusal(self)
                    waiter.signal.set()
                self._queue.clear()
            self._tell_progress()
            if self._nudge is not None:
                self._nudge.set()  # so that the keeper tries again in time

    def _give_up(self, now: float) -> None:
        assert self._world is not None
        _log.error("%s has had no server for %.0f s", self, self._outage.lasts(now))
        hook = self._settings.reconnect_failed
        if hook is not None:
            self._world.spawn(functools.partial(hook, self), f"{self} reconnect_failed")

    def _tell_progress(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    # Keeping

    async def _tend(self) -> tuple[Signal, float]:
        """Look around; when to come again, and what wakes sooner."""
        assert self._world is not None
        self._nudge = nudge = self._world.Signal()
        await self._look_around()
        return nudge, self._rest()

    async def _look_around(self) -> None:
        """Close what is broken, old or too many, open what is missing, tell of leaks."""
        self._reclaim()
        now = self._clock()
        lost: list[Member] = []
        old: list[Member] = []
        with self._lock:
            spare, excess = len(self._members) - self._min_size, len(self._members) - self._max_size
            for member in self._idle.copy():
                broken = member.channel.closed
                unused = spare > 0 and self._is_out_of_use(member, now)
                if broken or unused or excess > 0 or member.expires <= now:
                    try:
                        self._idle.remove(member)
                    except ValueError:  # somebody took it this moment
                        continue
                    (lost if broken else old).append(member)
                    spare, excess = spare - 1, excess - 1
        for member in lost:
            self._lose(member)
        self._drop(*old)  # none, maybe: then it fills only
        self._report_leaks(now)

    def _is_out_of_use(self, member: Member, now: float) -> bool:
        max_idle = self._settings.max_idle
        return max_idle is not None and now - member.idle_since >= max_idle

    def _rest(self) -> float:
        """For how long nothing has to be looked after: no setting of time is missed by more than a quarter."""
        settings = self._settings
        times = (settings.max_lifetime, settings.max_idle, settings.leak_timeout)
        rest = min(LONGEST_REST, *(seconds / 4 for seconds in times if seconds is not None))
        with self._lock:
            if self._outage.error is not None and self._missing() > 0:
                rest = min(rest, self._outage.retry_at - self._clock())
        return max(rest, 0.01)

    def _report_leaks(self, now: float) -> None:
        limit = self._settings.leak_timeout
        if limit is None:
            return
        for member in self._members.copy():
            since = member.taken
            if since and now - since >= limit and not member.reported:
                member.reported = True
                held = now - since
                _log.warning("%s lent a connection %.0f s ago that has not come back: to %s", self, held, member.place)


async def _keep(reference: weakref.ref[Supply], pid: int) -> None:
    """Look after a pool until it is closed or gone: nobody here keeps it alive."""
    while True:
        pool = reference()
        if pool is None or pool._closed or pid != process.pid:
            break
        nudge, rest = await pool._tend()
        del pool
        await nudge.wait(rest)
    if pool is not None:
        pool._job_done(pid)
