"""The status that the servers' answers carry."""

from typing import TYPE_CHECKING

from mizzle.compat.pymysql.constants import named
from mizzle.constants import status

globals().update(named(status))

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
