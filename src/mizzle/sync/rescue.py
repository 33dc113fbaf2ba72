# Generated from src/mizzle/aio/rescue.py by tools/unasync.py: change that file, then run the tool.
"""What happens on the server when a command was interrupted here: KILL QUERY, over a connection beside.

Knows: how a statement is ended, and that a load balancer may lead a second connection to another server. Must not know:
what becomes of the interrupted connection, which is its world's business.

One connection beside serves all statements that are due at the same time at the same place: a server on which a
thousand statements run late does not get a thousand connections more.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mizzle import errors
from mizzle.sync.channels import close_channel, log_in
from mizzle.constants import errnos
from mizzle.worlds import sockets

if TYPE_CHECKING:
    from mizzle.engine.conversations import Engine
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel, World, Endpoint

logger = logging.getLogger("mizzle")

#: Seconds after which a KILL that had no effect is repeated, and after which it is first looked at.
REPEAT_AFTER = 0.02
SHORTEST_PAUSE = 0.0005

_mutex = sockets.unpatched("threading").Lock()
_working: dict[object, Killer] = {}


class Rescue:
    """One connection's; see `mizzle.worlds.Rescue`."""

    __slots__ = ("_endpoint", "_engine", "_options", "_world", "kills", "limit")

    def __init__(self, world: World, channel: Channel, engine: Engine, options: ConnectOptions) -> None:
        self.limit = options.interrupt_timeout
        # Without knowing which server it is, nobody can say whose statement a KILL would end.
        self.kills = options.on_interrupt == "kill" and (engine.secure or engine.identity is not None)
        self._world = world
        self._options = options
        self._engine = engine
        self._endpoint = channel.peer()

    def kill(self, wanted: Callable[[], bool], over: Callable[[bool], None]) -> None:
        """Have the statement ended (KILL QUERY) in the background, while `wanted()`."""
        self._give(Order(self._engine.connection_id, self._engine.identity, b"QUERY", wanted, over))

    def kill_session(self) -> None:
        """Have the session ended (KILL CONNECTION): also one whose statement the server has not begun yet."""
        self._give(
            Order(self._engine.connection_id, self._engine.identity, b"CONNECTION", lambda: True, lambda _: None)
        )

    def _give(self, order: Order) -> None:
        """Leave it to the connection beside that is there, or begin another."""
        try:
            key = (self._world, self._world.place(), self._endpoint, self._options.user)
            with _mutex:
                killer = _working.get(key)
                if killer is None:
                    _working[key] = killer = Killer(self._world, self._options, self._endpoint, key)
                    try:
                        self._world.spawn(killer.work, "mizzle: KILL")
                    except RuntimeError:
                        del _working[key]
                        raise
                killer.add(order)
        except RuntimeError as failure:  # the loop has ended, or no thread is to be had
            logger.warning("A statement may go on running on %s: %s", self._endpoint, failure)
            order.over(False)


class Order(NamedTuple):
    """One statement, or session, that is to end."""

    connection_id: int
    identity: tuple[object, ...] | None
    what: bytes
    wanted: Callable[[], bool]
    over: Callable[[bool], None]


class Killer:
    """Connects once, kills what is due, and leaves when that is nothing any more.

    A KILL QUERY that comes before the server has begun the statement does nothing, in MySQL: while the answer does not
    come, it is repeated.
    """

    def __init__(self, world: World, options: ConnectOptions, endpoint: Endpoint, key: object) -> None:
        self._key = key
        self._world = world
        self._limit = options.interrupt_timeout
        self._endpoint = endpoint
        self._options = dataclasses.replace(
            options,
            connect_timeout=options.interrupt_timeout,
            database=None,
            init_command=None,
            autocommit=None,
            sql_mode=None,
        )
        self._due: deque[Order] = deque()
        self._sent: list[tuple[float, Order]] = []  # since when; perhaps to be sent again
        self._more = world.Signal()

    def add(self, order: Order) -> None:
        """One more. Under the mutex."""
        self._due.append(order)
        self._more.set()

    def work(self) -> None:
        """Until nothing is due."""
        channel: Channel | None = None
        order: Order | None = None
        try:
            while self._has_work():
                while self._due:
                    order = self._due.popleft()
                    if channel is None or channel.closed:
                        channel = self._connect(order)
                    self._carry_out(channel, order)
                    order = None
                self._look_after()
        finally:
            with _mutex:
                if _working.get(self._key) is self:
                    del _working[self._key]
            # Something ended this before its time.
            for left in (*self._due, *(sent for _, sent in self._sent), *([order] if order else ())):
                left.over(True)
            if channel is not None:
                close_channel(channel)

    def _has_work(self) -> bool:
        """When it has none, who comes later begins anew."""
        with _mutex:
            if self._due or self._sent:
                return True
            del _working[self._key]
            return False

    def _connect(self, order: Order) -> Channel | None:
        if not order.wanted():
            return None
        try:
            return log_in(self._world, self._options, self._endpoint)
        except (errors.Error, OSError) as failure:
            logger.warning("No KILL for session %d, which may go on: %s", order.connection_id, failure)
            return None

    def _carry_out(self, channel: Channel | None, order: Order) -> None:
        if channel is None or not order.wanted():
            order.over(False)
        elif self._kill(channel, order) and order.what == b"QUERY":
            self._sent.append((time.monotonic(), order))
        else:
            order.over(False)

    def _kill(self, channel: Channel, order: Order) -> bool:
        """May the server have carried it out, whether or not the statement was running?"""
        engine: Engine = channel.engine
        if engine.identity != order.identity:
            logger.warning(
                "No KILL for session %d: %s leads to another server now, %s instead of %s",
                order.connection_id, self._endpoint, engine.identity, order.identity,
            )  # fmt: skip
            return False
        try:
            channel.run(engine.query(b"KILL %b %d" % (order.what, order.connection_id)), self._limit)
        except errors.Error as error:
            if error.errno == errnos.ER_NO_SUCH_THREAD:
                return False
            logger.warning("KILL %s %d failed: %s", order.what.decode(), order.connection_id, error)
            return error.sent and not error.alive
        return True

    def _look_after(self) -> None:
        """Those whose answer has come are over; one whose answer does not come is due again after a while."""
        pause = SHORTEST_PAUSE
        while self._sent and not self._due:
            self._more = self._world.Signal()
            self._more.wait(pause)
            pause = min(2 * pause, REPEAT_AFTER)
            now = time.monotonic()
            sent, self._sent = self._sent, []
            for moment, order in sent:
                if not order.wanted():
                    order.over(True)
                elif now - moment >= REPEAT_AFTER:
                    self._due.append(order)
                else:
                    self._sent.append((moment, order))
