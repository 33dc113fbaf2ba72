"""PEP 249's exceptions, what each carries, and which class an error number gets.

Knows error numbers and the words said about them. Knows nothing of packets, sockets or connections.

`args` is always `(errno, message)`, as PyMySQL and mysqlclient have it: SQLAlchemy reads the number from `args[0]`, and
the filters of oslo.db match on the text of that pair. Everything else is an attribute.
"""

from __future__ import annotations

import builtins
import socket
import sys

from mizzle.constants import errnos

__all__ = [
    "ConnectionClosed",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "MalformedPacket",
    "NotSupportedError",
    "OperationalError",
    "PoolClosed",
    "PoolTimeout",
    "ProgrammingError",
    "TooManyRequests",
    "Warning",
    "cannot_connect",
    "connection_closed",
    "connection_lost",
    "error_class",
    "hint_for",
    "malformed_packet",
    "server_error",
    "timed_out",
]


class Warning(builtins.Warning):
    """Important warnings, such as data truncated by an INSERT."""


class Error(Exception):
    """Base of all errors of this driver: `Error(errno, message)`."""

    #: The five characters of SQLSTATE, where the server sent them.
    sqlstate: str | None = None
    #: May any byte of the command have reached the server? False: it has certainly not run.
    sent: bool = True
    #: Is the connection still usable?
    alive: bool = True
    #: Which of the rows given to executemany() it is about, counted from 0, where that is known.
    row: int | None = None
    #: What to do about it, where that is known. Shown below a traceback (Python 3.11 and later).
    hint: str | None = None

    def __init__(
        self,
        *args: object,
        sqlstate: str | None = None,
        sent: bool = True,
        alive: bool = True,
        hint: str | None = None,
    ) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate
        self.sent = sent
        self.alive = alive
        self.hint = hint
        if hint is not None and sys.version_info >= (3, 11):
            self.add_note(f"Hint: {hint}")

    @property
    def errno(self) -> int:
        """The error number; 0 where there is none."""
        return self.args[0] if self.args and isinstance(self.args[0], int) else 0


class InterfaceError(Error):
    """The driver was used in a way that it cannot follow, such as a closed connection used again."""


class DatabaseError(Error):
    """Base of the errors that concern the database."""


class DataError(DatabaseError):
    """The data do not fit: out of range, too long, of the wrong type."""


class OperationalError(DatabaseError):
    """Something outside the program's control: no connection, lost connection, deadlock, missing rights."""


class IntegrityError(DatabaseError):
    """A key or constraint was violated."""


class InternalError(DatabaseError):
    """The server reports trouble of its own."""


class ProgrammingError(DatabaseError):
    """A mistake in the program: SQL syntax, no such table, wrong number of parameters."""


class NotSupportedError(DatabaseError):
    """The server or this driver does not have that feature."""


class MalformedPacket(OperationalError):
    """A packet from the server that is not what the protocol says; the connection is given up.

    `packet` names the kind of packet, `offset` the byte in its payload at which reading failed.
    """

    packet: str = ""
    offset: int = 0


class ConnectionClosed(InterfaceError):
    """A connection or cursor used after it was closed."""


class PoolTimeout(OperationalError):
    """A pool had no connection to give within the time."""


class TooManyRequests(OperationalError):
    """So many wait for a pool's connections already that one more may not: its max_waiting."""


class PoolClosed(OperationalError):
    """The pool is not open any more, or not yet."""


