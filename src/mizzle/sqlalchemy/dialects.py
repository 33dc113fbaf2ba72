"""The dialects: what SQLAlchemy has to know of this driver, over what it knows of MySQL and MariaDB by itself.

Knows: SQLAlchemy's MySQL dialect and mizzle's DB-API face. Must not know: packets, worlds, how asyncio is adapted.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import pool, util
from sqlalchemy.dialects.mysql.base import MySQLDialect, MySQLExecutionContext
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect

import mizzle
from mizzle.sqlalchemy.green import POOLS
from mizzle.sqlalchemy.urls import connect_keywords

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Dialect
    from sqlalchemy.engine.interfaces import DBAPIModule

    IsolationLevel = Literal["SERIALIZABLE", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "AUTOCOMMIT"]


class MizzleDialect(MySQLDialect):
    """`mysql+mizzle://`, for MySQL and MariaDB; its `name` is "mysql" with both."""

    driver = "mizzle"
    execution_ctx_cls = MySQLExecutionContext
    supports_statement_cache = True
    supports_native_decimal = True
    supports_sane_rowcount = True
    supports_sane_multi_rowcount = True
    supports_server_side_cursors = True

    @classmethod
    def import_dbapi(cls) -> DBAPIModule:
        """The module that PEP 249 describes."""
        return mizzle  # type: ignore[return-value]

    @classmethod
    def load_provisioning(cls) -> None:
        """What SQLAlchemy's own tests, and those of third parties that use its plugin, prepare databases with."""
        importlib.import_module("sqlalchemy.dialects.mysql.provision")

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:  # noqa: ARG003 (the same for every URL)
        """What create_async_engine() takes for the same URL."""
        return AsyncMizzleDialect

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        """A QueuePool, which waits in the hub where the URL asks for a green world."""
        return POOLS.get(url.query.get("world"), pool.QueuePool)

    @property
    def _sscursor(self) -> Any:
        """The argument that makes connection.cursor() a cursor that streams."""
        return mizzle.StreamingCursor

    def create_connect_args(self, url: URL) -> Any:
        """The keywords for connect(), all of them typed."""
        return [], connect_keywords(url)

    def do_ping(self, dbapi_connection: Any) -> bool:
        """COM_PING; it never reconnects."""
        dbapi_connection.ping()
        return True

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Is it gone? mizzle's errors say so; others, and those of connecting, are judged by their number."""
        if not isinstance(e, mizzle.Error):
            return False
        known: Any = e
        lost = connection is not None and not getattr(e, "alive", True)  # who was not let in has lost nothing
        return lost or super().is_disconnect(known, connection, cursor)

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """As the server said last."""
        return bool(dbapi_conn.get_autocommit())

    def get_isolation_level_values(self, dbapi_conn: Any) -> tuple[IsolationLevel, ...]:  # noqa: ARG002
        """MySQL's levels, and autocommit in their place."""
        return "SERIALIZABLE", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "AUTOCOMMIT"

    def set_isolation_level(self, dbapi_connection: Any, level: IsolationLevel) -> None:
        """One of the above, for the session."""
        dbapi_connection.autocommit(level == "AUTOCOMMIT")
        if level != "AUTOCOMMIT":
            super().set_isolation_level(dbapi_connection, level)

    def retrieve_dbapi_version(self, dbapi: Any) -> Any:  # noqa: ARG002 (asynchronous or not, it is the same)
        """The driver's version, which SQLAlchemy 2.1 asks for."""
        return util.parse_version_string(mizzle.__version__)

    def _detect_charset(self, connection: Connection) -> str:
        return str(connection.connection.character_set_name())

    def _extract_error_code(self, exception: BaseException) -> Any:
        return exception.args[0] if exception.args else None


class AsyncMizzleDialect(MizzleDialect):
    """The same for create_async_engine(), on mizzle.aio."""

    is_async = True
    has_terminate = True
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> DBAPIModule:
        """mizzle.aio, adapted to SQLAlchemy's greenlets."""
        from mizzle.sqlalchemy.adapter import AsyncModule  # noqa: PLC0415 (needs greenlet)

        return AsyncModule()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:  # noqa: ARG003 (the same for every URL)
        """The QueuePool whose waiting is asyncio's."""
        return pool.AsyncAdaptedQueuePool

    @property
    def _sscursor(self) -> Any:
        return True

    def get_driver_connection(self, connection: Any) -> Any:
        """mizzle.aio's own connection."""
        return connection._connection

    def do_terminate(self, dbapi_connection: Any) -> None:
        """End a connection that is not to be used again, also where no loop runs any more."""
        dbapi_connection.terminate()


class MizzleMariaDBDialect(MariaDBDialect, MizzleDialect):
    """`mariadb+mizzle://`: for MariaDB alone; its `name` is "mariadb"."""

    supports_statement_cache = True

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:  # noqa: ARG003 (the same for every URL)
        """What create_async_engine() takes for the same URL."""
        return AsyncMizzleMariaDBDialect


class AsyncMizzleMariaDBDialect(MariaDBDialect, AsyncMizzleDialect):
    """The same for create_async_engine()."""

    supports_statement_cache = True
