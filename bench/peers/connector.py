"""MySQL Connector/Python; with its C extension where the package has one."""

from __future__ import annotations

from typing import Any

import mysql.connector

from bench.task import Settings


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return mysql.connector.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        charset="utf8mb4",
        autocommit=True,
        **({} if own_defaults else {"ssl_disabled": True}),
    )


def stream(connection: Any) -> Any:
    return connection.cursor(buffered=False)
