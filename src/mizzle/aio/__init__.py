"""The face for asyncio and trio: `connect`, Connection and its cursors, as in PEP 249; pools of connections."""

from mizzle.aio.awaitable import connect
from mizzle.aio.connection import Connection
from mizzle.aio.cursor import Cursor, DictCursor
from mizzle.aio.pool import NullPool, Pool
from mizzle.aio.server_cursor import ServerCursor, ServerDictCursor
from mizzle.aio.statement import Statement
from mizzle.aio.streaming import StreamingCursor, StreamingDictCursor
from mizzle.aio.transaction import Transaction

__all__ = [
    "Connection",
    "Cursor",
    "DictCursor",
    "NullPool",
    "Pool",
    "ServerCursor",
    "ServerDictCursor",
    "Statement",
    "StreamingCursor",
    "StreamingDictCursor",
    "Transaction",
    "connect",
]
