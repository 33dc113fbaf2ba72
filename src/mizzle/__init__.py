"""A driver for MySQL and MariaDB: the module that PEP 249 asks for, and nothing else.

Knows: names. Must not know: how anything is done; what is not needed to look at the module is imported when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mizzle.errors import (
    ConnectionClosed,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    MalformedPacket,
    NotSupportedError,
    OperationalError,
    PoolClosed,
    PoolTimeout,
    ProgrammingError,
    TooManyRequests,
    Warning,
)
from mizzle.types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)

if TYPE_CHECKING:
    from mizzle.sync import (
        Connection,
        Cursor,
        DictCursor,
        NullPool,
        Pool,
        ServerCursor,
        ServerDictCursor,
        Statement,
        StreamingCursor,
        StreamingDictCursor,
        Transaction,
    )

__version__ = "0.1.0"

apilevel = "2.0"
#: Threads may share the module, but not connections: each thread, green thread or task uses its own, or a pool.
threadsafety = 1
paramstyle = "pyformat"

_OF_SYNC = {
    "Connection", "Cursor", "DictCursor", "NullPool", "Pool", "ServerCursor", "ServerDictCursor", "Statement",
    "StreamingCursor", "StreamingDictCursor", "Transaction",
}  # fmt: skip

__all__ = [  # noqa: RUF022 (in PEP 249's order)
    "apilevel",
    "threadsafety",
    "paramstyle",
    "connect",
    "Warning",
    "Error",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
    "ConnectionClosed",
    "MalformedPacket",
    "PoolClosed",
    "PoolTimeout",
    "TooManyRequests",
    "Date",
    "Time",
    "Timestamp",
    "DateFromTicks",
    "TimeFromTicks",
    "TimestampFromTicks",
    "Binary",
    "STRING",
    "BINARY",
    "NUMBER",
    "DATETIME",
    "ROWID",
    "Connection",
    "Cursor",
    "DictCursor",
    "ServerCursor",
    "ServerDictCursor",
    "Statement",
    "StreamingCursor",
    "StreamingDictCursor",
    "Transaction",
    "Pool",
    "NullPool",
]


def connect(**keywords: Any) -> Connection:
    """Connect to a server: `mizzle.connect(host=…, user=…, password=…, database=…)`; a context manager that closes.

    The keywords are those of PyMySQL and, of mizzle's own, `url`, `timeout` (seconds for each call), `ssl_mode`
    ("disabled", "preferred", "required", "verify_ca", "verify_identity"), `row_factory`, `connection_class` and
    `world` ("threads", "eventlet", "gevent"; "auto", the default, takes the one whose monkey patching is in force, else
    threads). `mizzle.options.ConnectOptions` has them all.

    Raises OperationalError: 2002 or 2003 if nobody answers within `connect_timeout` seconds, 2005 if the host has no
    address, else what the server answered, such as 1045 for a wrong password.
    """
    from mizzle.sync.connecting import connect as connect_now  # noqa: PLC0415 (the engine is loaded when it is needed)

    return connect_now(**keywords)


def install_as_pymysql() -> None:
    """From now on `import pymysql` gets mizzle under PyMySQL's names; see docs/from-pymysql.md."""
    importlib.import_module("mizzle.compat").install_as_pymysql()


def install_as_MySQLdb() -> None:
    """From now on `import MySQLdb` gets mizzle under mysqlclient's names; see docs/from-mysqlclient.md."""
    importlib.import_module("mizzle.compat").install_as_MySQLdb()


def __getattr__(name: str) -> Any:
    if name in _OF_SYNC:
        return getattr(importlib.import_module("mizzle.sync"), name)
    if name in ("aio", "sync", "rows"):
        return importlib.import_module(f"mizzle.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "aio", "rows", "sync"})
