"""PyMySQL's module, on mizzle: what `install_as_pymysql()` puts in its place. docs/from-pymysql.md goes through it.

Knows: PyMySQL's names. Must not know: how anything is done.
"""

from __future__ import annotations

from mizzle.compat.pymysql import connections, constants, converters, cursors, err
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
VERSION = (1, 2, 4, "final")
VERSION_STRING = "1.2.4"
#: mysqlclient's, as PyMySQL has it: Django looks at it.
version_info = (2, 2, 8, "final", 1)
__version__ = "2.2.8"

apilevel = "2.0"
threadsafety = 1
paramstyle = "pyformat"
NULL = "NULL"

Connection = Connect = connect = connections.Connection
escape_string = converters.escape_string
escape_dict = converters.escape_dict
escape_sequence = converters.escape_sequence


def get_client_info() -> str:
    """The version of mysqlclient that is imitated."""
    return __version__


def thread_safe() -> bool:
    """As in MySQLdb."""
    return True


def install_as_MySQLdb() -> None:
    """Stand in for MySQLdb too."""
    from mizzle import compat  # noqa: PLC0415 (the package that this one belongs to)

    compat.install_as_MySQLdb()


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
    "apilevel",
    "connect",
    "connections",
    "constants",
    "converters",
    "cursors",
    "err",
    "get_client_info",
    "install_as_MySQLdb",
    "paramstyle",
    "threadsafety",
    "version_info",
]
