"""SQLAlchemy's QueuePool for green threads of a process that is not monkey-patched.

Knows: the two places where a pool waits, and the queues and locks of green threads. Must not know: connections.

A pool waits with `threading`'s locks: in its queue, for a connection that is free, and beside its first connection, by
which the server is looked at once for all. Unpatched, such a wait stops the hub, and with it whoever would end it.
"""

from __future__ import annotations

import importlib
import queue
from typing import Any, ClassVar

from sqlalchemy import pool
from sqlalchemy.util.queue import Empty, Full, QueueCommon


class GreenQueue(QueueCommon[Any]):
    """SQLAlchemy's queue over one of green threads."""

    #: The module with the queues of that world's green threads.
    module: ClassVar[str]

    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:
        self.maxsize, self.use_lifo = maxsize, use_lifo
        queues = importlib.import_module(self.module)
        self._queue = (queues.LifoQueue if use_lifo else queues.Queue)(maxsize if maxsize > 0 else None)

    def empty(self) -> bool:
        return bool(self._queue.empty())

    def full(self) -> bool:
        return bool(self._queue.full())

    def qsize(self) -> int:
        return int(self._queue.qsize())

    def put_nowait(self, item: Any) -> None:
        self.put(item, False)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        try:
            self._queue.put(item, block, timeout)
        except queue.Full:
            raise Full from None

    def get_nowait(self) -> Any:
        return self.get(False)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return self._queue.get(block, timeout)
        except queue.Empty:
            raise Empty from None


class GreenQueuePool(pool.QueuePool):
    """A QueuePool that waits in a hub."""

    #: The module with the locks of that world's green threads.
    locks: ClassVar[str]

    def _create_connection(self) -> Any:
        """Whoever comes while the first connection is being made waits in the hub, too."""
        listeners: Any = self.dispatch.connect
        listeners = listeners.for_modify(self.dispatch)
        if listeners._exec_once_mutex is None:
            listeners._exec_once_mutex = importlib.import_module(self.locks).RLock()
        return super()._create_connection()


class _EventletQueue(GreenQueue):
    module = "eventlet.queue"


class EventletQueuePool(GreenQueuePool):
    """What `?world=eventlet` gets."""

    _queue_class = _EventletQueue
    locks = "eventlet.green.threading"


class _GeventQueue(GreenQueue):
    module = "gevent.queue"


class GeventQueuePool(GreenQueuePool):
    """What `?world=gevent` gets."""

    _queue_class = _GeventQueue
    locks = "gevent.lock"


POOLS: dict[object, type[pool.QueuePool]] = {"eventlet": EventletQueuePool, "gevent": GeventQueuePool}
