"""Column types."""

from typing import TYPE_CHECKING

from mizzle.compat.pymysql.constants import named
from mizzle.constants import field_types

globals().update(named(field_types, "MYSQL_TYPE_"))
globals().update(CHAR=field_types.MYSQL_TYPE_TINY, INTERVAL=field_types.MYSQL_TYPE_ENUM)

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
