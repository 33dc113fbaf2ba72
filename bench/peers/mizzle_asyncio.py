"""mizzle on asyncio, or on trio: on the loop that it finds itself in."""

from __future__ import annotations

from typing import Any

import mizzle.aio
from bench.task import Settings


async def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    options: dict[str, Any] = {} if own_defaults else {"ssl_mode": "disabled"}
    return await mizzle.aio.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        charset="utf8mb4",
        autocommit=True,
        **options,
    )


async def cursor(connection: Any, *, streamed: bool = False) -> Any:
    return connection.cursor(mizzle.aio.StreamingCursor) if streamed else connection.cursor()


async def close(connection: Any) -> None:
    await connection.close()
