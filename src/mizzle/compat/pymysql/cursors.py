"""PyMySQL's cursors: mizzle's, with what PyMySQL does otherwise.

Knows: arguments and results as PyMySQL has them. Must not know: connections, packets.
"""

from __future__ import annotations

import operator
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mizzle import sync
from mizzle.constants import errnos
from mizzle.errors import Error, OperationalError, ProgrammingError
from mizzle.rows import column_names, dict_row
from mizzle.sync.cursor import quote_identifier

_LOCAL_FILE = re.compile(
    r"""\s*LOAD\s+(?:DATA|XML)\s+(?:LOW_PRIORITY\s+|CONCURRENT\s+)?LOCAL\s+INFILE\s+(['"])(.*?)(?<!\\)\1""",
    re.IGNORECASE | re.DOTALL,
)

_NO_SUCH_PROCEDURE = {errnos.ER_SP_DOES_NOT_EXIST, errnos.ER_BAD_DB_ERROR}
#: What PyMySQL says of a result whose rows the server has not counted yet: the largest number of eight bytes.
_UNCOUNTED = 2**64 - 1
_BINARY = re.compile(r"\b_binary\s*%(?=s|\()")
_BINARY_BYTES = re.compile(rb"\b_binary\s*%(?=s|\()")


class Cursor(sync.Cursor[Any]):
    """A buffered cursor; rows are tuples, and so is a list of them."""

    max_stmt_length = 1024000
    _statement: tuple[Any, Any] | None = None

    def execute(self, query: str | bytes, args: Any = None, **keywords: Any) -> int:
        """As `mizzle.Cursor.execute`; one value that is neither a sequence nor a mapping stands for a sequence of it.

        LOAD DATA LOCAL INFILE sends the file that the statement names, where connect(local_infile=True) allows it.
        """
        args = _sequence(args)
        if args is not None:
            query = _without_binary(query)
        self._statement = query, args
        if "infile" not in keywords and (name := _local_file(query)) and self._use()._options.local_infile:
            if not os.path.exists(name):
                raise OperationalError(1017, f"Can't find file '{name}'", sent=False)
            keywords["infile"] = name
        return super().execute(query, args, **keywords)

    def executemany(self, query: Any, args: Iterable[Any], **keywords: Any) -> Any:
        """As `mizzle.Cursor.executemany`; None if there is nothing to execute."""
        if not args:
            return None
        query = _without_binary(query)
        self._statement = query, None
        rows = args if isinstance(args, (list, tuple)) else list(args)
        return super().executemany(query, [_sequence(row) for row in rows], **keywords)

    def callproc(self, procname: str, args: Any = (), **keywords: Any) -> Any:
        """As `mizzle.Cursor.callproc`. `a.b` is b of the database a, and where there is none, a procedure of that name.

        The first is what PyMySQL up to 1.1 and mysqlclient make of it, the second what PyMySQL 1.2 does.
        """
        try:
            return super().callproc(procname, args, **keywords)
        except Error as error:
            if "." not in procname or error.errno not in _NO_SUCH_PROCEDURE:
                raise
        name = quote_identifier(procname)
        variables = (quote_identifier(f"_{procname}_{number}") for number in range(len(args)))
        self.execute(f"CALL {name}({','.join('@' + variable for variable in variables)})", **keywords)
        return args

    def mogrify(self, query: Any, args: Any = None) -> str:
        """The statement that execute() would send."""
        statement: Any = query if args is None else _without_binary(query)
        return super().mogrify(statement, _sequence(args))

    def _use(self) -> Any:
        if self.connection is None:  # PyMySQL and mysqlclient: a mistake of the program, not of its interface
            raise ProgrammingError(0, "The cursor is already closed: make another with conn.cursor()", sent=False)
        return self.connection

    @property
    def _executed(self) -> str | None:
        """The statement executed last; Django shows it."""
        if self._statement is None or self.connection is None:
            return None
        query, args = self._statement
        return self.mogrify(query, args)

    def fetchone(self) -> Any:
        """The next row; None at the end, and behind a nextset() that failed."""
        return None if self._is_spent() else super().fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows, a tuple of them."""
        return [] if self._is_spent() else tuple(super().fetchmany(size))

    def fetchall(self) -> Any:
        """The rows that are left, a tuple of them."""
        return [] if self._is_spent() else tuple(super().fetchall())

    def _is_spent(self) -> bool:
        return self._result is None and self._statement is not None and self.connection is not None

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row


class DictCursorMixin:
    """Rows are mappings of the class `dict_type`; lists of them are lists."""

    dict_type: type[Any] = dict
    row_factory: Any = staticmethod(dict_row)

    def __init__(self, connection: Any, row_factory: Any = None) -> None:
        super().__init__(connection, row_factory)  # type: ignore[call-arg]
        if row_factory is None and self.dict_type is not dict:
            self.row_factory = self._rows_of_type

    def _rows_of_type(self, columns: Any) -> Any:
        names, make = column_names(columns), self.dict_type
        return lambda values: make(zip(names, values, strict=True))

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows, a list of them."""
        return list(super().fetchmany(size))  # type: ignore[misc]

    def fetchall(self) -> Any:
        """The rows that are left, a list of them."""
        return list(super().fetchall())  # type: ignore[misc]


class DictCursor(DictCursorMixin, Cursor):
    """A buffered cursor whose rows are dicts."""


class SSCursor(Cursor, sync.StreamingCursor[Any]):
    """A cursor that fetches rows from the server as they are asked for."""

    def execute(self, query: str | bytes, args: Any = None, **keywords: Any) -> int:
        """As Cursor.execute; what is left of the result before is dropped, with a warning."""
        if self._result is not None and (self._use()._stream is self._result or operator.length_hint(self._source)):
            left_incomplete()
        return super().execute(query, args, **keywords)

    def _show(self, result: Any) -> int:
        super()._show(result)
        if result.columns is not None:
            self.rowcount = _UNCOUNTED
        return self.rowcount

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows, a list of them."""
        return list(super().fetchmany(size))

    def fetchall(self) -> Any:
        """The rows that are left, a list of them."""
        return list(super().fetchall())

    def fetchall_unbuffered(self) -> Iterator[Any]:
        """The rows that are left, one after the other."""
        return iter(self.fetchone, None)

    def read_next(self) -> Any:
        """The next row."""
        return self.fetchone()


class SSDictCursor(DictCursorMixin, SSCursor):
    """The same with dicts."""


def left_incomplete() -> None:
    """Warn, in PyMySQL's words."""
    warnings.warn("Previous unbuffered result was left incomplete", stacklevel=4)


def _without_binary(query: str | bytes) -> str | bytes:
    """The statement without `_binary` before a placeholder: mizzle writes it itself, before bytes."""
    if isinstance(query, str):
        return _BINARY.sub("%", query) if "_binary" in query else query
    return _BINARY_BYTES.sub(b"%", query) if b"_binary" in query else query


def _sequence(args: Any) -> Any:
    return args if args is None or isinstance(args, (tuple, list, Mapping)) else (args,)


def _local_file(query: str | bytes) -> str | None:
    """The file that a LOAD DATA LOCAL INFILE names: the program's own word, whatever the server will ask for."""
    text = query if isinstance(query, str) else query.decode("utf8", "surrogateescape")
    match = _LOCAL_FILE.match(text)
    return None if match is None else re.sub(r"\\(.)", r"\1", match[2])


__all__ = [
    "Cursor",
    "DictCursor",
    "DictCursorMixin",
    "SSCursor",
    "SSDictCursor",
]
