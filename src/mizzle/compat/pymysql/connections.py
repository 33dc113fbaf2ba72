"""PyMySQL's Connection: mizzle's, made by its class and able to connect again when it is told to.

Knows: PyMySQL's arguments, attributes and methods. Must not know: packets, worlds.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from mizzle import errors, sync
from mizzle.compat.pymysql import converters
from mizzle.compat.pymysql.cursors import Cursor, SSCursor, left_incomplete
from mizzle.compat.pymysql.given import GivenSocket
from mizzle.constants import errnos
from mizzle.engine.conversations import Engine
from mizzle.engine.literals import Literals
from mizzle.options import connect_options
from mizzle.sync.connecting import open_session
from mizzle.sync.connection import ClosedChannel

DEFAULT_CHARSET = "utf8mb4"
#: In which words a server ends a connection that nobody uses, and what PyMySQL's users look for instead.
_ENDED = {errnos.ER_CLIENT_INTERACTION_TIMEOUT, errnos.ER_CONNECTION_KILLED}
_POSITIONS = ("host", "user", "password", "database", "port", "unix_socket")


class Connection(sync.Connection):
    """`pymysql.connect`, `pymysql.Connection`: making one connects, unless `defer_connect`.

    The keywords are those of `mizzle.connect`; up to six positions are host, user, password, database, port and
    unix_socket. `conv` is a changed copy of `converters.conversions`.
    """

    def __init__(self, *args: Any, defer_connect: bool = False, **keywords: Any) -> None:
        conv = converters.conversions if keywords.get("conv") is None else keywords["conv"]
        self._given_encoders = {key: encoder for key, encoder in conv.items() if isinstance(key, type)}
        options = connect_options(**_keywords(args, keywords))
        if defer_connect:
            engine = Engine(options, secure=False, password=b"")
            super().__init__(ClosedChannel("connect() it first (defer_connect=True)"), engine, options)
        else:
            channel = open_session(options)
            super().__init__(channel, channel.engine, options)

    def connect(self, sock: Any = None) -> None:
        """Connect, anew where it is connected; a new session, with what was chosen for the last one.

        A plain socket that is connected to a server may be given: it is taken over.
        """
        self.abort()
        kept = self.cursorclass, self.row_factory, self.timeout
        channel = open_session(self._options) if sock is None else GivenSocket(sock).open_session(self._options)
        super().__init__(channel, channel.engine, self._options)
        self.cursorclass, self.row_factory, self.timeout = kept
        self._was_closed = False

    def ping(self, reconnect: bool = False, *, timeout: float | None = None) -> None:
        """Ask for a sign of life. With `reconnect`, and only then, a connection that is gone is made anew.

        What was open in the old session is lost: where that was a transaction, a warning says so.
        """
        try:
            super().ping(timeout=timeout)
        except errors.Error as error:
            if not reconnect or error.alive:
                raise
            lost = self.broken is not None and self._engine.in_transaction
            self.connect()
            if lost:
                warnings.warn(
                    "ping(reconnect=True) made a new connection: the old one was lost with a transaction open, "
                    "which the server has rolled back",
                    errors.Warning,
                    stacklevel=2,
                )

    def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        """Execute a statement on a cursor of its own, `_result`; returns the rows affected."""
        self._result = self.cursor(SSCursor if unbuffered else Cursor)
        return self._result.execute(sql)

    def next_result(self, unbuffered: bool = False) -> int:  # noqa: ARG002 (what it was, it stays)
        """Go on to the next result of query(); returns its rows affected."""
        if self._result is not None:
            self._result.nextset()
        return self.affected_rows()

    _result: Cursor | None = None

    # What connect() has to bring back

    def autocommit(self, value: bool) -> None:
        """Switch autocommit, for later sessions too."""
        super().autocommit(value)
        self._options = replace(self._options, autocommit=bool(value))

    def select_db(self, db: str) -> None:
        """Make `db` the default database, for later sessions too."""
        super().select_db(db)
        self._options = replace(self._options, database=db)

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Change the character set, for later sessions too."""
        super().set_charset(charset, collation)
        self._options = replace(self._options, charset=self.character_set_name(), collation=collation)

    def set_charset(self, charset: str, collation: str | None = None) -> None:
        """The same, by the name that PyMySQL gives up."""
        warnings.warn("'set_charset' is deprecated, use 'set_character_set' instead", DeprecationWarning, stacklevel=2)
        self.set_character_set(*(charset, collation) if collation is not None else (charset,))

    def escape(self, obj: Any, mapping: Any = None) -> str:
        """The value as a literal; `mapping` is a `conv` of other encoders."""
        if isinstance(obj, Mapping):
            raise TypeError("dict can not be used as parameter")
        if isinstance(obj, str) and (type(obj) is str or type(obj) not in (mapping or self.encoders)):
            return f"'{self.escape_string(obj)}'"
        if mapping is None or isinstance(obj, (bytes, bytearray)):
            return super().escape(obj)
        if type(obj) in {tuple, list, set, frozenset}:
            return "(" + ",".join(str(self.escape(item, mapping)) for item in obj) + ")"
        return str(converters.escape_item(obj, self.charset, mapping))

    literal = escape

    def escape_string(self, text: str) -> str:
        """The text as it stands between quotes, be they single or double: with backslashes, where the session has them.

        What execute() is given as arguments is written with two quotes for one, which is right in every session.
        """
        return text.replace("'", "''") if self._engine.no_backslash_escapes else converters.escape_string(text)

    @property
    def encoders(self) -> MutableMapping[Any, Any]:
        """By type what writes its values; a new entry counts from the next statement on."""
        if self._written_by is None:
            self._written_by = _Encoders(self)
        return self._written_by

    _written_by: _Encoders | None = None

    def _encode_by(self, encoders: Mapping[Any, Any]) -> None:
        changed = converters.changes({**converters.decoders, **encoders})
        self._encoders = {key: encoder for key, encoder in changed.items() if isinstance(key, type)}
        self._literals = Literals(self.encoding, self._encoders)

    def close(self) -> None:
        """Say goodbye and close; Error the second time, as in PyMySQL."""
        if self._was_closed:
            raise errors.Error(0, "Already closed", sent=False)
        super().close()
        self._was_closed = True

    _was_closed = False

    def _failed(self, error: BaseException) -> None:
        """A connection that the server ended is 2013, "lost", to PyMySQL's users; the server's words stay."""
        super()._failed(error)
        if isinstance(error, errors.Error) and error.errno in _ENDED:
            number, words = error.args
            error.args = errnos.CR_SERVER_LOST, f"Lost connection to MySQL server during query ({number}: {words})"

    def _settle_stream(self) -> None:
        """As in PyMySQL: what an SSCursor has not fetched is dropped, with a warning."""
        if self._streamer is not None and self._streamer() is not None:
            left_incomplete()
        self._finish_stream()

    # Attributes

    @property
    def _closed(self) -> bool:
        return not self.open

    @property
    def host(self) -> str:
        """As it was given."""
        return self._options.host

    @property
    def port(self) -> int:
        """As it was given."""
        return self._options.port

    @property
    def unix_socket(self) -> str | None:
        """As it was given."""
        return self._options.unix_socket

    @property
    def user(self) -> str:
        """As it was given."""
        return self._options.user

    @property
    def db(self) -> str | None:
        """The database of the session."""
        return self._options.database

    @property
    def charset(self) -> str:
        """The character set of the session."""
        return self.character_set_name()

    @property
    def collation(self) -> str | None:
        """As it was given."""
        return self._options.collation

    @property
    def use_unicode(self) -> bool:
        """As it was given."""
        return self._options.use_unicode

    @property
    def client_flag(self) -> int:
        """As it was given."""
        return self._options.client_flag

    @property
    def connect_timeout(self) -> float | None:
        """As it was given."""
        return self._options.connect_timeout

    @property
    def init_command(self) -> str | None:
        """As it was given."""
        return self._options.init_command

    @property
    def sql_mode(self) -> str | None:
        """As it was given."""
        return self._options.sql_mode

    @property
    def autocommit_mode(self) -> bool | None:
        """As it was chosen last; None: the server's default."""
        return self._options.autocommit

    @property
    def max_allowed_packet(self) -> int:
        """As it was given."""
        return self._options.max_allowed_packet

    @property
    def server_status(self) -> int:
        """The flags of the server's last answer: constants.SERVER_STATUS."""
        return self._engine.status_flags

    @property
    def server_thread_id(self) -> tuple[int]:
        """The number of the connection."""
        return (self.thread_id(),)

    protocol_version = 10


class _Encoders(dict[Any, Any]):
    """The encoders of a connection, which is told of every change."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection._given_encoders)
        self._connection = connection

    def __setitem__(self, key: Any, encoder: Any) -> None:
        super().__setitem__(key, encoder)
        self._connection._encode_by(self)

    def update(self, *args: Any, **keywords: Any) -> None:
        super().update(*args, **keywords)
        self._connection._encode_by(self)


def _keywords(args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords for mizzle, from what PyMySQL takes."""
    if len(args) > len(_POSITIONS):
        raise TypeError(f"Connection() takes at most {len(_POSITIONS)} positions, the others as keywords")
    given = dict(zip(_POSITIONS, args, strict=False))
    if twice := given.keys() & keywords.keys():
        raise TypeError(f"Connection() got {', '.join(sorted(twice))} twice")
    given |= keywords
    if not given.get("cursorclass"):
        given["cursorclass"] = Cursor
    given["conv"] = converters.changes(given.get("conv")) or None
    if (file := given.get("read_default_file")) and not os.path.exists(os.path.expanduser(file)):
        del given["read_default_file"]  # as PyMySQL has it, a file need not be there
    return given


__all__ = ["DEFAULT_CHARSET", "Connection"]
