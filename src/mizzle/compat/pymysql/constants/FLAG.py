"""Flags of a column."""

from typing import TYPE_CHECKING

from mizzle.compat.pymysql.constants import named
from mizzle.constants import field_flags

globals().update(named(field_flags, suffix="_FLAG"))
globals().update(GROUP=0x7FFF, UNIQUE=0x10000)  # of the server alone, and never sent

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
