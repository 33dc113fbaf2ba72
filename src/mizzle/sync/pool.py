# Generated from src/mizzle/aio/pool.py by tools/unasync.py: change that file, then run the tool.
"""Connection pools: what programs use of them.

Knows: names, arguments and promises. Must not know: how connections are lent, opened and looked after
(`mizzle.sync.pool_lending`).
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from mizzle import errors
from mizzle.sync.pool_lending import Lending
from mizzle.sync.pool_members import Held
from mizzle.sync.pool_settings import NAMES, demand_sizes, pool_settings, suggestion
from mizzle.loans import Loan
from mizzle.options import connect_options

if TYPE_CHECKING:
    from mizzle.sync.connection import Connection
    from mizzle.loans import Taker
    from mizzle.options import ConnectOptions

_log = logging.getLogger("mizzle")

P = TypeVar("P", bound="Pool")


class Pool(Lending):
    """Connections that are kept open and lent: `with pool.connection() as conn`.

    Makes no connection by itself: the first use opens it, or `open()`, or `with Pool(…) as pool`, which closes it, too.
    Takes the keywords of `connect()`, of which `timeout` is still that of each call on a connection, and its own
    (`mizzle.sync.pool_settings` has them all; docs/pool.md tells what they are for). Raises TypeError for a keyword that
    neither has, ValueError for a value that is not allowed.

    What is lent is an ordinary Connection, with the session as after connecting: whatever its last user did to it is
    reset before the first command of the next. Once returned that object refuses everything. Asking is fair: who asked
    first is served first.
    """

    #: Do connections that nobody waits for stay open?
    _keeps = True

    def __init__(self, **keywords: Any) -> None:
        own = {name: keywords.pop(name) for name in NAMES if name in keywords}
        super().__init__(pool_settings(own), _options(type(self).__name__, keywords), keeps_idle=self._keeps)
        if own.get("open"):
            self._begin_use()

    # Connections

    def connection(self, acquire_timeout: float | None = None) -> Loan:
        """Lend a connection for a `with` block; at its end it is returned, whatever happened.

        What was not committed by then is rolled back. Waits for at most `acquire_timeout` seconds (None: the pool's):
        then raises PoolTimeout; TooManyRequests if `max_waiting` others wait; PoolClosed; OperationalError with the
        server's error number if no connection is left and none can be opened. An interrupt while waiting loses nothing.
        """
        return Loan(self, acquire_timeout)

    def getconn(self, acquire_timeout: float | None = None) -> Connection:
        """Lend a connection until it comes back by `putconn()` or its own `close()`. Raises as `connection()` does."""
        frame = sys._getframe(1)
        conn = self._take_at_once(frame)
        return self._take(acquire_timeout, self._taker(frame)) if conn is None else conn

    def putconn(self, conn: Connection) -> None:
        """Return a connection. A second time is fine; one that is not this pool's is refused (InterfaceError)."""
        lent = conn._lent
        if lent is not None and lent.pool is self:
            self._give_back(conn)
        elif lent is not None or conn.open:
            raise errors.InterfaceError(0, f"{conn!r} is not of {self}: close() it", sent=False)

    # Life

    def open(self) -> None:
        """Begin to open connections, in the background. Raises PoolClosed after close(): make another pool."""
        self._may_open = True
        self._begin_use()

    def wait(self, timeout: float | None = 30.0) -> None:
        """Until `min_size` connections are there, for at most so many seconds (PoolTimeout; None: for ever).

        Raises OperationalError with the server's error number at once where waiting is of no use, as for a wrong
        password. Opens the pool if need be.
        """
        self.open()
        assert self._world is not None
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                here, outage = len(self._members), self._outage
                if self._closed:
                    raise self._closed_error()
                if here >= self._min_size:
                    return
                if outage.is_hopeless(self._clock(), float("inf")):
                    raise outage.refusal(self)
                self._progress = progress = self._progress or self._world.Signal()
            left = None if end is None else end - time.monotonic()
            if left is not None and (left <= 0 or not progress.wait(left)):
                raise errors.PoolTimeout(
                    0,
                    f"{self} has opened {here} of {self._min_size} connections within {timeout or 0:g} s",
                    sent=False,
                    alive=False,
                ) from outage.error
            if left is None:
                progress.wait()

    def close(self, timeout: float = 5.0) -> None:
        """Close the pool for good. Idle connections are closed now, those that are lent when they come back.

        Who waits for a connection gets PoolClosed. What goes on in the background (opening, cleaning) may take
        `timeout` seconds to end. Closing twice is fine.
        """
        self._refuse_elsewhere()
        idle = self._shut()
        try:
            self._close_all(idle)
        finally:
            for member in idle:
                member.conn.abort()
        done = self._done
        if done is not None and not done.wait(timeout):
            _log.warning("%s is closed, but %d jobs of it have not ended within %g s", self, self._jobs, timeout)

    def drain(self) -> None:
        """Replace all connections that there are now: the idle ones at once, the others when they come back."""
        self._refuse_elsewhere()
        with self._lock:
            for member in self._members:
                member.expires = 0.0
        if self._world is not None:
            self._look_around()

    def resize(self, min_size: int, max_size: int | None = None) -> None:
        """Change how many connections are kept and opened; what is too many is closed when it comes back."""
        demand_sizes(min_size, max_size)
        self._refuse_elsewhere()
        with self._lock:
            self._min_size, self._max_size = min_size, min_size if max_size is None else max_size
        if self._world is not None:
            self._look_around()

    # What is known of it

    @property
    def closed(self) -> bool:
        """Has it been closed?"""
        return self._closed

    @property
    def min_size(self) -> int:
        """So many connections are kept open."""
        return self._min_size

    @property
    def max_size(self) -> int:
        """At most so many are open."""
        return self._max_size

    @property
    def name(self) -> str | None:
        """As it was given."""
        return self._settings.name

    def get_stats(self) -> dict[str, Any]:
        """What the pool is and did since `pop_stats()`, by psycopg_pool's names; times are in milliseconds.

        `usage_histogram` and `wait_histogram` say how often it took less than so many milliseconds (and not less
        than half of that): {0.512: 3, 1.024: 12}. `wait_histogram` has only those who had to wait.
        """
        return self._show_stats(pop=False)

    def pop_stats(self) -> dict[str, Any]:
        """The same, and count anew from now on."""
        return self._show_stats(pop=True)

    def leaks(self, older_than: float = 60.0) -> list[Held]:
        """The connections that are held for more than so many seconds, the longest first, and where they were taken."""
        now = self._clock()
        held = [
            Held(member.conn.thread_id(), now - since, member.place)
            for member in self._members.copy()
            if (since := member.taken) and now - since > older_than
        ]
        return sorted(held, key=lambda one: -one.seconds)

    def _taker(self, frame: FrameType) -> Taker:
        """Whoever runs in that frame, with the whole stack if that is wanted."""
        return "".join(traceback.format_stack(frame)) if self._settings.debug else (frame.f_code, frame.f_lasti)

    def _show_stats(self, *, pop: bool) -> dict[str, Any]:
        with self._lock:
            idle, size, waiting = len(self._idle), len(self._members), len(self._queue)
            held = sum(1 for member in self._members if member.taken)
            return {
                "pool_min": self._min_size,
                "pool_max": self._max_size,
                "pool_size": size,
                "pool_available": idle,
                "requests_waiting": waiting,
                **self._stats.shown(held, waiting, pop=pop),
            }

    def __enter__(self: P) -> P:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class NullPool(Pool):
    """A pool that keeps nothing: each connection is opened when it is asked for, and closed when nobody waits for it.

    `max_size` still bounds how many there are at once. Everything else is as in `Pool`; `min_size` is 0.
    """

    _keeps = False

    def __init__(self, **keywords: Any) -> None:
        if keywords.get("min_size", 0) != 0:
            raise ValueError(f"min_size is {keywords['min_size']!r}: a NullPool keeps no connection, expected 0")
        super().__init__(**{**keywords, "min_size": 0})


def _options(what: str, keywords: dict[str, Any]) -> ConnectOptions:
    """The connections' settings; an unknown keyword may have been meant for the pool."""
    try:
        return connect_options(**keywords)
    except TypeError:
        for word in keywords:
            meant = suggestion(word)
            if meant is not None:
                raise TypeError(f"{what}() has no keyword {word!r}; did you mean {meant!r}?") from None
        raise
