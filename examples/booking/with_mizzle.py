"""mizzle on eventlet: nothing is patched. Beside with_pymysql.py, all that differs."""

from __future__ import annotations

import mizzle
import mizzle.eventlet as mysql
from examples.booking.address import Address, Connection
from mizzle.eventlet import Error, OperationalError, StreamingCursor

__all__ = ["TITLE", "Error", "OperationalError", "StreamingCursor", "connect"]

TITLE = f"mizzle {mizzle.__version__}"


def connect(address: Address) -> Connection:
    return mysql.connect(**address.keywords(), autocommit=True)
