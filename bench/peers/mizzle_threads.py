"""mizzle with blocking sockets."""

from __future__ import annotations

from typing import Any

import mizzle
from bench.task import Settings

WORLD = "threads"


def connect(settings: Settings, *, own_defaults: bool = False, world: str = WORLD, **changes: Any) -> Any:
    options: dict[str, Any] = {} if own_defaults else {"ssl_mode": "disabled"}
    return mizzle.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        charset="utf8mb4",
        autocommit=True,
        world=world,
        **options,
        **changes,
    )


def stream(connection: Any) -> Any:
    return connection.cursor(mizzle.StreamingCursor)
