"""PyMySQL, under threads or on a patched eventlet or gevent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pymysql
import pymysql.cursors

from bench.task import Settings


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    options: dict[str, Any] = {} if own_defaults else {"ssl_disabled": True}
    return pymysql.connect(**keywords(settings), **options)


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
    return connection.cursor(pymysql.cursors.SSCursor)


def pool(settings: Settings, size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """DBUtils, which is what most programs with PyMySQL and threads have."""
    from dbutils.pooled_db import PooledDB  # noqa: PLC0415 - a package of its own

    made = PooledDB(
        pymysql, mincached=size, maxconnections=size, blocking=True, ssl_disabled=True, **keywords(settings)
    )
    return lambda: closing(made.connection()), made.close
