# Generated from src/mizzle/aio/statement.py by tools/unasync.py: change that file, then run the tool.
"""Prepared statements: those that a program asks for, and those that are prepared by themselves.

Knows: which statement to prepare, how long to keep it, and what to do when the server has none of it. Must not know:
packets, worlds, what becomes of rows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mizzle import errors
from mizzle.constants import errnos
from mizzle.constants.capabilities import (
    CLIENT_OPTIONAL_RESULTSET_METADATA,
    MARIADB_CLIENT_BULK_UNIT_RESULTS,
    MARIADB_CLIENT_STMT_BULK_OPERATIONS,
)
from mizzle.engine import statements
from mizzle.engine.parameters import BulkExecutions, Executions, NotBindable
from mizzle.engine.preparable import template_for
from mizzle.engine.prepared import Kept, Prepared

if TYPE_CHECKING:
    from mizzle.sync.connection import Connection
    from mizzle.sync.cursor import Args, Cursor
    from mizzle.engine.conversations import Result
    from mizzle.engine.prepared import Column
    from mizzle.engine.text_rows import Description
    from mizzle.options import ConnectOptions

#: The server's word for: the statement is to be prepared again, it was not executed.
FORGOTTEN = frozenset({errnos.ER_UNKNOWN_STMT_HANDLER, errnos.ER_NEED_REPREPARE})
#: A procedure executes statements of its own: what one of their parameters cannot be, comes too late to begin anew.
CALLS = re.compile(rb"(?:\s|/\*.*?\*/|--[^\n]*\n|#[^\n]*\n)*call\b", re.IGNORECASE | re.DOTALL)
#: Characters of a statement that is prepared by itself: longer ones are mostly made for one use.
LONGEST_KEPT = 16_384
#: Bytes of executions that are sent before their answers are waited for.
IN_FLIGHT = 65_536
#: Bytes of one COM_STMT_BULK_EXECUTE.
BULK_SIZE = 1024 * 1024
#: Fewer rows than this are executed one by one: to prepare a statement is a round trip too.
FEW_ROWS = 4
#: Statements that MariaDB executes in bulk.
BULK_STATEMENTS = ("insert", "replace", "update", "delete")
_UNKNOWN: Any = object()


class UnitResult(NamedTuple):
    """What one of many executions did: the AUTO_INCREMENT value that it generated (0: none), the rows it affected."""

    insert_id: int
    affected_rows: int


class Statements(Kept):
    """The statements that a connection keeps prepared: the ones used last."""

    def __init__(self, options: ConnectOptions) -> None:
        super().__init__()
        self._threshold = options.prepare_threshold
        self._size = options.prepared_cache_size
        self._lifetime = options.prepared_lifetime
        self.expire = self._lifetime is not None
        self._counts: dict[str | bytes, int] = {}

    def find(
        self, connection: Connection, query: str | bytes, asked: bool | None, due: bool = False
    ) -> Prepared | None:
        """The statement, to be executed and prepared first if need be; None: as text.

        `asked`: it must be prepared. `due`: it may be, however seldom it was seen.
        """
        statement: Prepared | None = self.statements.pop(query, _UNKNOWN)
        if statement is not _UNKNOWN and statement and statement.template.codec != connection._parameters.codec:
            statements.forget(connection._engine, statement)  # a SET NAMES came between
            statement = _UNKNOWN
        if statement is _UNKNOWN:
            if not asked and not due and not self._is_due(query):
                return None
            statement = make_statement(connection, query, asked)
        self.statements[query] = statement
        if len(self.statements) > self._size:
            oldest = self.statements.pop(next(iter(self.statements)))
            if oldest is not None:
                statements.forget(connection._engine, oldest)
        if statement is None or (statement.refused and not asked):
            return None
        if self._lifetime is not None:
            now = time.monotonic()
            if statement.expires < now:
                statements.forget(connection._engine, statement)
                statement.expires = now + self._lifetime
        return statement

    def _is_due(self, query: str | bytes) -> bool:
        if len(query) > LONGEST_KEPT:
            return False
        count = self._counts.pop(query, 0) + 1
        if count >= self._threshold:
            return True
        self._counts[query] = count
        if len(self._counts) > 4 * self._size:
            del self._counts[next(iter(self._counts))]
        return False

    def forget(self, connection: Connection) -> None:
        """Close all of them: the connection speaks another character set."""
        for statement in self.statements.values():
            if statement is not None:
                statements.forget(connection._engine, statement)
        self.statements.clear()


def make_statement(connection: Connection, query: str | bytes, asked: bool | None) -> Prepared | None:
    """A statement yet to be prepared; if it had another meaning then, None, or an error if it was asked for."""
    engine = connection._engine
    if engine.capabilities & CLIENT_OPTIONAL_RESULTSET_METADATA:
        if not asked:
            return None
        raise errors.NotSupportedError(
            0,
            "With resultset_metadata='none' no statement can be prepared: the types of its columns would not be known",
            sent=False,
        )
    template = template_for(query, connection._literals.codec, engine.no_backslash_escapes)
    if template is not None:
        return Prepared(template, query)
    if not asked:
        return None
    raise errors.NotSupportedError(
        0,
        "The statement cannot be prepared: a placeholder stands in quotes or in a comment, or is all of an ORDER BY or "
        "GROUP BY, or there is a ? besides",
        sent=False,
        hint="Execute it without prepare=True; a ? that is text belongs in quotes.",
    )


def unformatted(query: str | bytes) -> str | bytes:
    """A statement whose % are meant as they are, for where they are placeholders."""
    return query.replace("%", "%%") if isinstance(query, str) else query.replace(b"%", b"%%")


def execute(
    connection: Connection,
    query: str | bytes,
    args: Args | None,
    seconds: float | None,
    asked: bool | None,
    stream: bool = False,
    attributes: Mapping[str, Any] | None = None,
) -> Result | None:
    """Execute a query as a prepared statement; None if it is to be executed as text."""
    if args is None:
        query = unformatted(query)
    kept = connection._statements
    statement = kept.ready(query, connection._parameters)
    if statement is None:
        statement = kept.find(connection, query, asked)
    if statement is None:
        return None
    return run(connection, statement, args or (), seconds, asked, stream, 0, attributes)


def run(
    connection: Connection,
    statement: Prepared,
    args: Args,
    seconds: float | None,
    asked: bool | None,
    stream: bool = False,
    flags: int = 0,
    attributes: Mapping[str, Any] | None = None,
) -> Result | None:
    """Execute a statement, and prepare it first where the server does not know it (any more)."""
    engine, parameters = connection._engine, connection._parameters
    try:
        streamed = send_files(connection, statement, args, seconds) if asked else ()
        conversation = statements.execute(engine, statement, parameters, args, flags, streamed, attributes, stream)
    except NotBindable:
        if asked:
            raise
        return None
    try:
        result: Result = connection._channel.run(conversation, seconds)
    except errors.Error as error:
        if not error.alive:
            raise
        # MySQL keeps the character set that a parameter's column once had, through every ALTER TABLE.
        outgrown = error.errno == errnos.ER_IMPOSSIBLE_STRING_CONVERSION and not CALLS.match(statement.sql)
        if streamed or not (outgrown or error.errno in FORGOTTEN):
            if asked or not (statement.refused or error.errno == errnos.ER_UNSUPPORTED_PS):
                raise
            statement.refused = True
            return None
        statements.forget(engine, statement)
        if outgrown and not asked:
            return None
        conversation = statements.execute(engine, statement, parameters, args, flags, streamed, attributes, stream)
        result = connection._channel.run(conversation, seconds)
    return result


def send_files(connection: Connection, statement: Prepared, args: Args, seconds: float | None) -> tuple[int, ...]:
    """Send the parameters that are files open for reading bytes, piece by piece; their positions."""
    names = statement.template.names or ()
    values: Iterable[Any] = (
        [args.get(name) for name in names]
        if isinstance(args, Mapping)
        else args
        if isinstance(args, (tuple, list))
        else ()
    )
    files = {position: chunks(value) for position, value in enumerate(values) if hasattr(value, "read")}
    if files:
        connection._channel.run(statements.send_long_data(connection._engine, statement, files), seconds)
    return tuple(files)


def chunks(file: Any) -> Iterable[bytes]:
    """A file in pieces."""
    return iter(lambda: file.read(IN_FLIGHT), b"")


def prepare(connection: Connection, statement: Prepared, seconds: float | None) -> None:
    """Have the server prepare it, if it has not done so in this session."""
    if statement.session != connection._engine.session:
        connection._run(statements.prepare(connection._engine, statement), seconds)


# -- many rows --------------------------------------------------------------------------------------------------------


def has_bulk(connection: Connection) -> bool:
    """Has the server COM_STMT_BULK_EXECUTE?"""
    return bool(connection._engine.capabilities & MARIADB_CLIENT_STMT_BULK_OPERATIONS)


def suits_bulk(connection: Connection, query: str | bytes, rows: Iterable[Any]) -> bool:
    """Does the server execute this statement for many rows at once?"""
    if not has_bulk(connection) or not isinstance(query, str):
        return False
    if isinstance(rows, Sized) and len(rows) < FEW_ROWS:
        return False
    return query.lstrip()[:7].lower().startswith(BULK_STATEMENTS)


def for_many(connection: Connection, query: str | bytes, rows: Iterable[Any], pipeline: bool) -> Prepared | None:
    """The statement, to be executed for many rows in one go or (`pipeline`) one after the other; None: as text."""
    if not pipeline and not suits_bulk(connection, query, rows):
        return None
    return connection._statements.find(connection, query, pipeline or None, due=True)


def for_units(connection: Connection, query: str | bytes, rows: Iterable[Any]) -> Prepared | None:
    """The statement, to be executed in bulk by a server that says what each execution did; None: one by one."""
    if not connection._engine.capabilities & MARIADB_CLIENT_BULK_UNIT_RESULTS:
        return None
    if re.search(r"\breturning\b", query if isinstance(query, str) else "", re.IGNORECASE):
        return None
    return for_many(connection, query, rows, False)


def execute_bulk(
    connection: Connection,
    statement: Prepared,
    rows: Iterable[Args],
    seconds: float | None,
    units: list[UnitResult] | None = None,
) -> tuple[int, Iterable[Any]]:
    """COM_STMT_BULK_EXECUTE of MariaDB; the rows affected, and the rows that could not be sent in this way.

    What each execution did is added to `units`, if there are any.
    The server stops at the first row that fails, as it would if they came one by one.
    """
    engine = connection._engine
    try:
        prepare(connection, statement, seconds)
    except errors.Error as error:
        if not error.alive:
            raise
        return 0, rows
    limit = connection._statement_limit(BULK_SIZE, rows)
    wanted = units is not None
    batches = BulkExecutions(connection._parameters, statement.statement_id, statement.template, rows, limit, wanted)
    total = 0
    try:
        for payload, _ in batches:
            bulk = statements.execute_bulk(engine, statement, payload, wanted)
            result: Result = connection._run(bulk, seconds)
            if units is None:
                total += result.affected_rows
            else:
                did = [UnitResult(*row) for row in result.rows or ()]
                units += did
                total += sum(unit.affected_rows for unit in did)
    except NotBindable:
        return total, batches.rest()
    except errors.Error as error:
        if not error.alive or error.errno != errnos.ER_UNSUPPORTED_PS or batches.taken:
            raise
        return total, batches.rest(again=True)
    return total, ()


def execute_pipelined(
    connection: Connection, statement: Prepared, rows: Iterable[Args], seconds: float | None
) -> int:
    """COM_STMT_EXECUTE for each row, many of them sent before their answers are read; the sum of the rows affected.

    The first error is raised with its row's index, once all that was sent is answered.
    """
    engine = connection._engine
    prepare(connection, statement, seconds)
    batches = Executions(connection._parameters, statement.statement_id, statement.template, rows, IN_FLIGHT)
    total = 0
    for packets, count in batches:
        affected, failures = connection._run(statements.pipeline(engine, statement, packets, count), seconds)
        total += affected
        if failures:
            which, error = failures[0]
            if isinstance(error, errors.Error):
                error.row = batches.taken + which
            connection._failed(error)
            raise error
    return total


# -- what a program holds ---------------------------------------------------------------------------------------------


class Statement:
    """A statement that the server has prepared; made by `Connection.prepare()`. Leaving `with` closes it.

    It lives as long as its connection: after reset() or change_user() it is prepared again when it is executed next.
    """

    def __init__(self, connection: Connection, prepared: Prepared) -> None:
        self._connection: Connection | None = connection
        self._prepared = prepared

    def __repr__(self) -> str:
        state = "closed" if self._connection is None else f"{self._prepared.statement_id}"
        return f"<{type(self).__module__}.{type(self).__qualname__} {state} {self._prepared.query!r}>"

    @property
    def query(self) -> str | bytes:
        """The statement as it was given."""
        return self._prepared.query

    @property
    def parameters(self) -> tuple[Column, ...]:
        """What the server says of each parameter. MySQL knows the types of some, MariaDB of none."""
        return self._prepared.parameters

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """The columns of its result; None if it gives no rows."""
        return self._prepared.columns

    @property
    def description(self) -> Description | None:
        """PEP 249's description of its result; None if it gives no rows."""
        return self._prepared.description

    def execute(
        self, args: Args = (), *, timeout: float | None = None, attributes: Mapping[str, Any] | None = None
    ) -> Cursor[Any]:
        """Execute it on a new cursor, which is returned with its result. `attributes` as in `Cursor.execute`.

        A parameter may be a file open for reading bytes: it is sent in pieces, without being in memory as a whole. A
        sequence of values is not one parameter (ProgrammingError, nothing was sent).
        """
        connection = self._use()
        cursor = connection.cursor()
        cursor._execute_statement(self._current(connection), args, timeout, attributes)
        return cursor

    def executemany(self, args: Iterable[Args], *, timeout: float | None = None, pipeline: bool = False) -> int:
        """Execute it for each of `args`; returns the rows affected in all. `pipeline` as in `Cursor.executemany`."""
        connection = self._use()
        cursor = connection.cursor()
        prepared = self._current(connection)
        if pipeline or has_bulk(connection):
            return cursor._execute_statement_many(prepared, args, timeout, pipeline)
        return cursor._execute_each(prepared.query, args, timeout, prepared)

    def close(self) -> None:
        """Let the server forget it: it is told with the next command (COM_STMT_CLOSE). Closing twice is fine."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.open:
            statements.forget(connection._engine, self._prepared)

    def _use(self) -> Connection:
        if self._connection is None:
            raise errors.connection_closed("prepare it again with conn.prepare()", what="statement")
        return self._connection

    def _current(self, connection: Connection) -> Prepared:
        """The same statement in the connection's character set of the moment."""
        if self._prepared.template.codec != connection._literals.codec:
            statements.forget(connection._engine, self._prepared)
            made = make_statement(connection, self._prepared.query, True)
            assert made is not None
            self._prepared = made
        return self._prepared

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


S = TypeVar("S", bound=Statement)
