"""What stands for mysqlclient's C module: its functions on text, its results, its version, its errors.

Knows: MySQLdb's names, a cursor with a result. Must not know: connections.
"""

from __future__ import annotations

from typing import Any

from mizzle.compat.pymysql import converters
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
from mizzle.rows import column_names

#: The release whose interface this is.
version_info = (2, 2, 8, "final", 1)
__version__ = "2.2.8"
NULL = "NULL"


def escape_string(value: str | bytes) -> bytes:
    """The text as it stands between quotes, in bytes."""
    text = value.decode("utf8", "surrogateescape") if isinstance(value, bytes) else value
    return converters.escape_string(text).encode("utf8", "surrogateescape")


def string_literal(value: object) -> bytes:
    """The text with its quotes, in bytes."""
    return b"'" + escape_string(value if isinstance(value, bytes) else str(value)) + b"'"


class Literal(bytes):
    """The literal of bytes or of a bool: bytes, as in mysqlclient, but text where it is formatted into a statement."""

    text: str

    def __new__(cls, literal: bytes, text: str) -> Literal:
        """`literal` is mysqlclient's, `text` what servers read."""
        made = super().__new__(cls, literal)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


def escaped(value: object, text: str) -> str:
    """What mysqlclient's `escape()` gives for a value with this literal: for most that, for some a Literal."""
    made: Any = text
    if isinstance(value, (bytes, bytearray, memoryview)):
        made = Literal(string_literal(bytes(value)), text)
    elif isinstance(value, bool):
        made = Literal(text.encode(), text)
    return made  # type: ignore[no-any-return]


def get_client_info() -> str:
    """The version that is imitated."""
    return __version__


def thread_safe() -> bool:
    """Yes."""
    return True


class Result:
    """What `store_result()` gives."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._names = column_names(cursor._result.columns)

    def fetch_row(self, maxrows: int = 1, how: int = 0) -> tuple[Any, ...]:
        """The next rows, all that are left with maxrows=0; as tuples (how=0) or as dicts."""
        rows = self._cursor.fetchmany(maxrows) if maxrows else self._cursor.fetchall()
        return tuple(dict(zip(self._names, row, strict=True)) for row in rows) if how else tuple(rows)

    def num_rows(self) -> int:
        """How many rows there are."""
        return int(self._cursor.rowcount)

    def num_fields(self) -> int:
        """How many columns."""
        return len(self._names)

    def describe(self) -> Any:
        """For each column what a cursor's description has."""
        return self._cursor.description


result = Result

__all__ = [
    "NULL",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "MySQLError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
    "escape_string",
    "get_client_info",
    "result",
    "string_literal",
    "thread_safe",
    "version_info",
]