_CLASSES: dict[type[Error], tuple[int, ...]] = {
    ProgrammingError: (
        errnos.ER_DB_CREATE_EXISTS,
        errnos.ER_PARSE_ERROR,
        errnos.ER_WRONG_DB_NAME,
        errnos.ER_WRONG_TABLE_NAME,
        errnos.ER_FIELD_SPECIFIED_TWICE,
        errnos.ER_INVALID_GROUP_FUNC_USE,
        errnos.ER_UNSUPPORTED_EXTENSION,
        errnos.ER_TABLE_MUST_HAVE_COLUMNS,
        errnos.ER_NO_SUCH_TABLE,
        errnos.ER_SYNTAX_ERROR,
        errnos.ER_WRONG_COLUMN_NAME,
        errnos.ER_CANT_DO_THIS_DURING_AN_TRANSACTION,
    ),
    # 1366 is a DataError, as PyMySQL has it since 0.10 and mysqlclient always had it.
    DataError: (
        errnos.ER_PRIMARY_CANT_HAVE_NULL,
        errnos.ER_NO_DEFAULT,
        errnos.ER_WARN_NULL_TO_NOTNULL,
        errnos.ER_WARN_DATA_OUT_OF_RANGE,
        errnos.ER_WARN_DATA_TRUNCATED,
        errnos.ER_TRUNCATED_WRONG_VALUE_FOR_FIELD,
        errnos.ER_ILLEGAL_VALUE_FOR_TYPE,
        errnos.ER_DATA_TOO_LONG,
        errnos.ER_DATETIME_FUNCTION_OVERFLOW,
    ),
    IntegrityError: (
        errnos.ER_BAD_NULL_ERROR,
        errnos.ER_DUP_ENTRY,
        errnos.ER_CANNOT_ADD_FOREIGN,
        errnos.ER_NO_REFERENCED_ROW,
        errnos.ER_ROW_IS_REFERENCED,
        errnos.ER_ROW_IS_REFERENCED_2,
        errnos.ER_NO_REFERENCED_ROW_2,
    ),
    NotSupportedError: (
        errnos.ER_WARNING_NOT_COMPLETE_ROLLBACK,
        errnos.ER_NOT_SUPPORTED_YET,
        errnos.ER_UNKNOWN_STORAGE_ENGINE,
        errnos.ER_FEATURE_DISABLED,
    ),
}
_CLASS_BY_ERRNO = {errno: cls for cls, numbers in _CLASSES.items() for errno in numbers}

# The server closes the connection after these. MySQL says "Server shutdown in progress" of a KILL, too.
_LAST_WORDS = frozenset(
    {
        errnos.ER_SERVER_SHUTDOWN,
        errnos.ER_ABORTING_CONNECTION,
        errnos.ER_NET_PACKET_TOO_LARGE,
        errnos.ER_NEW_ABORTING_CONNECTION,
        errnos.ER_CONNECTION_KILLED,
        errnos.ER_CLIENT_INTERACTION_TIMEOUT,
    }
)

