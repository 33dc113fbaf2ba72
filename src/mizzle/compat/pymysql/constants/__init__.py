"""PyMySQL's constants by its names, from mizzle's tables, which have the manual's.

Knows: what PyMySQL leaves out of a name.
"""

from __future__ import annotations

from types import ModuleType


def named(table: ModuleType, prefix: str = "", suffix: str = "") -> dict[str, int]:
    """The constants of a table, their names without that prefix and suffix."""
    return {
        name.removeprefix(prefix).removesuffix(suffix): value
        for name, value in vars(table).items()
        if isinstance(value, int) and name.isupper() and name.startswith(prefix) and name.endswith(suffix)
    }
