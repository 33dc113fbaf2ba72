"""mizzle on asyncio, or on trio: on the loop that it finds itself in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mizzle.aio
from bench.peers.mizzle_threads import keywords
from bench.task import Settings


async def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    options: dict[str, Any] = {} if own_defaults else {"ssl_mode": "disabled"}
    return await mizzle.aio.connect(**keywords(settings), **options)


async def pool(settings: Settings, size: int, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    made = mizzle.aio.Pool(min_size=size, max_size=size, ssl_mode="disabled", **keywords(settings), **options)
    return made.connection, made.close


async def cursor(connection: Any, *, streamed: bool = False) -> Any:
    return connection.cursor(mizzle.aio.StreamingCursor) if streamed else connection.cursor()


async def close(connection: Any) -> None:
    await connection.close()
