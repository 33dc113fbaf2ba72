"""Stand-ins for PyMySQL and mysqlclient: code that was written for them runs on mizzle, its imports unchanged.

Knows: which modules to put where in `sys.modules`. Must not know: what is in them.
"""

from __future__ import annotations

import importlib
import sys
import warnings

from mizzle.errors import Warning

_PYMYSQL, _MYSQLDB = "mizzle.compat.pymysql", "mizzle.compat.mysqldb"
_CONSTANTS = ("CLIENT", "CR", "ER", "FIELD_TYPE", "FLAG")
_SHARED = {
    "constants": f"{_PYMYSQL}.constants",
    **{f"constants.{kind}": f"{_PYMYSQL}.constants.{kind}" for kind in _CONSTANTS},
    "converters": f"{_PYMYSQL}.converters",
}
_OF_PYMYSQL = {
    **_SHARED,
    **{f"constants.{kind}": f"{_PYMYSQL}.constants.{kind}" for kind in ("COMMAND", "SERVER_STATUS")},
    **{name: f"{_PYMYSQL}.{name}" for name in ("charset", "connections", "cursors", "err", "times")},
}
_OF_MYSQLDB = {
    **_SHARED,
    **{name: f"{_MYSQLDB}.{name}" for name in ("_mysql", "connections", "cursors", "times")},
    "_exceptions": f"{_PYMYSQL}.err",
}


def install_as_pymysql() -> None:
    """From now on `import pymysql` gets mizzle's stand-in; call it before anything imports PyMySQL.

    Whether PyMySQL is installed does not matter. Modules that have imported it before keep it, and are warned about.
    """
    _install("pymysql", _PYMYSQL, _OF_PYMYSQL)


def install_as_MySQLdb() -> None:
    """From now on `import MySQLdb` gets mizzle's stand-in; call it before anything imports mysqlclient."""
    _install("MySQLdb", _MYSQLDB, _OF_MYSQLDB)


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
        sys.modules[f"{name}.{module}"] = importlib.import_module(source)
