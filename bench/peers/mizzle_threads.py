"""mizzle with blocking sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mizzle
from bench.task import Settings

WORLD = "threads"


def connect(settings: Settings, *, own_defaults: bool = False, world: str = WORLD, **changes: Any) -> Any:
    options: dict[str, Any] = {} if own_defaults else {"ssl_mode": "disabled"}
    return mizzle.connect(**keywords(settings), world=world, **options, **changes)


def pool(
    settings: Settings, size: int, *, world: str = WORLD, **options: Any
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    made = mizzle.Pool(min_size=size, max_size=size, world=world, ssl_mode="disabled", **keywords(settings), **options)
    return made.connection, made.close


def keywords(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": settings.password,
        "database": settings.database,
        "charset": "utf8mb4",
        "autocommit": True,
    }


def stream(connection: Any) -> Any:
    return connection.cursor(mizzle.StreamingCursor)
