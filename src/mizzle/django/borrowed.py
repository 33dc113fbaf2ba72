"""Django's modules for MySQL that import MySQLdb, read anew with mizzle in its place.

Knows: which of Django's modules these are, and what they take from MySQLdb. Must not know: what a backend does.

`django.db.backends.mysql.base` and `.introspection` import MySQLdb at their top. A stand-in for it in `sys.modules`
would reach everything else in the process, and bind Django's modules to it for whoever uses mysqlclient beside. So the
two are executed a second time, here, with an `import` of their own; everything else of the package, which imports no
driver, is Django's one and only.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
from types import ModuleType
from typing import Any

from mizzle.compat import mysqldb

_PACKAGE = "django.db.backends.mysql"


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """What `import` does in these modules."""
    if level == 1 and name == "introspection":
        return introspection
    top, _, module = name.partition(".")
    if level or top != "MySQLdb":
        return __import__(name, globals, locals, fromlist, level)
    if not module:
        return mysqldb
    return __import__(f"mizzle.compat.pymysql.{module}", globals, locals, fromlist)  # MySQLdb's is PyMySQL's


def _read(name: str) -> ModuleType:
    """A module of Django's for this package alone: `sys.modules` does not have it."""
    spec = importlib.util.find_spec(f"{_PACKAGE}.{name}")
    if spec is None or spec.loader is None:
        raise ImportError(f"this Django has no {_PACKAGE}.{name}")
    module = importlib.util.module_from_spec(spec)
    # Where a module's globals say what its builtins are, exec() leaves it at that, as the Python library promises.
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
    spec.loader.exec_module(module)
    return module


introspection: Any = _read("introspection")
base: Any = _read("base")
