"""aiomysql: PyMySQL's protocol over asyncio streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiomysql

from bench.task import Settings


async def connect(settings: Settings, *, own_defaults: bool = False) -> Any:  # noqa: ARG001 - TLS only when asked for
    return await aiomysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        db=settings.database,
        charset="utf8mb4",
        autocommit=True,
    )


async def cursor(connection: Any, *, streamed: bool = False) -> Any:
    return await (connection.cursor(aiomysql.SSCursor) if streamed else connection.cursor())


async def close(connection: Any) -> None:
    await connection.ensure_closed()


async def pool(settings: Settings, size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    made = await aiomysql.create_pool(
        minsize=size,
        maxsize=size,
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        db=settings.database,
        charset="utf8mb4",
        autocommit=True,
    )

    async def close_all() -> None:
        made.close()
        await made.wait_closed()

    return made.acquire, close_all
