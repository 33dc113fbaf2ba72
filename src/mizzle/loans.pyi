"""A pool's connections, and the loan of one that is idle."""

import collections
from collections.abc import Awaitable, Callable
from types import CodeType, FrameType, TracebackType
from typing import Any

from mizzle.aio.connection import Connection as AsyncConnection
from mizzle.engine.conversations import Engine
from mizzle.sync.connection import Connection

#: Where somebody asked: the code that ran and the instruction in it, or the whole stack if that is wanted.
Taker = tuple[CodeType, int] | str

def clock() -> float:
    """Seconds, as time.monotonic() has them on Linux."""

def thread_number() -> int:
    """The OS thread that runs this, be `threading` patched or not."""

class Lock:
    """A lock of threads, which costs nothing worth mentioning while it is free."""

    def __enter__(self) -> None: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class Lent:
    """Goes with a connection that is lent and comes back with it."""

    pool: Shelf
    member: Member
    def __init__(self, pool: Shelf, member: Member) -> None: ...

class Member:
    """One connection of a pool. What is lent is a copy of `conn`, for the session that stays."""

    conn: Any
    channel: Any
    engine: Engine
    since: float
    idle_since: float
    expires: float
    pid: int
    taken: float
    lent: Lent | None
    used: bool
    dirty: bool
    reported: bool
    def __init__(self, pool: Shelf, conn: Any, now: float, expires: float) -> None: ...
    def is_ours(self) -> bool: ...
    def take(self, now: float, taker: Taker) -> Any: ...
    @property
    def place(self) -> str: ...

class Histogram:
    """How often something took so long, in powers of two of a microsecond; and how long all of it together."""

    seconds: float
    def add(self, seconds: float) -> None: ...
    @property
    def counts(self) -> list[int]: ...

class Shelf:
    """A pool's connections, and the loan of one that is idle."""

    _idle: list[Member]
    _members: set[Member]
    _queue: collections.OrderedDict[Any, None]
    _forgotten: collections.deque[Member]
    _lock: Lock
    _clock: Callable[[], float]
    _place: object
    _where: Callable[[], object] | None
    _thread: int
    _look: Callable[[Any], None]
    _reset_hook: Callable[..., Any] | None
    _pid: int
    _max_size: int
    _plain: bool
    _resets: bool
    _closed: bool
    _keeps_idle: bool
    _usage: Histogram
    def _take_idle(self, now: float) -> Member | None: ...
    def _take_at_once(self, frame: FrameType) -> Any | None: ...
    def _give_back(self, conn: Any) -> None: ...
    def _settle(self, member: Member) -> bool: ...
    def _returned(self, conn: Any) -> Member | None: ...

class Term:
    """The time for which a connection is lent to a `with` block. Made for one of them."""

    def __init__(self, pool: Shelf, timeout: float | None) -> None: ...

class Loan(Term):
    """Where functions wait."""

    def __enter__(self) -> Connection: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class AsyncLoan(Term):
    """Where functions are awaited."""

    async def __aenter__(self) -> AsyncConnection: ...
    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Awaitable[None]: ...
