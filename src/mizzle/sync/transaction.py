# Generated from src/mizzle/aio/transaction.py by tools/unasync.py: change that file, then run the tool.
"""`conn.transaction()`: a block of statements that is committed whole or rolled back whole.

Knows: the SQL of transactions and savepoints, and what the server's status says about them. Must not know: packets,
worlds, cursors.
"""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import TYPE_CHECKING

from mizzle import errors
from mizzle.constants import errnos

if TYPE_CHECKING:
    from mizzle.sync.connection import Connection

ISOLATION_LEVELS = ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def isolation_level(name: str) -> str:
    """The level as SQL has it; `read_committed` and `read-committed` are understood too."""
    level = name.upper().replace("_", " ").replace("-", " ")
    if level not in ISOLATION_LEVELS:
        raise errors.ProgrammingError(
            0, f"isolation={name!r} is not known; there are: {', '.join(ISOLATION_LEVELS).lower()}", sent=False
        )
    return level


class Transaction:
    """A transaction, or a savepoint inside one; made by `Connection.transaction()`.

    The outermost block is START TRANSACTION … COMMIT, a block inside it SAVEPOINT … RELEASE SAVEPOINT. Any exception
    that leaves a block, also KeyboardInterrupt, a cancellation or a green thread's timeout, rolls it back and goes on.
    A block can be used once.
    """

    def __init__(self, connection: Connection, isolation: str | None = None, readonly: bool = False) -> None:
        self._connection = connection
        self._isolation = None if isolation is None else isolation_level(isolation)
        self._readonly = readonly
        self._savepoint: str | None = None
        self._entered = False
        self._lost: BaseException | None = None

    def __enter__(self) -> Transaction:
        connection = self._connection
        if self._entered:
            raise errors.ProgrammingError(0, "A transaction() block can be entered once: make another", sent=False)
        if connection._blocks:
            self._begin_nested()
        else:
            self._begin_outermost()
        self._entered = True
        connection._blocks = (*connection._blocks, self)
        return self

    def _begin_outermost(self) -> None:
        connection = self._connection
        if connection.in_transaction:
            raise errors.ProgrammingError(
                0,
                "transaction() cannot begin: a transaction is already open on this connection",
                sent=False,
                hint="commit() or roll it back first. Without autocommit every statement opens one: "
                "connect(autocommit=True) goes best with transaction().",
            )
        if self._isolation is not None:
            connection._statement(f"SET TRANSACTION ISOLATION LEVEL {self._isolation}")
        connection._statement("START TRANSACTION READ ONLY" if self._readonly else "START TRANSACTION")

    def _begin_nested(self) -> None:
        connection = self._connection
        if self._isolation is not None or self._readonly:
            raise errors.ProgrammingError(
                0,
                "isolation= and readonly= belong to the outermost transaction() block, this one is nested",
                sent=False,
            )
        if not connection.in_transaction:
            raise errors.ProgrammingError(
                0,
                "A nested transaction() block cannot begin: the transaction of the block around it has ended",
                sent=False,
                hint="DDL and some other statements commit implicitly: keep them out of transaction() blocks.",
            )
        savepoint = f"mizzle_{len(connection._blocks)}"
        connection._statement(f"SAVEPOINT {savepoint}")
        self._savepoint = savepoint

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection = self._connection
        if not connection._blocks or connection._blocks[-1] is not self:
            raise errors.ProgrammingError(0, "transaction() blocks must be left in the opposite order", sent=False)
        connection._blocks = connection._blocks[:-1]
        if error is not None:
            self._roll_back(error)
            return
        try:
            self._finish()
        except BaseException as failure:
            self._roll_back(failure)
            raise

    def _finish(self) -> None:
        connection = self._connection
        if connection._stream is not None:
            connection._finish_stream()
        if self._lost is not None:
            raise errors.OperationalError(
                errnos.ER_LOCK_DEADLOCK,
                "The server rolled this transaction back while a block inside it ran; nothing of it was committed",
                sent=True,
                hint="Run the whole outermost transaction() block again.",
            ) from self._lost
        # After an implicit commit (DDL) nothing is open: there is nothing left to commit or to release.
        if connection.in_transaction:
            connection._statement("COMMIT" if self._savepoint is None else f"RELEASE SAVEPOINT {self._savepoint}")

    def _roll_back(self, reason: BaseException) -> None:
        """Undo what can be undone; `reason` is on its way out and stays the error that the program sees."""
        connection = self._connection
        if not connection.open:
            return
        try:
            if connection._stream is not None:
                connection._finish_stream()
            if connection.in_transaction:
                undo = "ROLLBACK" if self._savepoint is None else f"ROLLBACK TO SAVEPOINT {self._savepoint}"
                connection._statement(undo)
                return
        except errors.Error as failure:
            if self._savepoint is not None and failure.errno == errnos.ER_SP_DOES_NOT_EXIST:
                connection._transaction_lost(reason)
            else:
                # A connection on which this fails must not be used on, with half a transaction open.
                connection.abort()
            return
        if self._lost is not None:
            return
        warnings.warn(
            "a transaction() block failed, but a statement in it had already ended the transaction (an implicit commit "
            "by DDL, or COMMIT or ROLLBACK as SQL): what that committed stays",
            errors.Warning,
            stacklevel=3,
        )
