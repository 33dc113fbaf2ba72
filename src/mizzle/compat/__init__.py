"""Stand-ins for PyMySQL and mysqlclient: code that was written for them runs on mizzle, its imports unchanged.

Knows: which modules to put where in `sys.modules`. Must not know: what is in them.
"""

from __future__ import annotations

import importlib
import sys
import warnings

from mizzle.errors import Warning

_SHARED = {
    "constants": "constants",
    "constants.CLIENT": "constants.CLIENT",
    "constants.CR": "constants.CR",
    "constants.ER": "constants.ER",
    "constants.FIELD_TYPE": "constants.FIELD_TYPE",
    "constants.FLAG": "constants.FLAG",
    "converters": "converters",
    "cursors": "cursors",
    "connections": "connections",
    "times": "times",
}
_PYMYSQL = {
    **_SHARED,
    "charset": "charset",
    "constants.COMMAND": "constants.COMMAND",
    "constants.SERVER_STATUS": "constants.SERVER_STATUS",
    "err": "err",
}
_MYSQLDB = {**_SHARED, "_exceptions": "err"}


def install_as_pymysql() -> None:
    """From now on `import pymysql` gets mizzle's stand-in; call it before anything imports PyMySQL.

    Whether PyMySQL is installed does not matter. Modules that have imported it before keep it, and are warned about.
    """
    _install("pymysql", "mizzle.compat.pymysql", _PYMYSQL)


def install_as_MySQLdb() -> None:
    """From now on `import MySQLdb` gets mizzle's stand-in; call it before anything imports mysqlclient."""
    _install("MySQLdb", "mizzle.compat.mysqldb", _MYSQLDB)


def _install(name: str, package: str, modules: dict[str, str]) -> None:
    stand_in = importlib.import_module(package)
    earlier = sys.modules.get(name)
    if earlier is stand_in:
        return
    if earlier is not None:
        warnings.warn(
            f"{name} was imported before mizzle took its place: modules that have it keep it", Warning, stacklevel=3
        )
    for loaded in [loaded for loaded in sys.modules if loaded == name or loaded.startswith(f"{name}.")]:
        del sys.modules[loaded]
    sys.modules[name] = stand_in
    for module, source in modules.items():
        sys.modules[f"{name}.{module}"] = importlib.import_module(f"mizzle.compat.pymysql.{source}")
