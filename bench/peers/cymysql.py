"""CyMySQL: PyMySQL's ancestor with Cython in the hot places. It has no unbuffered cursor."""

from __future__ import annotations

from typing import Any

import cymysql

from bench.task import Settings


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:  # noqa: ARG001 - TLS only when asked for
    connection = cymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        passwd=settings.password,
        db=settings.database,
        charset="utf8mb4",
    )
    connection.autocommit(True)
    return connection


def stream(connection: Any) -> Any:
    raise NotImplementedError("it has no unbuffered cursor")
