"""mizzle.aio as SQLAlchemy's asyncio extension wants it: functions that wait by switching greenlets.

Knows: sqlalchemy.connectors.asyncio and mizzle.aio. Must not know: dialects, engines, packets.

A buffered cursor has all of its rows when execute() is done: fetching and closing never wait, so they need no greenlet
(`_at_once`), and the rows stay where they are.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any

from sqlalchemy.connectors.asyncio import (
    AsyncAdapt_dbapi_connection,
    AsyncAdapt_dbapi_cursor,
    AsyncAdapt_dbapi_module,
    AsyncAdapt_dbapi_ss_cursor,
    AsyncAdapt_terminate,
)
from sqlalchemy.util.concurrency import await_only

import mizzle
from mizzle import aio


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError("a buffered cursor waited where all its rows were there")


class AsyncCursor(AsyncAdapt_dbapi_cursor):
    """aio.Cursor."""

    __slots__ = ()

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor = self._make_new_cursor(self._connection)

    @property
    def description(self) -> Any:
        return self._cursor.description

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        return await_only(self._execute_async(operation, parameters))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        return await_only(self._executemany_async(operation, seq_of_parameters))

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            return await self._cursor.execute(operation, parameters)

    def callproc(self, procname: str, args: Any = ()) -> Any:
        return await_only(self._cursor.callproc(procname, args))

    def nextset(self) -> Any:
        return await_only(self._cursor.nextset())

    def setinputsizes(self, *inputsizes: Any) -> None:
        """Does nothing, as PEP 249 allows."""

    async def _async_soft_close(self) -> None:
        """Nothing: the rows need no connection."""

    def close(self) -> None:
        _at_once(self._cursor.close())

    def fetchone(self) -> Any:
        return _at_once(self._cursor.fetchone())

    def fetchmany(self, size: int | None = None) -> Any:
        return _at_once(self._cursor.fetchmany(size))

    def fetchall(self) -> Any:
        return _at_once(self._cursor.fetchall())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchone, None)


class AsyncStreamingCursor(AsyncAdapt_dbapi_ss_cursor, AsyncCursor):
    """aio.StreamingCursor: fetching waits."""

    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection.cursor(aio.StreamingCursor)

    def close(self) -> None:
        await_only(self._cursor.close())

    def fetchone(self) -> Any:
        return await_only(self._cursor.fetchone())

    def fetchmany(self, size: int | None = None) -> Any:
        return await_only(self._cursor.fetchmany(size))

    def fetchall(self) -> Any:
        return await_only(self._cursor.fetchall())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchone, None)


class AsyncConnection(AsyncAdapt_terminate, AsyncAdapt_dbapi_connection):
    """aio.Connection."""

    __slots__ = ()

    _cursor_cls = AsyncCursor
    _ss_cursor_cls = AsyncStreamingCursor

    def ping(self) -> None:
        await_only(self._connection.ping())

    def character_set_name(self) -> str:
        return str(self._connection.character_set_name())

    def autocommit(self, value: bool) -> None:
        await_only(self._connection.autocommit(value))

    def get_autocommit(self) -> bool:
        return bool(self._connection.get_autocommit())

    async def _terminate_graceful_close(self) -> None:
        await self._connection.close()  # type: ignore[no-untyped-call, unused-ignore]

    def _terminate_force_close(self) -> None:
        self._connection.abort()


class AsyncModule(AsyncAdapt_dbapi_module):
    """mizzle's DB-API module with a connect() that waits in SQLAlchemy's greenlets."""

    def __init__(self) -> None:
        self.driver = self.dbapi_module = mizzle

    def __getattr__(self, key: str) -> Any:
        return getattr(mizzle, key)

    def connect(self, async_creator_fn: Any = aio.connect, **keywords: Any) -> AsyncConnection:
        return AsyncConnection(self, await_only(async_creator_fn(**keywords)))