_HINTS = {
    errnos.ER_CON_COUNT_ERROR: "All of the server's max_connections are in use: use a pool, close idle connections, "
    "or raise max_connections.",
    errnos.ER_TOO_MANY_USER_CONNECTIONS: "This account has reached its max_user_connections.",
    errnos.ER_DBACCESS_DENIED_ERROR: "The account has no rights on that database, or it does not exist: "
    "see SHOW GRANTS.",
    errnos.ER_ACCESS_DENIED_ERROR: "Check user and password, and that an account exists for this user at this host, "
    "as the server names them in the message.",
    errnos.ER_NO_DB_ERROR: "Give database= when connecting, or select_db(), or write the database before the table.",
    errnos.ER_UNKNOWN_COM_ERROR: "A Galera node that has left its cluster answers like this.",
    errnos.ER_BAD_DB_ERROR: "Create the database first (connect without database= for that), or check its spelling.",
    errnos.ER_UNKNOWN_CHARACTER_SET: "This server lacks that character set: utf8mb4 is on every server since 5.5.",
    errnos.ER_UNKNOWN_COLLATION: "This server lacks that collation; MySQL's and MariaDB's differ. Leave collation= out "
    "to get the server's default.",
    errnos.ER_HOST_IS_BLOCKED: "Too many broken connections came from this host: run FLUSH HOSTS on the server.",
    errnos.ER_HOST_NOT_PRIVILEGED: "No account allows connections from this host: CREATE USER 'name'@'host'.",
    errnos.ER_NET_PACKET_TOO_LARGE: "Raise the server's max_allowed_packet, or send less in one statement.",
    errnos.ER_LOCK_WAIT_TIMEOUT: "Another transaction kept the lock for innodb_lock_wait_timeout seconds. Only this "
    "statement was rolled back; the transaction is still open.",
    errnos.ER_LOCK_DEADLOCK: "The whole transaction was rolled back: run it again from its beginning.",
    errnos.ER_NOT_SUPPORTED_AUTH_MODE: "The account's authentication plugin could not be agreed on: look at plugin in "
    "mysql.user, and give the account one that both sides have (ALTER USER).",
    errnos.ER_OPTION_PREVENTS_STATEMENT: "The server runs with the option that the message names: a replica is "
    "read-only.",
    errnos.ER_PLUGIN_IS_NOT_LOADED: "The account names an authentication plugin that this server does not have "
    "(mysql_native_password is gone from MySQL 9): ALTER USER ... IDENTIFIED WITH another one.",
    errnos.ER_MUST_CHANGE_PASSWORD: "The password has expired: ALTER USER USER() IDENTIFIED BY 'new password', on a "
    "connection with can_handle_expired_passwords=True.",
    errnos.ER_MUST_CHANGE_PASSWORD_LOGIN: "The password has expired; the server wants it changed first: connect with "
    "can_handle_expired_passwords=True and ALTER USER USER() IDENTIFIED BY 'new password'.",
    errnos.ER_AUTHENTICATION_REQUIRES_REGISTRATION: "The account has no credential yet: connect with "
    "can_handle_expired_passwords=True, then ALTER USER USER() 2 FACTOR INITIATE REGISTRATION, FINISH REGISTRATION.",
    errnos.ER_CONNECTION_KILLED: "Somebody ran KILL on this connection.",
    errnos.ER_SECURE_TRANSPORT_REQUIRED: 'The server takes encrypted connections only: ssl_mode="required".',
    errnos.ER_LOCAL_INFILE_DISABLED: "LOAD DATA LOCAL must be allowed on both sides: local_infile=True here, "
    "SET GLOBAL local_infile = ON there.",
    errnos.ER_NOT_ALLOWED_COMMAND: "LOAD DATA LOCAL must be allowed on both sides: local_infile=True here, "
    "SET GLOBAL local_infile = ON there.",
    errnos.ER_LOAD_INFILE_CAPABILITY_DISABLED: "LOAD DATA LOCAL must be allowed on both sides: local_infile=True here, "
    "SET GLOBAL local_infile = ON there.",
    errnos.ER_CLIENT_INTERACTION_TIMEOUT: "The connection was idle for longer than the server's wait_timeout.",
    errnos.CR_AUTH_PLUGIN_CANNOT_LOAD: "Give the account an authentication plugin that mizzle has: "
    "ALTER USER ... IDENTIFIED WITH caching_sha2_password (MariaDB: ed25519 or mysql_native_password).",
}
_NO_PASSWORD = "No password was sent: give password=."
_NOT_UTF8MB4 = (
    "The column's character set does not have these characters (utf8mb3 holds no emoji): convert it to utf8mb4."
)


def error_class(errno: int, message: str = "") -> type[Error]:
    """The exception class for a server's error number.

    PyMySQL's mapping: numbers below 1000 are InternalError, all that have no better place OperationalError.
    """
    if errno == errnos.ER_LOCK_DEADLOCK and "detected deadlock/conflict" in message:
        # Galera's certification failure. oslo.db retries it as a deadlock only as InternalError; the other texts of
        # 1213 in either class.
        return InternalError
    return _CLASS_BY_ERRNO.get(errno, InternalError if errno < 1000 else OperationalError)


