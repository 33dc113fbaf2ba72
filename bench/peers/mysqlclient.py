"""mysqlclient (MySQLdb): C, over libmariadb or libmysqlclient."""

from __future__ import annotations

from typing import Any

import MySQLdb
import MySQLdb.cursors

from bench.task import Settings


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return MySQLdb.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        charset="utf8mb4",
        autocommit=True,
        **({} if own_defaults else {"ssl_mode": "DISABLED"}),
    )


def stream(connection: Any) -> Any:
    return connection.cursor(MySQLdb.cursors.SSCursor)
