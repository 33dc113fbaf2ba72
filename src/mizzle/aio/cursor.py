"""Cursors that hold a whole result, and what all cursors share.

Knows: PEP 249's cursor, PyMySQL's where PEP 249 leaves a choice, results as the engine gives them. Must not know:
packets, worlds, how a connection came about.

`fetchone` and `execute` are the hot path: no result is touched before it is asked for. Rows are handed out by one
iterator (`_iterator`) that every way of fetching shares; before there is a result it is a `_Refusal`.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

from mizzle import errors
from mizzle.aio import statement
from mizzle.aio.iteration import Rows
from mizzle.aio.statement import UnitResult
from mizzle.engine.insert_values import fold, fold_insert
from mizzle.rows import RowFactory, TupleRow, dict_row, tuple_row

if TYPE_CHECKING:
    from mizzle.aio.connection import Connection
    from mizzle.engine.conversations import Progress, Result
    from mizzle.engine.prepared import Prepared
    from mizzle.engine.text_rows import Description

Row = TypeVar("Row")
Args: TypeAlias = Sequence[Any] | Mapping[str, Any]
#: What is called with the progress of a statement.
OnProgress: TypeAlias = "Callable[[Progress], object]"
#: What LOAD DATA LOCAL INFILE may send: a path, a file open for reading bytes, or anything that yields bytes.
Infile: TypeAlias = str | os.PathLike[str] | IO[bytes] | Iterable[bytes]

INFILE_CHUNK = 65536


class _Refusal(Iterator[Any]):
    """Stands where a result's rows would be: every fetch raises."""

    def __init__(self, message: str) -> None:
        self._message = message

    def __next__(self) -> Any:
        raise errors.ProgrammingError(0, self._message, sent=False)

    def __length_hint__(self) -> int:
        return 0


_NOT_EXECUTED = _Refusal("There is no result to fetch from: execute() a statement first")
_NO_ROWS: Iterator[Any] = iter(())
_CLOSED = _Refusal("The cursor is already closed: make another with conn.cursor()")


def _raise_unread(result: Result | errors.Error | None) -> None:
    """Pass over the results that were never looked at; raise the error that ends them, if one does."""
    while result is not None:
        if isinstance(result, errors.Error):
            raise result
        result = result.next


