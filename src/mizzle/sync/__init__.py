# Generated from src/mizzle/aio/__init__.py by tools/unasync.py: change that file, then run the tool.
"""The face for threads and green threads: `connect`, Connection and its cursors, as in PEP 249; pools of connections."""

from mizzle.sync.connecting import connect
from mizzle.sync.connection import Connection
from mizzle.sync.cursor import Cursor, DictCursor
from mizzle.sync.pool import NullPool, Pool
from mizzle.sync.server_cursor import ServerCursor, ServerDictCursor
from mizzle.sync.statement import Statement
from mizzle.sync.streaming import StreamingCursor, StreamingDictCursor
from mizzle.sync.transaction import Transaction

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
