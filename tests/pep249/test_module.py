"""The module interface of PEP 249; no server."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mizzle
import mizzle.eventlet


@pytest.mark.parametrize("module", [mizzle, mizzle.eventlet])
def test_globals(module: object) -> None:
    assert module.apilevel == "2.0"
    assert module.threadsafety == 1
    assert module.paramstyle == "pyformat"
    assert callable(module.connect)


def test_exceptions() -> None:
    assert issubclass(mizzle.Warning, Exception)
    assert issubclass(mizzle.Error, Exception)
    assert issubclass(mizzle.InterfaceError, mizzle.Error)
    assert issubclass(mizzle.DatabaseError, mizzle.Error)
    for cls in (
        mizzle.DataError,
        mizzle.OperationalError,
        mizzle.IntegrityError,
        mizzle.InternalError,
        mizzle.ProgrammingError,
        mizzle.NotSupportedError,
    ):
        assert issubclass(cls, mizzle.DatabaseError)


@pytest.mark.parametrize("name", mizzle.__all__)
def test_everything_named_is_there(name: str) -> None:
    assert getattr(mizzle, name) is not None
    if name in {"Pool", "NullPool"}:
        assert issubclass(getattr(mizzle.eventlet, name), getattr(mizzle, name))
    elif name != "connect":
        assert getattr(mizzle.eventlet, name) is getattr(mizzle, name)


def test_connections_have_the_exceptions() -> None:
    for name in mizzle.__all__[4:14]:
        assert getattr(mizzle.Connection, name) is getattr(mizzle, name)


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="'mizzle' has no attribute 'nonsense'"):
        _ = mizzle.nonsense


def test_importing_is_light() -> None:
    code = (
        "import sys, mizzle; "
        "heavy = {'mizzle.engine.conversations', 'mizzle.sync', 'asyncio', 'eventlet', 'ssl'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