class Cursor(Rows[Row]):
    """A cursor that reads the whole result when a statement is executed.

    Other cursors of the same connection can be used in between. Rows are tuples unless there is a row factory.
    Made by `Connection.cursor()`; also a context manager that closes itself.
    """

    #: How many rows fetchmany() gets unless told.
    arraysize = 1
    #: Makes the rows of this class of cursors, unless cursor(row_factory=…) says otherwise. None: tuples.
    row_factory: RowFactory[Row] | None = None
    #: executemany() folds rows into statements of about this many bytes (never more than the server takes). Larger ones
    #: are no faster, and a hub or loop has to wait while one is put together.
    max_stmt_length: ClassVar[int] = 256 * 1024

    #: The connection; None once the cursor is closed.
    connection: Connection | None
    #: Rows of the result, or rows affected; -1 before a statement was executed and where it is not known.
    rowcount: int = -1

    #: What executemany(…, unit_results=True) did for each row; None otherwise.
    unit_results: list[UnitResult] | None = None

    #: `lastrowid` of a cursor that is closed.
    _last_known_id: int | None = None

    # What a cursor is before its first statement: nothing of its own, for many are made for one statement only.
    _result: Result | None = None
    _source: Iterator[TupleRow] = _NOT_EXECUTED
    _iterator: Iterator[Any] = _NOT_EXECUTED

    def __init__(self, connection: Connection, row_factory: RowFactory[Row] | None = None) -> None:
        self.connection = connection
        if row_factory is not None:
            self.row_factory = row_factory

    def _forget(self) -> None:
        self._result = None
        self._source = self._iterator = _NOT_EXECUTED
        self.rowcount = -1

    def _use(self) -> Connection:
        if self.connection is None:
            raise errors.connection_closed("make another with conn.cursor()", what="cursor")
        return self.connection

    # Executing

    async def execute(
        self,
        query: str | bytes,
        args: Args | None = None,
        *,
        timeout: float | None = None,
        infile: Infile | None = None,
        prepare: bool | None = None,
        attributes: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Run one statement (COM_QUERY) and read its results; returns `rowcount`.

        With `args`, `%s` (a sequence) or `%(name)s` (a mapping) in the query are replaced by literals and `%%` by `%`;
        without, the query is sent as it is. `timeout` is in seconds, for the whole call. `infile` is what
        LOAD DATA LOCAL INFILE sends, whatever file name the statement has; it must not wait for anything but a disk.

        `prepare=True` has the server prepare the statement (COM_STMT_PREPARE) and bind the values to it; the connection
        keeps it prepared for the next time. None: as the option `prepare_threshold` says. False: it is sent as text,
        as are statements with `infile`.

        `attributes` go with the statement, such as a trace's id, and mysql_query_attribute_string() reads them; servers
        that have none (MariaDB, MySQL before 8.0.23) get none. `on_progress`: see `Connection.on_progress`.

        A server's error leaves the connection in order; after a timeout or an interrupt it is closed (see `alive` of
        the exception).
        """
        connection = self.connection
        if connection is None:
            connection = self._use()
        former = self._result
        if former is not None and former.next is not None:
            self._forget()
            _raise_unread(former)
        if connection._stream is not None:
            await connection._settle_stream()
        seconds = connection.timeout if timeout is None else timeout
        result = None
        if on_progress is not None:
            connection._engine.progress.callback = on_progress
        try:
            if infile is None and (prepare or (args is not None and prepare is None and connection._prepares)):
                result = await statement.execute(connection, query, args, seconds, prepare, False, attributes)
            if result is None:
                sql = connection._literals.statement(query, args, connection._engine.no_backslash_escapes)
                sender = None if infile is None else connection._sender(infile)
                before = None if attributes is None else connection._attributes(attributes)
                conversation = connection._engine.query(sql, sender, before)
                result = await connection._channel.run(conversation, seconds)
        except BaseException as error:
            self._forget()
            connection._failed(error)
            raise
        finally:
            if on_progress is not None:
                connection._engine.progress.callback = connection.on_progress
        return self._show(result)

    async def _execute_statement(
        self, prepared: Prepared, args: Args, timeout: float | None, attributes: Mapping[str, Any] | None = None
    ) -> int:
        """Execute what a Statement holds."""
        connection = self._use()
        if connection._stream is not None:
            await connection._settle_stream()
        seconds = connection.timeout if timeout is None else timeout
        try:
            result = await statement.run(connection, prepared, args, seconds, True, attributes=attributes)
        except BaseException as error:
            connection._failed(error)
            raise
        assert result is not None
        return self._show(result)

    def _show(self, result: Result) -> int:
        """Make a result the current one."""
        rows = result.rows
        self._result = result
        if rows is None:
            self._source = self._iterator = _NO_ROWS
        elif self.row_factory is None:
            self._source = self._iterator = iter(rows)
        else:
            self._rewind(result, rows)
        counts = result.counts
        self.rowcount = counts[0]
        if self.connection is not None:
            self.connection._counts = counts
        return counts[0]

    def _rewind(self, result: Result, rows: list[TupleRow]) -> None:
        """Stand before the first row of a result."""
        source: Iterator[Any] = iter(rows)
        self._source = source
        factory = self.row_factory
        if factory is None or factory is tuple_row:
            self._iterator = source
        else:
            self._iterator = map(factory(result.columns or ()), source)

    async def executemany(
        self,
        query: str,
        args: Iterable[Args],
        *,
        timeout: float | None = None,
        pipeline: bool = False,
        unit_results: bool = False,
    ) -> int:
        """Run one statement for each of `args`; returns the sum of the rows affected.

        INSERT and REPLACE … VALUES (…) are folded into statements of many rows, each about `max_stmt_length` bytes
        long. MariaDB executes other changes for many rows at once (COM_STMT_BULK_EXECUTE). Everything else is executed
        one by one: an error leaves the rows behind it alone.

        `pipeline=True` prepares the statement and sends many executions before it waits for their answers. Then an
        error does not keep the server from the rows that were on their way: it is meant for a transaction that is
        rolled back after any error. `row` of the error is the row's index.

        `unit_results=True` has the cursor's `unit_results` say for each row which AUTO_INCREMENT value it generated and
        how many rows it affected: MariaDB (from 11.5.1 on) says so of many rows at once, others one by one.

        `timeout` is in seconds, for each command sent.
        """
        connection = self._use()
        if unit_results:
            return await self._execute_units(query, args, timeout, pipeline)
        self.unit_results = None
        total = 0
        escapes = connection._engine.no_backslash_escapes
        folded = fold_insert(query, escapes) if isinstance(query, str) and not pipeline else None
        if folded is None:
            prepared = statement.for_many(connection, query, args, pipeline)
            if prepared is not None:
                return await self._execute_statement_many(prepared, args, timeout, pipeline)
            total = await self._execute_each(query, args, timeout)
        else:
            literals = connection._literals
            literals.no_backslash_escapes = escapes
            limit = await connection._statement_limit(self.max_stmt_length, args)
            for sql in fold(literals, folded, args, limit):
                total += await self.execute(sql, timeout=timeout)
        self.rowcount = total
        return total

    async def _execute_units(self, query: str, args: Iterable[Args], timeout: float | None, pipeline: bool) -> int:
        """Each row by itself, or in bulk if the server says what each did."""
        if pipeline:
            raise errors.ProgrammingError(0, "unit_results=True and pipeline=True exclude each other", sent=False)
        connection = self._use()
        self._forget()
        units: list[UnitResult] = []
        self.unit_results = units
        total, rest = 0, args
        prepared = statement.for_units(connection, query, args)
        if prepared is not None:
            seconds = connection.timeout if timeout is None else timeout
            total, rest = await statement.execute_bulk(connection, prepared, args, seconds, units)
        for row in rest:
            total += await self._execute_each(query, [row], timeout, None, len(units))
            result = self._result
            units.append(UnitResult(0 if result is None else result.last_insert_id, self.rowcount))
        self.rowcount = total
        return total

    async def _execute_each(
        self,
        query: str | bytes,
        args: Iterable[Args],
        timeout: float | None,
        prepared: Prepared | None = None,
        first: int = 0,
    ) -> int:
        """One by one."""
        total = 0
        for index, row in enumerate(args, first):
            try:
                if prepared is None:
                    total += await self.execute(query, row, timeout=timeout)
                else:
                    total += await self._execute_statement(prepared, row, timeout)
            except errors.Error as error:
                error.row = index
                raise
        return total

    async def _execute_statement_many(
        self, prepared: Prepared, args: Iterable[Args], timeout: float | None, pipeline: bool
    ) -> int:
        """A prepared statement for many rows, in the way that was asked for or that the server has."""
        connection = self._use()
        self._forget()
        seconds = connection.timeout if timeout is None else timeout
        if pipeline:
            total = await statement.execute_pipelined(connection, prepared, args, seconds)
        else:
            total, rest = await statement.execute_bulk(connection, prepared, args, seconds)
            total += await self._execute_each(prepared.query, rest, timeout)
        self.rowcount = total
        return total

    async def callproc(self, procname: str, args: Sequence[Any] = (), *, timeout: float | None = None) -> Sequence[Any]:
        """CALL a stored procedure (its name may be `database.name`); returns `args` as they were given.

        As in PyMySQL the arguments go through the variables @_procname_0, @_procname_1, …; SELECT them to get what
        OUT and INOUT parameters became. The CALL itself is the last result: nextset() passes over the others to it.
        """
        literals = self._use()._literals
        literals.no_backslash_escapes = self._use()._engine.no_backslash_escapes
        variables = [quote_identifier(f"_{procname}_{number}") for number in range(len(args))]
        if args:
            values = [literals.literal(value) for value in args]
            settings = [f"@{name}=".encode() + value for name, value in zip(variables, values, strict=True)]
            await self.execute(b"SET " + b",".join(settings), timeout=timeout)
        name = ".".join(quote_identifier(part) for part in procname.split("."))
        await self.execute(f"CALL {name}({','.join('@' + variable for variable in variables)})", timeout=timeout)
        return args

    def mogrify(self, query: str, args: Args | None = None) -> str:
        """The statement that execute() would send, as text; bytes in it that are no text are shown as `\\xff`."""
        connection = self._use()
        if args is None:
            return query
        sql = connection._literals.statement(query, args, connection._engine.no_backslash_escapes)
        return sql.decode(connection.encoding, "backslashreplace")

    # Fetching

    async def fetchone(self) -> Row | None:
        """The next row; None when there is none left, or the statement had no result."""
        return next(self._iterator, None)

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows (default: `arraysize`); fewer at the end, then none."""
        return list(islice(self._iterator, self.arraysize if size is None else size))

    async def fetchall(self) -> list[Row]:
        """All rows that are left, as a list of your own (scroll() goes over the same rows, should you change it)."""
        result = self._result
        if result is not None and self._iterator is self._source and result.rows and self.rownumber == 0:
            # Copying half a million references would keep a hub or loop waiting for milliseconds.
            self._source = self._iterator = _NO_ROWS
            return cast("list[Row]", result.rows)
        return list(self._iterator)

    async def scroll(self, value: int, mode: str = "relative") -> None:
        """Move by `value` rows, or with mode="absolute" to row `value`; IndexError outside of the result."""
        result = self._result
        if result is None:
            next(self._iterator)
        rows = [] if result is None else result.rows or []
        position = self._target(value, mode)
        if result is None or not 0 <= position < len(rows):
            raise IndexError(f"row {position} is outside of the result's {len(rows)} rows")
        self._rewind(result, rows)
        next(islice(self._source, position, position), None)

    def _target(self, value: int, mode: str) -> int:
        if mode == "relative":
            return self.rownumber + value
        if mode == "absolute":
            return value
        raise errors.ProgrammingError(0, f'scroll mode must be "relative" or "absolute", not {mode!r}', sent=False)

    async def nextset(self) -> bool | None:
        """Go to the next result of the statement: True, or None if there is none.

        Where that is a statement that failed (of several sent as one, or in a procedure) its error is raised; the
        connection lives.
        """
        self._use()
        following = None if self._result is None else self._result.next
        if following is None:
            return None
        if isinstance(following, errors.Error):
            self._forget()
            raise following
        self._show(following)
        return True

    # What is known of the current result

    @property
    def description(self) -> Description | None:
        """For each column (name, type_code, None, length, precision, scale, null_ok); None without a result.

        Each is a tuple with attributes of these names, and of `type_name` ('varchar', 'json', 'uuid', …) besides.
        """
        return None if self._result is None else self._result.description

    @property
    def lastrowid(self) -> int | None:
        """The AUTO_INCREMENT value that the statement generated (the first, of many rows), or what
        LAST_INSERT_ID(expression) set; None if the statement gave rows."""
        result = self._result
        if result is None:
            return self._last_known_id
        return None if result.columns is not None else result.last_insert_id

    @property
    def warning_count(self) -> int:
        """How many warnings the statement left on the server, for Connection.show_warnings()."""
        return 0 if self._result is None else self._result.warning_count

    @property
    def info(self) -> str:
        """The server's words on the statement, such as "Rows matched: 1  Changed: 1  Warnings: 0"."""
        return "" if self._result is None else self._result.info

    @property
    def rownumber(self) -> int:
        """The 0-based index of the next row in the result."""
        if self._result is None or self._result.rows is None:
            return 0
        return len(self._result.rows) - operator.length_hint(self._source)

    def setinputsizes(self, *sizes: Any) -> None:
        """Does nothing, as PEP 249 allows."""

    def setoutputsize(self, *sizes: Any) -> None:
        """Does nothing, as PEP 249 allows."""

    setoutputsizes = setoutputsize

    # Closing

    async def close(self) -> None:
        """Give up the rows; the error of a later statement that nobody looked at is raised. Closing twice is fine.

        `rowcount` and `lastrowid` stay, as in PyMySQL: SQLAlchemy closes a cursor first and may ask then.
        """
        result = self._result
        if result is not None:
            if result.rows is None:
                self._last_known_id = result.last_insert_id
            self._result = None
        self._source = self._iterator = _CLOSED
        self.connection = None
        if result is not None and result.next is not None:
            _raise_unread(result)

    async def __aenter__(self: C) -> C:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except errors.Error:
            if error is None:
                raise


