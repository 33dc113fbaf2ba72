"""MySQLdb's module (mysqlclient), on mizzle: what `install_as_MySQLdb()` puts in its place. docs/from-mysqlclient.md.

Knows: MySQLdb's names, most of which PyMySQL has too. Must not know: how anything is done.
"""

from __future__ import annotations

from typing import Any

from mizzle.compat.pymysql import connections, constants, converters, cursors, times
from mizzle.compat.pymysql import err as _exceptions
from mizzle.compat.pymysql.connections import Connection
from mizzle.compat.pymysql.constants import FIELD_TYPE
from mizzle.compat.pymysql.err import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    MySQLError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from mizzle.compat.pymysql.times import Date, DateFromTicks, Time, TimeFromTicks, Timestamp, TimestampFromTicks
from mizzle.types import BINARY, DATE, DATETIME, NUMBER, ROWID, STRING, TIME, TIMESTAMP, Binary, DBAPISet

#: The release whose interface this is.
version_info = (2, 2, 8, "final", 1)
__version__ = "2.2.8"

apilevel = "2.0"
threadsafety = 1
paramstyle = "format"
NULL = "NULL"


def Connect(*args: Any, **keywords: Any) -> Connection:
    """Connect; the keywords and positions are those of `Connection`."""
    return Connection(*args, **keywords)


connect = Connect


def escape_string(value: str | bytes) -> bytes:
    """The text as it stands between quotes, in bytes as mysqlclient has it."""
    text = value.decode("utf8", "surrogateescape") if isinstance(value, bytes) else value
    return converters.escape_string(text).encode("utf8", "surrogateescape")


def string_literal(value: object) -> bytes:
    """The text with its quotes, in bytes."""
    return b"'" + escape_string(value if isinstance(value, bytes) else str(value)) + b"'"


def get_client_info() -> str:
    """The version that is imitated."""
    return __version__


def thread_safe() -> bool:
    """Yes."""
    return True


__all__ = [
    "BINARY",
    "DATE",
    "DATETIME",
    "FIELD_TYPE",
    "NULL",
    "NUMBER",
    "ROWID",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "Binary",
    "Connect",
    "Connection",
    "DBAPISet",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "MySQLError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "_exceptions",
    "apilevel",
    "connect",
    "connections",
    "constants",
    "converters",
    "cursors",
    "escape_string",
    "get_client_info",
    "paramstyle",
    "string_literal",
    "thread_safe",
    "threadsafety",
    "times",
    "version_info",
]
