"""The asynchronous face has the same behaviour, awaited."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable

import pytest
import trio

import mizzle
import mizzle.aio
from mizzle.testing import Server

InALoop = Callable[[Callable[[], Awaitable[None]]], None]
Work = Callable[[mizzle.aio.Connection], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio"])
def in_a_loop(request: pytest.FixtureRequest) -> InALoop:
    """How a program of that kind starts."""
    return trio.run if request.param == "trio" else lambda main: asyncio.run(main())


@pytest.fixture
def run(server: Server, in_a_loop: InALoop) -> Callable[[Work], None]:
    def run(work: Work, **changes: object) -> None:
        async def main() -> None:
            async with mizzle.aio.connect(**server.connect_args(**changes)) as conn:
                await work(conn)
            assert not conn.open

        in_a_loop(main)

    return run


def test_await_connect(server: Server, in_a_loop: InALoop) -> None:
    async def main() -> None:
        conn = await mizzle.aio.connect(**server.connect_args())
        await conn.ping()
        await conn.close()
        await conn.close()
        with pytest.raises(mizzle.InterfaceError, match="already closed"):
            await conn.ping()

    in_a_loop(main)


def test_a_connection_is_closed_from_the_call_of_close_on(server: Server, in_a_loop: InALoop) -> None:
    """Also where the goodbye is not awaited, as programs for aiomysql call it."""

    async def main() -> None:
        conn = await mizzle.aio.connect(**server.connect_args())
        goodbye = conn.close()
        assert not conn.open
        with pytest.raises(mizzle.InterfaceError, match="already closed"):
            await conn.ping()
        await goodbye

        conn = await mizzle.aio.connect(**server.connect_args())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            conn.close()  # type: ignore[unused-coroutine]
            assert caught.pop().category is RuntimeWarning  # which holds what was not awaited
            gc.collect()
            assert caught.pop().category is ResourceWarning
        with pytest.raises(mizzle.InterfaceError, match="already closed"):
            await conn.ping()

    in_a_loop(main)


def test_password_may_be_awaited(run: Callable[..., None], server: Server) -> None:
    async def password() -> str:
        async with mizzle.aio.connect(**server.connect_args()):  # any wait will do
            return server.password

    async def work(conn: mizzle.aio.Connection) -> None:
        await conn.ping()

    run(work, password=password)


def test_cursor(run: Callable[..., None]) -> None:
    async def work(conn: mizzle.aio.Connection) -> None:
        async with conn.cursor() as cur:
            assert await cur.execute("SELECT %s UNION ALL SELECT 2 UNION ALL SELECT 3", [1]) == 3
            assert await cur.fetchone() == (1,)
            assert [row async for row in cur] == [(2,), (3,)]
            assert await cur.fetchall() == []
        cur = await conn.execute("SELECT 1 AS a")
        assert await cur.fetchmany() == [(1,)]

    run(work)


def test_streaming(run: Callable[..., None]) -> None:
    async def work(conn: mizzle.aio.Connection) -> None:
        digits = "(SELECT 0 d" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
        sql = "SELECT REPEAT('x', 100) FROM " + ", ".join(f"{digits} {name}" for name in "abcd")
        async with conn.cursor(mizzle.aio.StreamingCursor) as cur:
            await cur.execute(sql)
            async for _ in cur:
                break
            assert await anext(cur) is not None
            with pytest.raises(mizzle.InterfaceError, match="StreamingCursor"):
                await conn.ping()
        await conn.ping()

    run(work)


def test_transaction(run: Callable[..., None]) -> None:
    async def work(conn: mizzle.aio.Connection) -> None:
        async with conn.transaction(), conn.transaction():
            assert conn.in_transaction
        assert not conn.in_transaction

    run(work, autocommit=True)


async def long(conn: mizzle.aio.Connection) -> None:
    async with conn.transaction():
        await conn.execute("SELECT SLEEP(30)")


async def until_it_sleeps(conn: mizzle.aio.Connection, server: Server) -> None:
    query = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s AND info LIKE '%%SLEEP%%'"
    async with mizzle.aio.connect(**server.connect_args()) as other:
        while await (await other.execute(query, [conn.thread_id()])).fetchone() != (1,):
            pass


def test_cancellation_in_a_transaction(server: Server) -> None:
    async def main() -> None:
        async with mizzle.aio.connect(**server.connect_args(autocommit=True)) as conn:
            task = asyncio.ensure_future(long(conn))
            await until_it_sleeps(conn, server)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_cancellation_of_a_scope_in_a_transaction(server: Server) -> None:
    async def main() -> None:
        connecting = mizzle.aio.connect(**server.connect_args(autocommit=True))
        async with connecting as conn, trio.open_nursery() as nursery:
            nursery.start_soon(long, conn)
            await until_it_sleeps(conn, server)
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_timeout(run: Callable[..., None]) -> None:
    async def work(conn: mizzle.aio.Connection) -> None:
        with pytest.raises(mizzle.OperationalError, match="timed out"):
            await conn.execute("SELECT SLEEP(20)", timeout=0.05)

    run(work)


def test_errors_of_connecting(in_a_loop: InALoop) -> None:
    async def main() -> None:
        with pytest.raises(mizzle.OperationalError) as caught:
            await mizzle.aio.connect(host="127.0.0.1", port=1, connect_timeout=5)
        assert caught.value.args[0] == 2003

    in_a_loop(main)
