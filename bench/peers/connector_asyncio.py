"""MySQL Connector/Python, its asyncio form."""

from __future__ import annotations

from typing import Any

import mysql.connector.aio

from bench.task import Settings


async def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return await mysql.connector.aio.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        charset="utf8mb4",
        autocommit=True,
        **({} if own_defaults else {"ssl_disabled": True}),
    )


async def cursor(connection: Any, *, streamed: bool = False) -> Any:  # noqa: ARG001 - its cursors read on demand
    return await connection.cursor()


async def close(connection: Any) -> None:
    await connection.close()
