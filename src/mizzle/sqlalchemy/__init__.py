"""SQLAlchemy on mizzle: `mysql+mizzle://…` and `mariadb+mizzle://…`, found by SQLAlchemy itself (entry points).

One URL serves `create_engine` and `create_async_engine`. Where the process is green so are its connections; `?world=`
in the URL chooses otherwise. Every textual keyword of `mizzle.connect` may stand in the URL.

Knows: names. Must not know: how anything is done.
"""

try:
    import sqlalchemy  # noqa: F401 (asked first, so that what is missing is said in one sentence)
except ImportError as error:
    raise ImportError("mizzle.sqlalchemy needs SQLAlchemy: pip install 'mizzle[sqlalchemy]'") from error

from mizzle.sqlalchemy.dialects import (
    AsyncMizzleDialect,
    AsyncMizzleMariaDBDialect,
    MizzleDialect,
    MizzleMariaDBDialect,
)

__all__ = ["AsyncMizzleDialect", "AsyncMizzleMariaDBDialect", "MizzleDialect", "MizzleMariaDBDialect"]
