"""Cursors whose result the server keeps.

Knows: COM_STMT_EXECUTE with CURSOR_TYPE_READ_ONLY, and that each batch of rows is a command of its own. Must not know:
packets, worlds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mizzle import errors
from mizzle.aio import statement
from mizzle.aio.cursor import Args, Infile, OnProgress
from mizzle.aio.streaming import StreamingCursor
from mizzle.constants.cursor_types import CURSOR_TYPE_READ_ONLY
from mizzle.constants.status import SERVER_STATUS_CURSOR_EXISTS, SERVER_STATUS_LAST_ROW_SENT
from mizzle.engine import statements
from mizzle.rows import dict_row

if TYPE_CHECKING:
    from mizzle.engine.conversations import Result
    from mizzle.engine.prepared import Prepared

Row = TypeVar("Row")


class ServerCursor(StreamingCursor[Row]):
    """A cursor that asks the server for some rows at a time, while the connection is free for others in between.

    The server executes the statement as a prepared one and keeps its result in a temporary table, on its disk if it is
    long: what StreamingCursor is spared, at the price of the connection. Closing the cursor, reset() and change_user()
    end it; a commit or rollback does not.
    """

    #: How many rows the server is asked for at once.
    fetch_size = 1000

    _statement: Prepared | None = None
    _more = False

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
        """Run one statement, which the server prepares whatever `prepare` says; returns `rowcount`, -1 for rows.

        A statement that gives no rows, or that the server has no cursor for (SHOW, CALL), is executed as by Cursor.
        """
        del prepare, on_progress  # which is for statements that give no rows
        if infile is not None:
            raise errors.NotSupportedError(0, "LOAD DATA cannot be prepared: use a Cursor for it", sent=False)
        connection = self._use()
        await self._finish()
        if connection._stream is not None:
            await connection._settle_stream()
        self._timeout = timeout
        seconds = connection.timeout if timeout is None else timeout
        try:
            prepared = statement.make_statement(
                connection, query if args is not None else statement.unformatted(query), True
            )
            assert prepared is not None
            self._statement = prepared
            result = await statement.run(
                connection, prepared, args or (), seconds, True, flags=CURSOR_TYPE_READ_ONLY, attributes=attributes
            )
        except BaseException as error:
            self._forget()
            connection._failed(error)
            raise
        assert result is not None
        return self._show(result)

    def _show(self, result: Result) -> int:
        self._result = result
        self._passed = 0
        self._more = bool(result.status_flags & SERVER_STATUS_CURSOR_EXISTS)
        self._take(result.rows or [])
        self.rowcount = result.affected_rows if result.rows is None else -1 if self._more else len(result.rows)
        self._use()._counts = (self.rowcount, result.last_insert_id, result.warning_count)
        return self.rowcount

    async def _next_batch(self) -> bool:
        """Have rows in hand again; False at the end of the result."""
        connection = self._use()
        if self._result is None:
            next(self._iterator)
        if not self._more or self._statement is None or self._result is None:
            return False
        self._passed += len(self._batch)
        self._take([])
        if self._statement.session != connection._engine.session:
            raise errors.ProgrammingError(
                0, "The server has given up this cursor's result: the session was reset", sent=False
            )
        conversation = statements.fetch(connection._engine, self._statement, self._result, self.fetch_size)
        batch = await connection._run(conversation, self._timeout)
        self._more = not self._result.status_flags & SERVER_STATUS_LAST_ROW_SENT
        self._take(batch)
        return bool(batch) or self._more

    async def nextset(self) -> bool | None:
        """Go to the next result of a CALL: True, or None if there is none."""
        self._use()
        following = None if self._result is None else self._result.next
        if following is None:
            return None
        if isinstance(following, errors.Error):
            self._forget()
            raise following
        self._show(following)
        return True

    async def _finish(self) -> None:
        """Have the server drop the result: it is told with the next command."""
        prepared, self._statement = self._statement, None
        self._more = False
        if prepared is not None and self.connection is not None and self.connection.open:
            statements.forget(self.connection._engine, prepared)
        self._forget()


class ServerDictCursor(ServerCursor[dict[str, Any]]):
    """A ServerCursor whose rows are dicts by column name."""

    row_factory = staticmethod(dict_row)
