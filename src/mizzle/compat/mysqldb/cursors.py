"""MySQLdb's cursors: PyMySQL's, whose lists of rows are tuples and whose last statement is bytes.

Knows: that. Must not know: connections, packets.
"""

from __future__ import annotations

from typing import Any

from mizzle.compat.pymysql import cursors


class _Habits:
    """What all of them do otherwise than PyMySQL's."""

    connection: Any

    @property
    def _executed(self) -> bytes | None:
        """The statement executed last; Django shows it."""
        text: Any = super()._executed  # type: ignore[misc]
        return text.encode(self.connection.encoding, "surrogateescape") if isinstance(text, str) else text

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows, a tuple of them."""
        return tuple(super().fetchmany(size))  # type: ignore[misc]

    def fetchall(self) -> Any:
        """The rows that are left, a tuple of them."""
        return tuple(super().fetchall())  # type: ignore[misc]


class Cursor(_Habits, cursors.Cursor):  # type: ignore[misc]
    """A buffered cursor whose rows are tuples."""


class DictCursor(_Habits, cursors.DictCursor):  # type: ignore[misc]
    """A buffered cursor whose rows are dicts."""


class SSCursor(_Habits, cursors.SSCursor):  # type: ignore[misc]
    """A cursor that fetches rows from the server as they are asked for."""


class SSDictCursor(_Habits, cursors.SSDictCursor):  # type: ignore[misc]
    """The same with dicts."""


BaseCursor = cursors.Cursor

__all__ = ["BaseCursor", "Cursor", "DictCursor", "SSCursor", "SSDictCursor"]
