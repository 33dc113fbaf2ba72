"""MySQLdb's module (mysqlclient), on mizzle: what `install_as_MySQLdb()` puts in its place. docs/from-mysqlclient.md.

Knows: MySQLdb's names, most of which PyMySQL has too. Must not know: how anything is done.
"""

from __future__ import annotations

from typing import Any

from mizzle.compat.mysqldb import _mysql, connections, cursors, times
from mizzle.compat.mysqldb._mysql import (
    NULL,
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
    __version__,
    escape_string,
    get_client_info,
    string_literal,
    thread_safe,
    version_info,
)
from mizzle.compat.mysqldb.connections import Connection
from mizzle.compat.mysqldb.times import Date, DateFromTicks, Time, TimeFromTicks, Timestamp, TimestampFromTicks
from mizzle.compat.pymysql import constants, converters
from mizzle.compat.pymysql import err as _exceptions
from mizzle.compat.pymysql.constants import FIELD_TYPE
from mizzle.types import BINARY, DATE, DATETIME, NUMBER, ROWID, STRING, TIME, TIMESTAMP, Binary, DBAPISet

apilevel = "2.0"
threadsafety = 1
paramstyle = "format"


def Connect(*args: Any, **keywords: Any) -> Connection:
    """Connect; the keywords and positions are those of `Connection`."""
    return Connection(*args, **keywords)


connect = Connect


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
    "__version__",
    "_exceptions",
    "_mysql",
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
