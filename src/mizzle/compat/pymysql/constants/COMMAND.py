"""Command bytes."""

from typing import TYPE_CHECKING

from mizzle.compat.pymysql.constants import named
from mizzle.constants import commands

globals().update(named(commands))

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
