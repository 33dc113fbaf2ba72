"""MySQLdb's Connection: PyMySQL's, with what mysqlclient does otherwise, and its `query()` with `store_result()`.

Knows: mysqlclient's arguments and methods. Must not know: packets, worlds.
"""

from __future__ import annotations

from typing import Any

from mizzle.compat.mysqldb._mysql import Result, escaped
from mizzle.compat.mysqldb.cursors import Cursor
from mizzle.compat.pymysql import connections
from mizzle.constants.capabilities import CLIENT_MULTI_STATEMENTS


class Connection(connections.Connection):
    """`MySQLdb.connect`. One text may hold several statements, unless `multi_statements=False`.

    `binary_prefix` is understood and makes no difference: bytes are always written as such.
    """

    def __init__(self, *args: Any, multi_statements: bool = True, binary_prefix: bool = False, **keywords: Any) -> None:
        if multi_statements:
            keywords["client_flag"] = keywords.get("client_flag", 0) | CLIENT_MULTI_STATEMENTS
        self.binary_prefix = binary_prefix
        keywords["cursorclass"] = keywords.get("cursorclass") or Cursor
        super().__init__(*args, **keywords)

    def escape(self, obj: Any, mapping: Any = None) -> str:
        """The value as a literal, for bytes and bools in bytes; formatted into a statement these are text, too."""
        return escaped(obj, super().escape(obj, mapping))

    def literal(self, o: Any) -> bytes:  # type: ignore[override]
        """The value as it stands in a statement, in bytes."""
        return str(self.escape(o)).encode(self.encoding, "surrogateescape")

    def set_sql_mode(self, sql_mode: str) -> None:
        """Change the session's sql_mode."""
        with self.cursor(Cursor) as cur:
            cur.execute("SET SESSION sql_mode = %s", (sql_mode,))

    def store_result(self) -> Result | None:
        """The result of query(), which has read it whole; None where the statement gave no rows."""
        cursor, self._result = self._result, None
        return None if cursor is None or cursor.description is None else Result(cursor)

    use_result = store_result

    @property
    def closed(self) -> bool:
        """Was it closed, or lost?"""
        return not self.open


__all__ = ["Connection"]
