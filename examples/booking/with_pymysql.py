"""PyMySQL on monkey-patched eventlet. Beside with_mizzle.py, all that differs."""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()  # before anything takes the blocking socket module

import pymysql as mysql  # noqa: E402
from pymysql import Error, OperationalError  # noqa: E402
from pymysql.cursors import SSCursor as StreamingCursor  # noqa: E402

from examples.booking.address import Address, Connection  # noqa: E402

__all__ = ["TITLE", "Error", "OperationalError", "StreamingCursor", "connect"]

TITLE = f"PyMySQL {mysql.VERSION_STRING}"


def connect(address: Address) -> Connection:
    return mysql.connect(**address.keywords(), autocommit=True)
