# Generated from src/mizzle/aio/streaming.py by tools/unasync.py: change that file, then run the tool.
"""Cursors that hold one batch of a result's rows, for results that memory should not hold.

Knows: how the rest of a result is fetched, and that the connection is taken until then. Must not know: packets, worlds.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from mizzle import errors
from mizzle.sync import statement
from mizzle.sync.cursor import Args, Cursor, Infile, OnProgress
from mizzle.sync.iteration import END, Batches
from mizzle.rows import dict_row

if TYPE_CHECKING:
    from mizzle.engine.conversations import Result

Row = TypeVar("Row")


class StreamingCursor(Batches[Row], Cursor[Row]):
    """A cursor that reads rows as they are asked for (PyMySQL's SSCursor): one batch at a time is in memory.

    Until its last row was fetched, or it is closed, no other statement can run on the connection. Closing reads and
    drops the rows that are left. `rowcount` is -1: the server does not say how many rows there will be.
    """

    _timeout: float | None = None
    _passed = 0

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
    ) -> int:
        """Run one statement (COM_QUERY) and read the head of its result; returns `rowcount`.

        `timeout`, in seconds, holds for this call and for each later one that fetches rows of this result. Everything
        else is as in `Cursor.execute`; `on_progress` is for this call.
        """
        connection = self._use()
        self._finish()
        if connection._stream is not None:
            connection._settle_stream()
        self._timeout = timeout
        result = None
        if on_progress is not None:
            connection._engine.progress.callback = on_progress
        try:
            if infile is None and (prepare or (args is not None and prepare is None and connection._prepares)):
                seconds = connection.timeout if timeout is None else timeout
                result = statement.execute(connection, query, args, seconds, prepare, True, attributes)
            if result is None:
                conversation = connection._engine.stream(
                    connection._literals.statement(query, args, connection._engine.no_backslash_escapes),
                    None if infile is None else connection._sender(infile),
                    None if attributes is None else connection._attributes(attributes),
                )
                result = connection._run(conversation, timeout)
        except BaseException as error:
            self._forget()
            connection._failed(error)
            raise
        finally:
            if on_progress is not None:
                connection._engine.progress.callback = connection.on_progress
        return self._show(result)

    def _show(self, result: Result) -> int:
        connection = self._use()
        self._result = result
        self._passed = 0
        self._take([])
        self.rowcount = -1 if result.columns is not None else result.affected_rows
        connection._counts = (self.rowcount, result.last_insert_id, result.warning_count)
        if connection._engine.streaming:
            connection._stream = result
            connection._streamer = weakref.ref(self)
        return self.rowcount

    def _take(self, batch: list[Any]) -> None:
        """Make `batch` the rows in hand."""
        self._batch = batch
        self._source = source = iter(batch)
        factory = self.row_factory
        if factory is None or self._result is None or self._result.columns is None:
            self._iterator = source
        else:
            self._iterator = map(self._maker(factory, self._result), source)

    def _maker(self, factory: Any, result: Result) -> Any:
        """The row maker of this result: factories are called once for each."""
        if self._made_for is not result:
            self._made_for = result
            self._make = factory(result.columns)
        return self._make

    _made_for: Result | None = None
    _make: Any = None

    def _next_batch(self) -> bool:
        """Have rows in hand again; False at the end of the result."""
        connection = self._use()
        result = self._result
        if result is None:
            next(self._iterator)
            return False
        if connection._stream is not result or result.finished:
            return False
        self._passed += len(self._batch)
        self._take([])
        try:
            batch = connection._channel.run(
                connection._engine.fetch_batch(result), connection.timeout if self._timeout is None else self._timeout
            )
        except BaseException as error:
            connection._stream = None
            connection._failed(error)
            raise
        if not connection._engine.streaming:
            connection._stream = None
        self._take(batch)
        return bool(batch)

    def fetchone(self) -> Row | None:
        """The next row; None when there is none left, or the statement had no result."""
        row: Row = next(self._iterator, END)
        while row is END:
            if not self._next_batch():
                return None
            row = next(self._iterator, END)
        return row

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows (default: `arraysize`); fewer at the end, then none."""
        size = self.arraysize if size is None else size
        rows = list(islice(self._iterator, size))
        while len(rows) < size and self._next_batch():
            rows.extend(islice(self._iterator, size - len(rows)))
        return rows

    def fetchall(self) -> list[Row]:
        """All rows that are left, in memory."""
        rows = list(self._iterator)
        while self._next_batch():
            rows.extend(self._iterator)
        return rows

    def scroll(self, value: int, mode: str = "relative") -> None:
        """Move forward by `value` rows, or with mode="absolute" to row `value`; backwards is NotSupportedError."""
        left = self._target(value, mode) - self.rownumber
        if left < 0:
            raise errors.NotSupportedError(0, "A StreamingCursor cannot scroll backwards", sent=False)
        while left:
            before = self.rownumber
            next(islice(self._source, left, left), None)
            left -= self.rownumber - before
            if left and not self._next_batch():
                raise IndexError(f"row {value} ({mode}) is behind the end of the result")

    def nextset(self) -> bool | None:
        """Drop what is left of this result and go to the next: True, or None if there is none.

        Where that is a statement that failed its error is raised; the connection lives.
        """
        connection = self._use()
        result = self._result
        if result is None or connection._stream is not result:
            return None
        connection._stream = None
        try:
            if not result.finished:
                connection._run(connection._engine.skip_rows(result))
            following = None
            if connection._engine.streaming:
                following = connection._run(connection._engine.next_result(result))
        except BaseException as error:
            self._forget()
            connection._failed(error)
            raise
        if following is None:
            return None
        self._show(following)
        return True

    @property
    def rownumber(self) -> int:
        """The 0-based index of the next row in the result."""
        if self._result is None:
            return 0
        return self._passed + len(self._batch) - operator.length_hint(self._source)

    def close(self) -> None:
        """Read and drop the rows that are left, so that the connection is free again. Closing twice is fine."""
        try:
            self._finish()
        finally:
            super().close()

    def _finish(self) -> None:
        """Leave the connection in order: nothing of this cursor's result is on the wire any more."""
        connection = self.connection
        if connection is not None and self._result is not None and connection._stream is self._result:
            self._forget()
            connection._finish_stream()
        self._forget()


class StreamingDictCursor(StreamingCursor[dict[str, Any]]):
    """A StreamingCursor whose rows are dicts by column name."""

    row_factory = staticmethod(dict_row)


def still_streaming() -> NoReturn:
    """Refuse a command on a connection from which a StreamingCursor is still reading."""
    raise errors.InterfaceError(
        0,
        "A StreamingCursor has not fetched all of its rows yet: nothing else can run on this connection until then",
        sent=False,
        hint="Fetch the rest or close() that cursor first, or use another connection.",
    )
