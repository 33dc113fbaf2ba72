"""SQLAlchemy's compliance suite for dialects, whole. It is run by itself: see README.md beside this file."""

from typing import Any

from sqlalchemy.testing.suite import *  # noqa: F403
from sqlalchemy.testing.suite import ServerSideCursorsTest as _ServerSideCursorsTest

from mizzle import StreamingCursor


class ServerSideCursorsTest(_ServerSideCursorsTest):
    def _is_server_side(self, cursor: Any) -> bool:
        """The suite knows its own drivers by name here, and takes all others for drivers without such cursors."""
        return isinstance(cursor, StreamingCursor) or getattr(cursor, "server_side", False)