def hint_for(errno: int, message: str = "") -> str | None:
    """What to do about a well-known error, in a sentence; None where there is nothing useful to say."""
    if errno == errnos.ER_ACCESS_DENIED_ERROR and "using password: NO" in message:
        return _NO_PASSWORD
    if errno == errnos.ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
        return _NOT_UTF8MB4 if message.startswith("Incorrect string value") else None
    return _HINTS.get(errno)


def server_error(errno: int, sqlstate: str | None, message: str) -> Error:
    """The exception for an ERR packet."""
    return error_class(errno, message)(
        errno, message, sqlstate=sqlstate, alive=errno not in _LAST_WORDS, hint=hint_for(errno, message)
    )


def connection_lost(message: str, *, cause: BaseException | None, sent: bool) -> OperationalError:
    """A connection that ended in the middle of its work; `message` says how, `sent` whether a command may have run."""
    reason = _describe(cause)
    text = f"Lost connection to the server: {message}{f' ({reason})' if reason else ''}; "
    text += "the command may have been carried out" if sent else "nothing of the command was sent"
    error = OperationalError(errnos.CR_SERVER_LOST, text, sent=sent, alive=False)
    error.__cause__ = cause
    return error


def timed_out(message: str, *, sent: bool, in_transaction: bool) -> OperationalError:
    """For a command that was not answered in time, on a connection that may outlive it.

    The number is the server's own for that: 2013 would say that the connection is gone.
    """
    hint = "The transaction that was open is still open, without this statement: roll it back or go on."
    return OperationalError(errnos.ER_QUERY_TIMEOUT, message, sent=sent, hint=hint if in_transaction else None)


def connection_closed(why: str, what: str = "connection") -> ConnectionClosed:
    """For a connection (or cursor) that is used after its end; `why` says what ended it."""
    return ConnectionClosed(0, f"The {what} is already closed: {why}", sent=False, alive=False)


def malformed_packet(packet: str, offset: int, problem: str) -> MalformedPacket:
    """For a packet that cannot be what the server says; `problem` finishes the sentence 'malformed X at byte N: '."""
    error = MalformedPacket(
        errnos.CR_MALFORMED_PACKET, f"Malformed {packet} packet at byte {offset}: {problem}", alive=False
    )
    error.packet = packet
    error.offset = offset
    return error


def cannot_connect(
    cause: BaseException,
    *,
    host: str | None = None,
    port: int | None = None,
    unix_socket: str | None = None,
    timeout: float | None = None,
) -> OperationalError:
    """For a connection that never came about: 2002 on a Unix socket, 2005 for an unknown host, else 2003."""
    reason = _describe(cause)
    if isinstance(cause, TimeoutError) and timeout is not None:
        reason = f"no connection within {timeout:g} s"
    hint = None
    if unix_socket is not None:
        errno, text = errnos.CR_CONNECTION_ERROR, f"Can't connect to local MySQL server through socket {unix_socket!r}"
        if isinstance(cause, (FileNotFoundError, ConnectionRefusedError)):
            hint = "No server listens on that socket: is it running, and is this its socket (SELECT @@socket)?"
    elif isinstance(cause, socket.gaierror):
        errno, text = errnos.CR_UNKNOWN_HOST, f"Unknown MySQL server host {host!r}"
    else:
        errno, text = errnos.CR_CONN_HOST_ERROR, f"Can't connect to MySQL server on '{host}:{port}'"
        if isinstance(cause, ConnectionRefusedError):
            hint = "Nothing listens there: is the server running, with this port and without skip-networking?"
    error = OperationalError(errno, f"{text} ({reason})", sent=False, alive=False, hint=hint)
    error.__cause__ = cause
    return error


def _describe(cause: BaseException | None) -> str:
    """The cause in a few words, for a message's brackets."""
    if cause is None:
        return ""
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(cause, TimeoutError):
        return str(cause) or "timed out"
    return str(cause) or type(cause).__name__
