"""The backend: `DatabaseWrapper` is what Django looks for in an engine.

Knows: where Django's backend for MySQL meets its driver, and mizzle's DB-API face. Must not know: the SQL that Django
makes, packets, worlds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.mysql import client, features, operations, schema
from django.db.backends.utils import typecast_time

import mizzle
from mizzle.compat.mysqldb._mysql import escaped
from mizzle.constants.field_types import MYSQL_TYPE_TIME
from mizzle.django.borrowed import base


class ServerCursor(mizzle.ServerCursor[Any]):
    """What iterator() reads from where the option `server_side_cursors` is on."""

    def execute(self, query: Any, args: Any = None, **keywords: Any) -> int:
        """As everywhere in Django the values become literals, so that the statement is the same with every cursor.

        A server does not take two parameters for equal expressions, which GROUP BY may need, nor a parameter's type
        from what stands beside it. Bytes are bound all the same: their literals are no text.
        """
        values: Any = args.values() if isinstance(args, Mapping) else args or ()
        if args is not None and not any(isinstance(value, (bytes, bytearray, memoryview)) for value in values):
            query, args = self.mogrify(query, args), None
        return super().execute(query, args, **keywords)


class DatabaseClient(client.DatabaseClient):
    """dbshell: what mizzle's words say of the place of the server and the files of TLS holds for the program, too."""

    @classmethod
    def settings_to_cmd_args_env(cls, settings_dict: dict[str, Any], parameters: Any) -> Any:
        """The command line of the program `mysql`, and what goes into its environment."""
        options = dict(settings_dict["OPTIONS"])
        given = options.pop("ssl", None)
        files = dict(given) if isinstance(given, dict) else {}
        files |= {name: options[f"ssl_{name}"] for name in ("ca", "cert", "key") if options.get(f"ssl_{name}")}
        if options.get("unix_socket"):
            options["host"] = options["unix_socket"]
        return super().settings_to_cmd_args_env({**settings_dict, "OPTIONS": {**options, "ssl": files}}, parameters)


class DatabaseFeatures(features.DatabaseFeatures):
    """Fetching gives lists, where mysqlclient gives tuples; a closed cursor is a misuse, as PostgreSQL's has it."""

    empty_fetchmany_value: ClassVar[Any] = []
    closed_cursor_error_class = InterfaceError


class LoggedCursor(base.CursorWrapper):
    """A cursor that remembers what it sent, which need not be what the program said: Django has execute_wrapper()."""

    sent: tuple[Any, Any] | None = None

    def execute(self, query: Any, args: Any = None) -> Any:
        """As without a log."""
        self.sent = query, args
        return super().execute(query, args)


class DatabaseOperations(operations.DatabaseOperations):
    """What Django writes beside a literal, and the statement with its literals for who asks for it."""

    def binary_placeholder_sql(self, value: Any, *compiler: Any) -> Any:
        """No `_binary` of Django's: mizzle's literals of bytes begin with it."""
        made = super().binary_placeholder_sql(value, *compiler)
        if made == "_binary %s":
            return "%s"
        if isinstance(made, tuple) and made[0] == "_binary %s":  # since Django 6.1 the values stand beside it
            return "%s", made[1]
        return made

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """The statement as it was sent; without its values, where they do not fit it."""
        query, args = getattr(cursor, "sent", None) or (sql, params)
        try:
            return str(cursor.mogrify(query, args))
        except (mizzle.Error, TypeError, ValueError):
            return str(query)


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Literals by mizzle."""

    def quote_value(self, value: Any) -> str:
        """A value as a literal; those that are bytes, as in Django's own backend, are text where they are formatted."""
        self.connection.ensure_connection()
        return escaped(value, self.connection.connection.escape(value))


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django's; OPTIONS are the keywords of `mizzle.connect` and three more.

    `isolation_level` is as in Django's own backend. `pool`: True, or a dict of the settings of `mizzle.Pool`, which all
    threads of the process share. `server_side_cursors`: True has iterator() leave its result with the server.
    """

    Database = mizzle
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    _pools: ClassVar[dict[tuple[str, str], mizzle.Pool]] = {}

    def get_connection_params(self) -> dict[str, Any]:
        """The keywords of mizzle.connect."""
        # Django says what it wants of autocommit by itself: until then it may be as the server has it.
        params = {"autocommit": None, **super().get_connection_params()}
        if params["conv"] is base.django_conversions:
            params["conv"] = {MYSQL_TYPE_TIME: typecast_time}  # of all of them what mizzle does otherwise
        for option in ("pool", "server_side_cursors"):
            params.pop(option, None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> mizzle.Connection:
        """A connection of the pool, where there is one; closing it gives it back."""
        pool = self.pool
        return mizzle.connect(**conn_params) if pool is None else pool.getconn()

    @property
    def pool(self) -> mizzle.Pool | None:
        """The pool that the option `pool` asks for."""
        settings = self.settings_dict["OPTIONS"].get("pool")
        if not settings or self.alias == NO_DB_ALIAS:
            return None
        if self.settings_dict["CONN_MAX_AGE"] != 0:
            raise ImproperlyConfigured("With the option 'pool', CONN_MAX_AGE must be 0: a request's end returns to it")
        place = self.alias, self.settings_dict["NAME"]  # tests change the name
        if place not in self._pools:
            chosen = {} if settings is True else settings
            # Of two threads that come here at once one makes a pool for nothing: it has opened no connection.
            self._pools.setdefault(place, mizzle.Pool(**self.get_connection_params(), **chosen))
        return self._pools[place]

    def close_pool(self) -> None:
        """Close the pool; the next connection makes another."""
        pool = self._pools.pop((self.alias, self.settings_dict["NAME"]), None)
        if pool is not None:
            pool.close()

    def chunked_cursor(self) -> Any:
        """The cursor of iterator()."""
        return self._cursor("chunked" if self.settings_dict["OPTIONS"].get("server_side_cursors") else None)

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor that reads the whole result; with a name, one that leaves it with the server."""
        wrapper = LoggedCursor if self.queries_logged else base.CursorWrapper
        return wrapper(self.connection.cursor(ServerCursor if name else None))
