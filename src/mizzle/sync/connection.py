# Generated from src/mizzle/aio/connection.py by tools/unasync.py: change that file, then run the tool.
"""A connection, as a program sees it: PEP 249, with the names that PyMySQL has.

Knows: which SQL or command stands behind each method, and which cursor, transaction or stream has the connection.
Must not know: packets, sockets, how the world waits.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from mizzle import errors
from mizzle.sync.channels import close_channel
from mizzle.sync.cursor import Args, Cursor, Infile, OnProgress, infile_sender
from mizzle.sync.statement import Statement, Statements, make_statement
from mizzle.sync.streaming import still_streaming
from mizzle.sync.transaction import Transaction
from mizzle.constants import charsets, errnos
from mizzle.constants.capabilities import CLIENT_QUERY_ATTRIBUTES
from mizzle.engine import login, statements
from mizzle.engine.literals import Literals
from mizzle.engine.parameters import Parameters
from mizzle.rows import RowFactory, TupleRow
from mizzle.types import TransactionState, transaction_state
from mizzle.worlds import Endpoint

if TYPE_CHECKING:
    import ssl

    from mizzle.engine.conversations import Conversation, Engine, Result
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel, Rescue

Row = TypeVar("Row")
CursorType = TypeVar("CursorType", bound=Cursor[Any])

#: Fewer rows than this are folded without asking the server how long a statement may be.
FEW_ROWS = 100
#: What a server wants to spare of its max_allowed_packet: the command's byte, and some.
PACKET_MARGIN = 64


class ClosedChannel:
    """Stands where the channel of a connection was that is its holder's no more."""

    closed = True
    draining = False
    broken: BaseException | None = None
    engine: Any = None
    rescue: Rescue | None = None
    read_timeout: float | None = None
    write_timeout: float | None = None

    def __init__(self, why: str) -> None:
        self._why = why

    def run(self, conversation: object, timeout: float | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse."""
        raise errors.connection_closed(self._why)

    def abort(self) -> None:
        """Nothing is left to end."""

    def fileno(self) -> int:
        """No file."""
        return -1

    def peer(self) -> Endpoint:
        """Nowhere."""
        return Endpoint()


_CLOSED = ClosedChannel("close() was called")


class Connection:
    """A session with a server; made by `connect()`. For use by one thread, green thread or task at a time.

    Leaving `with` closes it, as in PyMySQL: what was not committed is rolled back by the server.
    After an exception with `alive` True, which is every error that the server answers with, the connection can be
    used on. A statement that is interrupted, or not answered in time, is ended on the server too (KILL QUERY), and the
    connection can be used on: the next call waits for the end of that, at most `interrupt_timeout` seconds; if it
    does not come the connection is closed. `on_interrupt` has the choices. Nothing ever reconnects by itself.
    """

    # PEP 249, optional extensions: the exceptions as attributes of a connection.
    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    #: The channel of a connection that was returned to its pool.
    _RETURNED = ClosedChannel("it was returned to its pool")

    # A pool copies them at each loan (mizzle.loans): by slots that is a matter of nanoseconds.
    __slots__ = (
        "__dict__", "__weakref__", "_blocks", "_channel", "_counts", "_encoders", "_ended_after", "_engine", "_lent",
        "_literals", "_on_progress", "_options", "_parameters", "_prepares", "_server_packet", "_statements", "_stream",
        "_streamer", "cursorclass", "row_factory", "timeout",
    )  # fmt: skip

    #: Seconds that a call may take unless it is given its own `timeout`; None: no limit.
    timeout: float | None
    #: The class of the cursors that cursor() makes.
    cursorclass: type[Cursor[Any]]
    #: Makes their rows, where neither the cursor's class nor cursor() says how; None: tuples.
    row_factory: RowFactory[Any] | None

    def __init__(self, channel: Channel, engine: Engine, options: ConnectOptions) -> None:
        self._channel: Channel = channel
        self._engine = engine
        self._options = options
        self.timeout = options.timeout
        self.cursorclass = options.cursorclass or Cursor
        self.row_factory = options.row_factory
        self._on_progress: OnProgress | None
        self.on_progress = options.on_progress
        self._encoders = {key: encoder for key, encoder in (options.conv or {}).items() if isinstance(key, type)}
        self._prepares = options.prepare_threshold > 0
        self._statements = Statements(options)
        self._speak(engine.charset.codec)
        self._server_packet: int | None = None
        self._counts = (0, 0, 0)  # affected rows, last insert id, warnings
        self._ended_after = -1  # so many commands had the engine begun when commit() or rollback() came back last
        self._blocks: tuple[Transaction, ...] = ()
        self._stream: Result | None = None
        self._streamer: weakref.ref[Any] | None = None
        self._lent: Any = None  # what a pool that lent this connection wants back with it

    def _speak(self, codec: str) -> None:
        """Write text in this codec from now on."""
        self._literals = Literals(codec, self._encoders)
        named = bool(self._engine.capabilities & CLIENT_QUERY_ATTRIBUTES)
        self._parameters = Parameters(codec, self._encoders, named)
        self._engine.writers = (self._literals, self._parameters)
        self._statements.forget(self)

    def __repr__(self) -> str:
        state = "open" if self.open else "closed" if self.broken is None else "broken"
        return (
            f"<{type(self).__module__}.{type(self).__qualname__} {self.host_info} {state} thread_id={self.thread_id()}>"
        )

    # Cursors

    @overload
    def cursor(self, cursor: None = None, *, row_factory: None = None) -> Cursor[Any]: ...
    @overload
    def cursor(self, cursor: None = None, *, row_factory: RowFactory[Row]) -> Cursor[Row]: ...
    @overload
    def cursor(self, cursor: type[CursorType], *, row_factory: RowFactory[Any] | None = None) -> CursorType: ...

    def cursor(self, cursor: type[Any] | None = None, *, row_factory: RowFactory[Any] | None = None) -> Any:
        """A new cursor: of class `cursor` (default: `cursorclass`), its rows made by `row_factory`."""
        made = (cursor or self.cursorclass)(self)
        if row_factory is not None:
            made.row_factory = row_factory
        elif self.row_factory is not None and made.row_factory is None:
            made.row_factory = self.row_factory
        return made

    def execute(
        self,
        query: str | bytes,
        args: Args | None = None,
        *,
        timeout: float | None = None,
        infile: Infile | None = None,
        prepare: bool | None = None,
        attributes: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Cursor[Any]:
        """Run a statement on a new cursor, which is returned with its result; see `Cursor.execute`."""
        cursor = self.cursor()
        if attributes is None and on_progress is None:  # a program's own class of cursors may not know these two
            cursor.execute(query, args, timeout=timeout, infile=infile, prepare=prepare)
        else:
            cursor.execute(
                query,
                args,
                timeout=timeout,
                infile=infile,
                prepare=prepare,
                attributes=attributes,
                on_progress=on_progress,
            )
        return cursor

    def prepare(self, query: str | bytes, *, timeout: float | None = None) -> Statement:
        """Have the server prepare a statement (COM_STMT_PREPARE), to execute it any number of times.

        Placeholders are those of `Cursor.execute`: `%s` or `%(name)s`, and `%%` for a percent sign.
        """
        prepared = make_statement(self, query, True)
        assert prepared is not None
        self._run(statements.prepare(self._engine, prepared), timeout)
        return Statement(self, prepared)

    # Transactions

    def transaction(self, isolation: str | None = None, readonly: bool = False) -> Transaction:
        """A block that is committed whole or rolled back whole; inside another such block, a savepoint.

        `isolation` is one of "read uncommitted", "read committed", "repeatable read", "serializable".
        """
        return Transaction(self, isolation, readonly)

    def begin(self) -> None:
        """Begin a transaction (BEGIN), which commits one that is open."""
        self._refuse_in_block("begin()")
        self._statement("BEGIN")

    def commit(self) -> None:
        """Make permanent what the open transaction did (COMMIT)."""
        self._refuse_in_block("commit()")
        self._statement("COMMIT")
        self._ended_after = self._engine.commands

    def rollback(self) -> None:
        """Undo what the open transaction did (ROLLBACK); sends nothing if nothing came after a commit() or rollback().

        Libraries that pool connections roll back whatever comes back to them, most often a second time.
        """
        self._refuse_in_block("rollback()")
        engine = self._engine
        if self._ended_after != engine.commands or engine.in_transaction or not self.open:
            self._statement("ROLLBACK")
            self._ended_after = engine.commands

    def autocommit(self, value: bool) -> None:
        """Switch whether each statement is a transaction of its own; switching it on commits an open one.

        Where none can be open the server is told with the next command.
        """
        if bool(value) != self._engine.autocommit:
            self._refuse_in_block("autocommit()")
            over = not value or self._ended_after == self._engine.commands
            if not (over and self.open and login.autocommit_later(self._engine, bool(value))):
                self._statement(f"SET autocommit={int(bool(value))}")

    def get_autocommit(self) -> bool:
        """Is each statement a transaction of its own, as the server said last?"""
        return self._engine.autocommit

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open, as the server said last? It knows of implicit commits; an error says nothing of it."""
        return self._engine.in_transaction

    def _refuse_in_block(self, what: str) -> None:
        if self._blocks:
            raise errors.ProgrammingError(
                0,
                f"{what} cannot be used inside a transaction() block",
                sent=False,
                hint="Leaving the block commits; an exception that leaves it rolls back.",
            )

    def _transaction_lost(self, reason: BaseException) -> None:
        """The server has ended the transaction of the open blocks: none of them may commit what follows."""
        for block in self._blocks:
            block._lost = reason

    # Commands

    def ping(self, *, timeout: float | None = None) -> None:
        """Ask the server for a sign of life (COM_PING). Raises if the connection is dead; never reconnects."""
        self._run(self._engine.ping(), timeout)

    def select_db(self, db: str) -> None:
        """Make `db` the default database (COM_INIT_DB)."""
        self._run(self._engine.init_db(db))

    def kill(self, thread_id: int) -> None:
        """End another connection (KILL), by its `thread_id()`."""
        if not isinstance(thread_id, int):
            raise TypeError(f"thread_id must be an int, not {type(thread_id).__name__}")
        self._statement(f"KILL {thread_id:d}")

    def stat(self) -> str:
        """The server's one-line state of itself (COM_STATISTICS)."""
        status: str = self._run(self._engine.statistics())
        return status

    def set_server_option(self, option: int) -> None:
        """Switch several statements in one query on or off (COM_SET_OPTION): see mizzle.constants.set_options."""
        self._run(self._engine.set_option(option))

    def reset(self, *, timeout: float | None = None) -> None:
        """Make the session as after connecting (COM_RESET_CONNECTION): no transaction, variables, temporary tables.

        The settings of the connection hold again, its `database` is the default one, and its `init_command` is run. If
        no `database` was given the default one stays as it is: no command takes it away.
        """
        self._refuse_in_block("reset()")
        self._run(self._engine.reset_connection(), timeout)
        self._speak(self._engine.charset.codec)

    def change_user(self, user: str, password: str | bytes = b"", database: str | None = None) -> None:
        """Log in anew on this connection (COM_CHANGE_USER). If that is refused, the server closes the connection.

        A pool closes it when it comes back: no reset makes the session the former user's.
        """
        self._refuse_in_block("change_user()")
        if self._lent is not None:
            self._lent.member.expires = 0.0
        secret = password.encode("utf8") if isinstance(password, str) else password
        self._run(self._engine.change_user(user, secret, database))
        self._speak(self._engine.charset.codec)

    def set_charset(self, charset: str, collation: str | None = None) -> None:
        """Change the character set of the session (SET NAMES)."""
        chosen = charsets.default_collation(charset) if collation is None else charsets.by_collation(collation)
        statement = f"SET NAMES {chosen.charset}"
        self._statement(statement if collation is None else f"{statement} COLLATE {chosen.collation}")
        self._engine.set_charset(chosen)
        self._speak(chosen.codec)

    set_character_set = set_charset

    def show_warnings(self) -> list[TupleRow]:
        """The warnings of the last statement as (level, code, message), by SHOW WARNINGS."""
        result: Result = self._run(self._engine.query(b"SHOW WARNINGS"))
        return result.rows or []

    def _statement_limit(self, wished: int, rows: Iterable[Any]) -> int:
        """How long a statement made of many rows may be: the server is asked once, if there are many."""
        if self._server_packet is None:
            if isinstance(rows, Sized) and len(rows) < FEW_ROWS:
                return wished
            result: Result = self._run(self._engine.query(b"SELECT @@max_allowed_packet"))
            self._server_packet = int(result.rows[0][0]) if result.rows else wished
        return min(wished, self._server_packet - PACKET_MARGIN)

    def _statement(self, sql: str) -> None:
        result: Result = self._run(self._engine.query(sql.encode("ascii")))
        self._counts = result.counts

    def _run(self, conversation: Conversation[Any], timeout: float | None = None) -> Any:
        if self._stream is not None:
            self._settle_stream()
        try:
            return self._channel.run(conversation, self.timeout if timeout is None else timeout)
        except BaseException as error:
            self._failed(error)
            raise

    def _failed(self, error: BaseException) -> None:
        """A deadlock ends the whole transaction, which the packet that reports it does not say."""
        if self._blocks and isinstance(error, errors.Error) and error.errno == errnos.ER_LOCK_DEADLOCK:
            self._transaction_lost(error)

    def _attributes(self, attributes: Mapping[str, Any]) -> bytes | None:
        """Query attributes as they go before a statement; None where the server has none."""
        return self._parameters.attributes(attributes) if self._parameters.named and attributes else None

    def _sender(self, infile: Infile) -> Callable[[str], Iterator[bytes]]:
        if not self._options.local_infile:
            raise errors.ProgrammingError(0, "infile= needs a connection with connect(local_infile=True)", sent=False)
        return infile_sender(infile)

    # A streamed result

    def _settle_stream(self) -> None:
        """Before another command: refuse it, unless nobody can fetch the streamed rows any more."""
        if self._streamer is not None and self._streamer() is not None:
            still_streaming()
        self._finish_stream()

    def _finish_stream(self) -> None:
        """Read and drop what is left of a streamed result and of those after it."""
        result, self._stream, self._streamer = self._stream, None, None
        while result is not None and self._engine.streaming:
            if not result.finished:
                self._run(self._engine.skip_rows(result))
            result = self._run(self._engine.next_result(result)) if self._engine.streaming else None

    # Literals

    def escape(self, obj: Any) -> str:
        """The value as an SQL literal, with quotes where it needs them. execute(query, args) does this for you.

        UnicodeDecodeError for a sequence in which there are bytes that are no text.
        """
        self._literals.no_backslash_escapes = self._engine.no_backslash_escapes
        literal = self._literals.literal(obj)
        try:
            return literal.decode(self.encoding)
        except UnicodeDecodeError:
            if isinstance(obj, (bytes, bytearray, memoryview)):
                return f"_binary X'{obj.hex()}'"
            raise

    literal = escape

    def escape_string(self, text: str) -> str:
        """The text as it stands inside quotes in SQL."""
        return self.escape(text)[1:-1]

    # What is known of the last statement

    def affected_rows(self) -> int:
        """The rows that the last statement changed (or matched: found_rows=True), or that its result has."""
        return self._counts[0]

    def insert_id(self) -> int:
        """The AUTO_INCREMENT value that the last statement generated; 0 if none."""
        return self._counts[1]

    @property
    def warning_count(self) -> int:
        """How many warnings the last statement left; show_warnings() gets them."""
        return self._counts[2]

    # What is known of the connection

    @property
    def open(self) -> bool:
        """Neither closed nor broken, as far as is known without asking the server: ping() asks."""
        return not self._channel.closed

    @property
    def broken(self) -> BaseException | None:
        """What ended the connection before its time; None while it lives, and after close()."""
        return self._channel.broken

    @property
    def server_version(self) -> str:
        """As the server says it, such as "10.11.14-MariaDB-0+deb12u2" or "9.7.0"."""
        return self._engine.server_version

    @property
    def server_version_info(self) -> tuple[int, ...]:
        """The numbers of the version: (10, 11, 14)."""
        return self._engine.server_version_info

    @property
    def is_mariadb(self) -> bool:
        """MariaDB, not MySQL."""
        return self._engine.is_mariadb

    def get_server_info(self) -> str:
        """The same as `server_version`."""
        return self._engine.server_version

    def thread_id(self) -> int:
        """The server's number for this connection, as in SHOW PROCESSLIST and for kill()."""
        return self._engine.connection_id

    @property
    def host_info(self) -> str:
        """Where the server is, in words."""
        options = self._options
        if options.unix_socket is not None:
            return "Localhost via UNIX socket"
        return f"socket {options.host}:{options.port}"

    def get_host_info(self) -> str:
        """The same as `host_info`."""
        return self.host_info

    def get_proto_info(self) -> int:
        """The version of the protocol."""
        return 10

    def character_set_name(self) -> str:
        """The character set of the session, such as "utf8mb4"."""
        return self._engine.charset.charset

    @property
    def encoding(self) -> str:
        """The name of the Python codec for that character set."""
        return self._engine.charset.codec

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session (its cipher(), version(), getpeercert()), or None if the connection is not encrypted."""
        return self._engine.tls

    @property
    def compression(self) -> str | None:
        """What the connection is compressed by, "zlib" or "zstd"; None if it is not."""
        return self._engine.compression

    @property
    def on_progress(self) -> OnProgress | None:
        """What is called with the Progress (stage, max_stage, progress in percent, info) of a long statement; or None.

        MariaDB reports ALTER TABLE, LOAD DATA, CHECK TABLE and others every `progress_report_time` seconds (5, a system
        variable of the server's); MySQL reports nothing.

        It is called from where the world receives, which may be a hub or a loop: it must return soon, and wait for
        nothing. An exception in it is raised when the statement is over, and the
        connection lives; until then it is not called again.
        """
        return self._on_progress

    @on_progress.setter
    def on_progress(self, callback: OnProgress | None) -> None:
        self._on_progress = self._engine.progress.callback = callback

    # What the server says of the session, where it has session tracking: MySQL 5.7, MariaDB 10.2 and later

    @property
    def database(self) -> str | None:
        """The default database, as the server said last: of connecting, select_db() and USE alike."""
        return self._engine.tracked.schema

    @property
    def tracked_variables(self) -> Mapping[str, str]:
        """System variables of the session, as text: those that the server told of because they were set.

        By default it tracks autocommit, time_zone and the character sets; see `session_track_system_variables`.
        """
        return MappingProxyType(self._engine.tracked.variables)

    @property
    def last_gtids(self) -> str | None:
        """The GTIDs that the server told of last; None: none yet, or session_track_gtids="off".

        "own_gtid": of the last transaction that this connection committed. "all_gtids": all that the server has.
        MariaDB tells of the former.
        """
        return self._engine.tracked.gtids

    @property
    def transaction_state(self) -> TransactionState | None:
        """What the transaction has done so far; None where session_track_transaction_info="off"."""
        letters = self._engine.tracked.transaction_state
        return None if letters is None else transaction_state(letters)

    @property
    def transaction_characteristics(self) -> str | None:
        """SQL that begins a transaction like this one elsewhere; empty outside of a transaction.

        None unless session_track_transaction_info="characteristics".
        """
        return self._engine.tracked.transaction_characteristics

    @property
    def state_changes(self) -> int:
        """How often the server has said that a statement changed the session (session_track_state_change=True)."""
        return self._engine.tracked.changes

    def fileno(self) -> int:
        """The number of the socket. To be looked at, not to be read from."""
        return self._channel.fileno()

    # The end

    def close(self) -> None:
        """Say goodbye (COM_QUIT, for at most a second) and close. Closing twice is fine.

        An open transaction is rolled back by the server. Who waits for a result on this connection gets an error.
        From this call on the connection is closed, whatever becomes of the goodbye. A connection that a pool lent is
        returned to it instead.
        """
        if self._lent is not None:
            return self._go_back()
        channel: Any = _CLOSED
        if not self._channel.closed:
            channel, self._channel = self._channel, _CLOSED
        return close_channel(channel)

    def _go_back(self) -> None:
        """Return to the pool, which looks where this runs."""
        if self._lent is not None:
            self._lent.pool._give_back(self)

    def abort(self) -> None:
        """Close the socket now, without a word to the server, and wake who waits on it. Never blocks."""
        self._channel.abort()

    # A pool's

    def _reset_later(self) -> None:
        """Have the session reset in front of the next command: no round trip of its own."""
        engine, charset = self._engine, self._engine.charset
        engine.reset_later()
        if engine.charset != charset:
            self._speak(engine.charset.codec)

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


C = TypeVar("C", bound=Connection)