C = TypeVar("C", bound=Cursor[Any])


class DictCursor(Cursor[dict[str, Any]]):
    """A cursor whose rows are dicts by column name; a name that occurs again is `table.name`."""

    row_factory = staticmethod(dict_row)


def quote_identifier(name: str) -> str:
    """A name as SQL has it, whatever is in it."""
    if "\0" in name:
        raise errors.ProgrammingError(0, f"an identifier cannot contain a NUL character: {name!r}", sent=False)
    return "`" + name.replace("`", "``") + "`"


def infile_sender(infile: Infile) -> Callable[[str], Iterator[bytes]]:
    """What the engine is given for LOCAL INFILE: a function of the server's file name, which is not obeyed."""

    if isinstance(infile, (str, os.PathLike)):
        open(infile, "rb").close()  # a file that cannot be read shall fail here, before a byte was sent

    def send(filename: str) -> Iterator[bytes]:  # noqa: ARG001 (only what the caller passed is ever sent)
        if isinstance(infile, (str, os.PathLike)):
            with open(infile, "rb") as file:
                yield from iter(lambda: file.read(INFILE_CHUNK), b"")
        elif (read := getattr(infile, "read", None)) is not None:
            yield from iter(lambda: read(INFILE_CHUNK), b"")
        else:
            yield from infile

    return send
