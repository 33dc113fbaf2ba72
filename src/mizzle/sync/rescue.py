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
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mizzle import errors
from mizzle.sync.channels import leave, log_in
from mizzle.constants import errnos
from mizzle.worlds import sockets

if TYPE_CHECKING:
    from mizzle.engine.conversations import Engine
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel, World, Endpoint

logger = logging.getLogger("mizzle")

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
        """Have the statement killed in the background."""
        try:
            self._order(Order(self._engine.connection_id, self._engine.identity, wanted, over))
        except RuntimeError as failure:  # the loop has ended, or no thread is to be had
            logger.warning("A statement may go on running on %s: %s", self._endpoint, failure)
            over(False)

    def _order(self, order: Order) -> None:
        """Leave it to the connection beside that is there, or begin another."""
        key = (self._world, self._world.place(), self._endpoint, self._options.user)
        with _mutex:
            killer = _working.get(key)
            if killer is not None:
                killer.due.append(order)
                return
            killer = _working[key] = Killer(self._world, self._options, self._endpoint, key)
            killer.due.append(order)
        try:
            self._world.spawn(killer.work, "mizzle: KILL QUERY")
        except RuntimeError:
            del _working[key]
            raise


class Order(NamedTuple):
    """One statement that is to end."""

    connection_id: int
    identity: tuple[object, ...] | None
    wanted: Callable[[], bool]
    over: Callable[[bool], None]


class Killer:
    """Connects once, kills what is due, and leaves when that is nothing any more."""

    def __init__(self, world: World, options: ConnectOptions, endpoint: Endpoint, key: object) -> None:
        self.due: deque[Order] = deque()
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

    def work(self) -> None:
        """Until nothing is due."""
        channel: Channel | None = None
        try:
            while (order := self._next()) is not None:
                done = False
                try:
                    if order.wanted():
                        if channel is None or channel.closed:
                            channel = self._connect()
                        done = self._kill(channel, order)
                except (errors.Error, OSError) as failure:
                    logger.warning(
                        "KILL QUERY %d failed, the statement may go on running: %s", order.connection_id, failure
                    )
                finally:
                    order.over(done)
        finally:
            with _mutex:
                if _working.get(self._key) is self:
                    del _working[self._key]
            for order in self.due:  # only if something ended this before its time
                order.over(False)
            if channel is not None:
                leave(channel)

    def _next(self) -> Order | None:
        """What is due; when that is nothing, who comes later begins anew."""
        with _mutex:
            if self.due:
                return self.due.popleft()
            del _working[self._key]
            return None

    def _connect(self) -> Channel:
        return log_in(self._world, self._options, self._endpoint)

    def _kill(self, channel: Channel, order: Order) -> bool:
        """True: the server has carried it out, whether or not the statement was still running."""
        engine: Engine = channel.engine
        if engine.identity != order.identity:
            logger.warning(
                "KILL QUERY %d was not sent: %s leads to another server now, %s instead of %s",
                order.connection_id, self._endpoint, engine.identity, order.identity,
            )  # fmt: skip
            return False
        if not order.wanted():
            return False
        try:
            channel.run(engine.query(b"KILL QUERY %d" % order.connection_id), self._limit)
        except errors.Error as error:
            if error.errno != errnos.ER_NO_SUCH_THREAD:
                raise
            return False
        return True
