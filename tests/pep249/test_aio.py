"""The asynchronous face has the same behaviour, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

import mizzle
import mizzle.aio
from mizzle.testing import Server

Work = Callable[[mizzle.aio.Connection], Awaitable[None]]


@pytest.fixture
def run(server: Server) -> Callable[[Work], None]:
    def run(work: Work, **changes: object) -> None:
        async def main() -> None:
            async with mizzle.aio.connect(**server.connect_args(**changes)) as conn:
                await work(conn)
            assert not conn.open

        asyncio.run(main())

    return run


def test_await_connect(server: Server) -> None:
    async def main() -> None:
        conn = await mizzle.aio.connect(**server.connect_args())
        await conn.ping()
        await conn.close()
        await conn.close()
        with pytest.raises(mizzle.InterfaceError, match="already closed"):
            await conn.ping()

    asyncio.run(main())


def test_password_may_be_awaited(run: Callable[..., None], server: Server) -> None:
    async def password() -> str:
        await asyncio.sleep(0)
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


def test_transaction_and_cancellation(run: Callable[..., None], server: Server) -> None:
    async def work(conn: mizzle.aio.Connection) -> None:
        async with conn.transaction(), conn.transaction():
            assert conn.in_transaction
        assert not conn.in_transaction

        async def long() -> None:
            async with conn.transaction():
                await conn.execute("SELECT SLEEP(30)")

        task = asyncio.ensure_future(long())
        other = await mizzle.aio.connect(**server.connect_args())
        while not task.done():
            query = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s AND info LIKE '%%SLEEP%%'"
            if await (await other.execute(query, [conn.thread_id()])).fetchone() == (1,):
                task.cancel()
                break
        with pytest.raises(asyncio.CancelledError):
            await task
        await other.close()

    run(work, autocommit=True)


def test_timeout(run: Callable[..., None]) -> None:
    async def work(conn: mizzle.aio.Connection) -> None:
        with pytest.raises(mizzle.OperationalError, match="timed out"):
            await conn.execute("SELECT SLEEP(20)", timeout=0.05)

    run(work)


def test_errors_of_connecting() -> None:
    async def main() -> None:
        with pytest.raises(mizzle.OperationalError) as caught:
            await mizzle.aio.connect(host="127.0.0.1", port=1, connect_timeout=5)
        assert caught.value.args[0] == 2003

    asyncio.run(main())
