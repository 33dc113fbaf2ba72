"""MariaDB Connector/Python in its compiled form."""

from __future__ import annotations

from typing import Any

import mariadb

from bench.task import Settings

if not mariadb.__version__.endswith("-c"):
    raise ImportError("only its pure Python form is installed: pip install --pre 'mariadb[binary]'")


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return mariadb.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        autocommit=True,  # utf8mb4 is all that it speaks
        **({} if own_defaults else {"ssl": False}),
    )


def stream(connection: Any) -> Any:
    return connection.cursor(buffered=False)
