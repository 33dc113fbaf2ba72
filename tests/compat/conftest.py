"""The stand-ins take PyMySQL's and mysqlclient's places in sys.modules: for one test each."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server


def _names() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in {"pymysql", "MySQLdb"}]


@pytest.fixture
def places() -> Iterator[None]:
    """What stood in sys.modules before stands there again afterwards."""
    before = {name: sys.modules.pop(name) for name in _names()}
    yield
    for name in _names():
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def pymysql(places: None) -> ModuleType:  # noqa: ARG001 (order)
    """`import pymysql`, after install_as_pymysql()."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mizzle.install_as_pymysql()
    return importlib.import_module("pymysql")


@pytest.fixture
def mysqldb(places: None) -> ModuleType:  # noqa: ARG001 (order)
    """`import MySQLdb`, after install_as_MySQLdb()."""
    mizzle.install_as_MySQLdb()
    return importlib.import_module("MySQLdb")


@pytest.fixture
def connect(pymysql: ModuleType, server: Server) -> Iterator[Callable[..., Any]]:
    """pymysql.connect to the server; closed at the end of the test."""
    with ExitStack() as stack:

        def connect(**keywords: Any) -> Any:
            return stack.enter_context(pymysql.connect(**server.connect_args(**keywords)))

        yield connect
